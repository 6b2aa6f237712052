"""Floods over WebSockets: bounded, counted in the audit log, and without effect on others."""

# Long because the floods share one gateway for each server, and the customer that is served meanwhile.

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
import websocket

from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import PATIENCE_SECONDS, Conversation, get, publish
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.stacks import Stack

RECORDS = """
import json
from subscriptions.models import AuditRecord
print(json.dumps(list(AuditRecord.objects.values_list("action", "verdict", "rule", "count", "topic", "detail"))))
"""
LIMITS = {
    "MESSAGE_BURST": "400",
    "MESSAGES_PER_SECOND": "20",
    "REFUSED_MESSAGES_MAX": "40",
    "UNREADABLE_MESSAGES_MAX": "100000",
    "CONNECTIONS_PER_CREDENTIAL": "3",
}


@pytest.fixture(scope="module")
def gateway(gateway_of_file: Gateways, stack: Stack) -> Gateway:
    return gateway_of_file(
        stack.server, postgres=stack.shared, redis=stack.shared, TRUSTED_PROXIES="127.0.0.1", **LIMITS
    )


@pytest.fixture(scope="module")
def acme(gateway: Gateway) -> Company:
    acme = company("Acme")
    settle(gateway, acme)
    return acme


@pytest.fixture(scope="module")
def globex(gateway: Gateway) -> Company:
    globex = company("Globex")
    settle(gateway, globex)
    return globex


@contextmanager
def served_meanwhile(gateway: Gateway, tenant: Company) -> Iterator[None]:
    """Publish, receive and read as another tenant during the block, and check each answer."""
    over = threading.Event()
    rounds: list[object] = []

    def work() -> None:
        try:
            with Conversation(gateway, tenant.token("manager")) as client:
                client.subscribe(f"customer_id:{tenant.id}:call:*")
                while not over.wait(0.02):
                    event = {
                        "event_type": "call.created",
                        "data": {"id": new_id(), "customer_id": tenant.id},
                    }
                    (receipt,) = publish(gateway, tenant.key("that publishes"), event)
                    assert client.receive()["cursor"] == receipt["cursor"]
                    assert get(gateway, tenant.token("agent"), "/v1.0/me").status_code == 200
                    rounds.append(True)
        except BaseException as error:
            rounds.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert rounds
    assert [each for each in rounds if each is not True] == []


def records_after(gateway: Gateway, known: int = 0) -> list[tuple[str, str, str, int, str, str]]:
    """Return the audit records but for the first `known`, with those that the process stores when it stops."""
    gateway.terminate()
    content = gateway.manage("shell", "--verbosity", "0", "--command", RECORDS)
    gateway.restart()
    newest_first: list[Any] = json.loads(content)
    return [tuple(each) for each in reversed(newest_first)][known:]


def flood(client: Conversation, message: object, count: int) -> tuple[Counter[str], int | None]:
    """Send a message again and again without reading; return the types or codes of the answers, and the close code."""
    received: list[Any] = []
    code: list[int] = []

    def read() -> None:
        # The reply to a close would wait behind the messages that the gateway does not read any more.
        with suppress(OSError, websocket.WebSocketException):
            for opcode, content in client.frames():
                if opcode == websocket.ABNF.OPCODE_TEXT:
                    received.append(json.loads(content))
                elif opcode == websocket.ABNF.OPCODE_CLOSE:
                    code.append(int.from_bytes(content[:2], "big"))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(count):
            client.send(message)
    except (OSError, websocket.WebSocketException):
        pass  # Closed.
    reader.join(PATIENCE_SECONDS)
    return Counter(frame.get("code") or frame["type"] for frame in received), (code or [None])[0]


def flood_again(gateway: Gateway, acme: Company) -> int | None:
    """Flood from one address; return the close code, or the status of the refused handshake."""
    try:
        client = Conversation(gateway, acme.token("agent"), header=["X-Forwarded-For: 203.0.113.99"])
    except websocket.WebSocketBadStatusException as refused:
        return refused.status_code
    with client:
        return flood(client, "{", 3000)[1]


FLOODS: dict[str, Callable[[Company], object]] = {
    "ping": lambda _: {"type": "ping"},
    "subscribe": lambda globex: {
        "type": "subscribe",
        "topics": [f"customer_id:{globex.id}:call:{number}" for number in range(100)],
    },
    "unsubscribe": lambda globex: {"type": "unsubscribe", "topics": [f"customer_id:{globex.id}:call:*"]},
    "authenticate": lambda _: {"type": "authenticate", "token": "vb_made_up"},
    "unknown": lambda _: {"type": "nonsense"},
    "no JSON": lambda _: "{",
    "binary": lambda _: b"binary",
}


def test_floods_of_each_type_are_answered_bounded_and_closed_and_all_is_on_record(
    gateway: Gateway, acme: Company, globex: Company
) -> None:
    known = len(records_after(gateway))
    with served_meanwhile(gateway, globex):
        for number, make in enumerate(FLOODS.values()):
            # Each from an address of its own, which is not throttled yet.
            origin = [f"X-Forwarded-For: 203.0.113.{number}"]
            with Conversation(gateway, acme.token("agent"), header=origin) as client:
                answers, code = flood(client, make(globex), 3000)
            assert code == 4429, answers
            assert answers["TOO_MANY"] == 1
            # Those within the limit, and few beyond it.
            assert answers.total() <= 2 * 400 + 60, answers
    # From the same address the floods do not go on.
    assert 429 in [flood_again(gateway, acme) for _ in range(10)]
    found = records_after(gateway, known)
    refused = [each for each in found if each[1] == "refused"]
    assert len(refused) <= 200
    counts: Counter[tuple[str, str]] = Counter()
    for action, _, rule, count, *_ in refused:
        counts[action, rule] += count
    # Of about 400 messages with 100 topics each, 1,000 topics passed the rate and belonged to another customer.
    assert counts["subscribe", "foreign-customer"] >= 1000
    assert counts["subscribe", "subscribe-rate"] >= 350 * 100
    assert counts["subscribe", "message-rate"] >= 39 * 100
    assert counts["authenticate", "malformed-credential"] + counts["authenticate", "unknown-key"] >= 400
    assert counts["authenticate", "message-rate"] >= 39
    assert [each[2] for each in found if each[0] == "disconnect"].count("TOO_MANY") >= len(FLOODS) + 2
    [sample] = [each for each in refused if each[2] == "subscribe-rate" and each[3] == 100][:1]
    assert sample[4] in sample[5]
    assert "100 topics" in sample[5]


def test_each_refused_topic_counts_and_the_sum_is_what_was_refused(
    gateway: Gateway, acme: Company, globex: Company
) -> None:
    known = len(records_after(gateway))
    refused = 0
    with Conversation(gateway, acme.token("agent")) as client:
        for number in range(50):
            topics = [f"customer_id:{globex.id}:call:{number}-{each}" for each in range(7)]
            answer = client.ask({"type": "subscribe", "topics": topics})
            assert answer["topics"] == topics
            refused += len(topics)
    found = [each for each in records_after(gateway, known) if each[1] == "refused"]
    assert sum(count for *_, count, _, _ in found) == refused
    assert len(found) == 21


def handshake(gateway: Gateway, credential: str, address: str) -> httpx.Response:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "X-Forwarded-For": address,
    }
    return httpx.get(
        gateway.url + "/v1.0/ws", params={"token": credential}, headers=headers, timeout=PATIENCE_SECONDS
    )


def test_refused_handshakes_of_an_address_are_throttled_and_counted(
    gateway: Gateway, acme: Company, globex: Company
) -> None:
    known = len(records_after(gateway))
    good = acme.token("manager")
    with Conversation(gateway, good, header=["X-Forwarded-For: 2001:db8::1"]):
        pass
    with served_meanwhile(gateway, globex):
        answers = [handshake(gateway, f"vb_{number}", f"2001:db8::{number:x}") for number in range(1, 201)]
    statuses = Counter(each.status_code for each in answers)
    assert set(statuses) == {401, 429}
    assert statuses[401] >= 100
    assert statuses[429] >= 20
    last = next(each for each in answers if each.status_code == 429)
    assert last.json()["code"] == "RATE_LIMITED"
    assert int(last.headers["Retry-After"]) >= 1
    # The client whose credential was accepted before is not affected, nor is another address.
    with Conversation(gateway, good, header=["X-Forwarded-For: 2001:db8::1"]) as client:
        assert client.before_pong() == []
    assert handshake(gateway, "vb_made_up", "2001:db8:0:1::1").status_code == 401
    found = [each for each in records_after(gateway, known) if each[:2] == ("refuse", "refused")]
    assert sum(count for *_, count, _, _ in found) == 201
    assert len(found) <= 16


def test_connections_beyond_those_of_a_credential_are_one_record(gateway: Gateway, acme: Company) -> None:
    known = len(records_after(gateway))
    credential = acme.key("of the customer")
    held = [Conversation(gateway, credential) for _ in range(3)]
    for _ in range(30):
        with Conversation(gateway, credential) as client:
            assert client.until_closed()[1] == 4429
    for client in held:
        assert client.before_pong() == []
    found = [each for each in records_after(gateway, known) if each[2] == "TOO_MANY"]
    assert [count for *_, count, _, _ in found] == [1, 29]


def test_a_client_that_subscribes_to_all_it_may_is_not_limited(gateway: Gateway, acme: Company) -> None:
    with Conversation(gateway, acme.token("manager")) as client:
        topics = [f"customer_id:{acme.id}:call:{number}" for number in range(1000)]
        for start in range(0, 1000, 100):
            client.send({"type": "subscribe", "topics": topics[start : start + 100]})
        answers = [client.receive() for _ in range(10)]
        assert [each["type"] for each in answers] == ["ack"] * 10
        assert client.before_pong() == []
