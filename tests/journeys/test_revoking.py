"""Taking access away acts on open sockets: closed with 4403, or without just the topics that are forbidden now."""

from __future__ import annotations

import json
import sqlite3
import threading
from urllib.parse import urlsplit

import pytest
import websocket

from tests.journeys.support.cast import Company, Key, company, settle
from tests.journeys.support.conversation import is_presence
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

CHANGES = {
    "a key is revoked": (
        "of the customer",
        "from django.utils import timezone\nfrom subscriptions.auth import access_keys\n"
        "access_keys.revoke(AccessKey.objects.get(label='of the customer', customer_id='{customer}'), timezone.now())",
    ),
    "a key is deleted": (
        "of the customer",
        "AccessKey.objects.get(label='of the customer', customer_id='{customer}').delete()",
    ),
    "a key may not subscribe any more": (
        "of the customer",
        "key = AccessKey.objects.get(label='of the customer', customer_id='{customer}')\n"
        "key.may_subscribe = False\nkey.save()",
    ),
    "the agent of a key is switched off": (
        "of the manager",
        "agent = Agent.objects.get(name='manager', customer_id='{customer}')\nagent.is_active = False\nagent.save()",
    ),
    "an agent is switched off": (
        "manager",
        "agent = Agent.objects.get(name='manager', customer_id='{customer}')\nagent.is_active = False\nagent.save()",
    ),
    "an agent's login is closed": (
        "manager",
        "user = Agent.objects.get(name='manager', customer_id='{customer}').user\n"
        "user.is_active = False\nuser.save()",
    ),
    "an agent is signed out everywhere": (
        "manager",
        "from django.utils import timezone\nfrom subscriptions.auth import logout\n"
        "logout.sign_out(Agent.objects.get(name='manager', customer_id='{customer}'), timezone.now())",
    ),
    "the customer is switched off": (
        "manager",
        "customer = Customer.objects.get(pk='{customer}')\ncustomer.is_active = False\ncustomer.save()",
    ),
}

IMPORTS = "from subscriptions.models import AccessKey, Agent, Customer\n"


@pytest.fixture(scope="module", params=[False, True], ids=["sqlite", "postgres-redis"])
def gateway_to_change(gateway_of_file: Gateways, request: pytest.FixtureRequest) -> Gateway:
    """With Redis a change from another process acts at once, without it at the next check."""
    return gateway_of_file(
        "uvicorn", postgres=request.param, redis=request.param, CHECK_INTERVAL_SECONDS="0.3"
    )


@pytest.fixture
def acme() -> Company:
    return company("Acme")


def subscribed(gateway: Gateway, credential: str, *topics: str) -> websocket.WebSocket:
    socket = websocket.create_connection(f"{gateway.ws_url}?token={credential}", timeout=30)
    socket.send(json.dumps({"type": "subscribe", "topics": topics}))
    assert json.loads(socket.recv())["status"] == "success"
    return socket


def credential(owner: Company, name: str) -> str:
    return owner.key(name) if name.startswith("of the") else owner.token(name)


@pytest.mark.parametrize("change", CHANGES)
def test_a_socket_whose_credential_is_taken_away_is_closed_and_notified(
    gateway_to_change: Gateway, acme: Company, change: str
) -> None:
    name, script = CHANGES[change]
    everything = f"customer_id:{acme.id}:*:*"
    stranger = company("Globex")
    settle(gateway_to_change, acme, stranger)
    untouched = subscribed(gateway_to_change, stranger.token("manager"), f"customer_id:{stranger.id}:*:*")
    socket = subscribed(gateway_to_change, credential(acme, name), everything)
    gateway_to_change.manage("shell", "--verbosity", "0", text=IMPORTS + script.format(customer=acme.id))
    reported = json.loads(socket.recv())
    assert (reported["code"], reported["retry"]) == ("REVOKED", False)
    assert reported["message"]
    opcode, data = socket.recv_data()
    assert (opcode, int.from_bytes(data[:2], "big")) == (websocket.ABNF.OPCODE_CLOSE, 4403)
    untouched.send('{"type": "ping"}')
    assert json.loads(untouched.recv())["type"] == "pong"


def test_a_role_that_is_taken_away_takes_just_its_topics(gateway_to_change: Gateway, acme: Company) -> None:
    settle(gateway_to_change, acme)
    own, all_calls = f"agent_id:{acme.person('manager').id}:*:*", f"customer_id:{acme.id}:call:*"
    socket = subscribed(gateway_to_change, acme.token("manager"), own, all_calls)
    script = f"agent = Agent.objects.get(name='manager', customer_id='{acme.id}')\nagent.role = 'agent'\nagent.save()"
    gateway_to_change.manage("shell", "--verbosity", "0", text=IMPORTS + script)
    while is_presence(reported := json.loads(socket.recv())):
        pass
    assert (reported["action"], reported["topics"], reported["code"]) == (
        "subscribe",
        [all_calls],
        "PERMISSION_DENIED",
    )
    publish = (
        "from events.log.publish import publish\nfrom events.domain.event_parser import read_event\n"
        "from events.domain.topics import known_resources\n"
        "publish([read_event({'event_type': 'call.status', 'data': {'id': name}, 'agent_ids': agents},"
        f" customer_id='{acme.id}', resources=known_resources(), max_bytes=1000)"
        f" for name, agents in (('theirs', []), ('mine', ['{acme.person('manager').id}']))])"
    )
    gateway_to_change.manage("shell", "--verbosity", "0", text=publish)
    while is_presence(frame := json.loads(socket.recv())):
        pass
    assert frame["topic"] == f"agent_id:{acme.person('manager').id}:call:mine"


REVOKE_SLOWLY = (
    "import time\nfrom django.db import transaction\nfrom django.utils import timezone\n"
    "from subscriptions.auth import access_keys\n"
    "with transaction.atomic():\n"
    "    access_keys.revoke(AccessKey.objects.get(label='the next', customer_id='{customer}'), timezone.now())\n"
    "    time.sleep(0.4)\n"
)


def is_locked(database_url: str) -> bool:
    """Whether a transaction holds the lock to write."""
    with sqlite3.connect(urlsplit(database_url).path, timeout=0, isolation_level=None) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        database.execute("ROLLBACK")
        return False


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_key_revoked_while_its_client_authenticates_with_it_is_closed(
    gateway: Gateways, acme: Company, server: str
) -> None:
    """The client's key was read before, and recording its use waits for the transaction that revokes it."""
    serving = gateway(server, redis=True, CHECK_INTERVAL_SECONDS="1")
    acme.keys.append(Key("the next"))
    settle(serving, acme)
    topic = f"customer_id:{acme.id}:*:*"
    socket = subscribed(serving, acme.key("of the customer"), topic)
    script = IMPORTS + REVOKE_SLOWLY.format(customer=acme.id)
    revoking = threading.Thread(
        target=serving.manage, args=("shell", "--verbosity", "0"), kwargs={"text": script}
    )
    revoking.start()
    wait_until(lambda: is_locked(serving.database_url), "the transaction that revokes")
    socket.send(json.dumps({"type": "authenticate", "token": acme.key("the next")}))
    revoking.join()
    received = []
    while not received or received[-1].get("code") != "REVOKED":
        received.append(json.loads(socket.recv()))
        assert received[-1].get("code") in (None, "REVOKED"), received
    opcode, data = socket.recv_data()
    assert (opcode, int.from_bytes(data[:2], "big")) == (websocket.ABNF.OPCODE_CLOSE, 4403)
