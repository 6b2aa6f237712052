"""The contract between a client and the gateway, over real sockets: connecting, refusals, messages, the end."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import websocket

from tests.journeys.cast import Company, Key, Person, company, new_id, settle
from tests.journeys.conversation import Closed, Conversation, cursors, get, publish
from tests.machinery.gateway import SECRET_KEY, Gateway
from tests.machinery.gateways import Gateways
from tests.machinery.stacks import Stack

ADDRESS = "/v1.0/ws"
JWT_KEY = hashlib.sha256(b"voipbin_ws.jwt:" + SECRET_KEY.encode()).hexdigest()
VOIPBIN_KEY = "the key with which VoIPBIN signs its tokens"


def call(**data: Any) -> dict[str, Any]:
    return {"event_type": "call.status", "data": {"id": new_id(), **data}}


def token_of(agent_id: str, *, key: str = JWT_KEY, algorithm: str = "HS256", **claims: Any) -> str:
    """A token as the gateway issues it, or not quite."""
    return jwt.encode({"sub": agent_id, "exp": time.time() + 3600, **claims}, key, algorithm=algorithm)


@pytest.fixture(scope="module")
def outcasts(gateway_on_each_stack: Gateway) -> Company:
    """A customer with people and keys that are not let in."""
    outcasts = company("Outcasts")
    outcasts.people.append(Person("switched off", role="admin", is_active=False))
    outcasts.keys += [
        Key("revoked", revoked=True),
        Key("expired", expires_in=-1),
        Key("of the switched off", agent_id=outcasts.person("switched off").id),
    ]
    asleep = company("Asleep")
    asleep.is_active = False
    settle(gateway_on_each_stack, outcasts, asleep)
    outcasts.keys.append(Key("of a customer that is switched off", secret=asleep.key("of the customer")))
    outcasts.people.append(Person("of a customer that is switched off", token=asleep.token("admin")))
    return outcasts


REFUSED: dict[str, tuple[Callable[[Company], str], str]] = {
    "none": (lambda _: "", "Send a credential"),
    "nonsense": (lambda _: "?token=nonsense", "neither a JWT nor an access key"),
    "half a token": (lambda of: f"?token={of.token('admin').rpartition('.')[0]}", "neither a JWT"),
    "a changed token": (lambda of: f"?token={_changed(of.token('admin'))}", "not signed by a key"),
    "a stranger's token": (
        lambda of: f"?token={token_of(of.person('admin').id, key='x' * 32)}",
        "not signed by a key",
    ),
    "an unsigned token": (
        lambda of: f"?token={token_of(of.person('admin').id, key='', algorithm='none')}",
        "not valid",
    ),
    "a token of another algorithm": (
        lambda of: f"?token={token_of(of.person('admin').id, algorithm='HS512')}",
        "not valid",
    ),
    "an expired token": (
        lambda of: f"?token={token_of(of.person('admin').id, exp=time.time() - 1)}",
        "expired",
    ),
    "a token without an end": (lambda of: f"?token={token_of(of.person('admin').id, exp=None)}", "not valid"),
    "a token of nobody": (lambda _: f"?token={token_of(new_id())}", "not known"),
    "an unknown key": (lambda _: "?accesskey=vb_" + "0" * 32, "not known"),
    "a revoked key": (lambda of: f"?accesskey={of.key('revoked')}", "revoked"),
    "an expired key": (lambda of: f"?accesskey={of.key('expired')}", "expired"),
    "a key that only publishes": (
        lambda of: f"?accesskey={of.key('that publishes')}",
        "may not open a WebSocket",
    ),
    "a switched off agent's token": (lambda of: f"?token={of.token('switched off')}", "switched off"),
    "a switched off agent's key": (
        lambda of: f"?accesskey={of.key('of the switched off')}",
        "agent is switched off",
    ),
    "a switched off customer's token": (
        lambda of: f"?token={of.token('of a customer that is switched off')}",
        "customer is switched off",
    ),
    "a switched off customer's key": (
        lambda of: f"?accesskey={of.key('of a customer that is switched off')}",
        "customer is switched off",
    ),
    "two": (lambda of: f"?token={of.token('admin')}&accesskey={of.key('of the customer')}", "one credential"),
}


def _changed(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


def refusal_of(gateway: Gateway, query: str, **options: Any) -> tuple[int, dict[str, Any] | None]:
    """Status and JSON body with which a handshake is refused. Raises AssertionError where it is not."""
    try:
        websocket.create_connection(gateway.ws_url + query, timeout=30, **options).close()
    except websocket.WebSocketBadStatusException as refused:
        body = refused.resp_body
        return refused.status_code, json.loads(body) if body and body.startswith(b"{") else None
    raise AssertionError("the handshake was accepted")


@pytest.mark.parametrize("kind", REFUSED)
def test_a_credential_that_is_not_accepted_gets_no_socket_and_a_plain_get_says_why(
    gateway_on_each_stack: Gateway, stack: Stack, outcasts: Company, kind: str
) -> None:
    query_of, said = REFUSED[kind]
    query = query_of(outcasts)
    asked = get(gateway_on_each_stack, "", ADDRESS + query)
    assert asked.status_code == 401
    assert asked.headers["WWW-Authenticate"].startswith("Bearer")
    assert asked.json()["code"] == "UNAUTHORIZED"
    assert said in asked.json()["message"]
    # daphne's handshake has no other refusal than a bare 403.
    expected = (403, None) if stack.server == "daphne" else (401, asked.json())
    assert refusal_of(gateway_on_each_stack, query) == expected


def test_a_header_of_another_scheme_is_refused(gateway_on_each_stack: Gateway, acme: Company) -> None:
    status, _ = refusal_of(gateway_on_each_stack, "", header=["Authorization: Basic YTpi"])
    assert status in (401, 403)


@pytest.mark.parametrize("way", ["token", "accesskey", "Authorization"])
@pytest.mark.parametrize("kind", ["token", "key"])
def test_each_way_to_give_a_credential_opens_a_socket(
    gateway_on_each_stack: Gateway, acme: Company, way: str, kind: str
) -> None:
    credential = acme.token("manager") if kind == "token" else acme.key("of the manager")
    if way == "Authorization":
        query, header = "", [f"Authorization: Bearer {credential}"]
        asked = get(gateway_on_each_stack, credential, ADDRESS)
    else:
        query, header = f"?{way}={credential}", []
        asked = get(gateway_on_each_stack, "", ADDRESS + query)
    assert asked.status_code == 426
    assert asked.json()["code"] == "UPGRADE_REQUIRED"
    socket = websocket.create_connection(gateway_on_each_stack.ws_url + query, timeout=30, header=header)
    socket.send('{"type": "ping"}')
    assert json.loads(socket.recv()) == {"type": "pong", "cursor": None}
    socket.close()


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "file://"])
def test_a_page_of_a_foreign_origin_gets_no_socket(
    gateway_on_each_stack: Gateway, stack: Stack, acme: Company, origin: str
) -> None:
    status, body = refusal_of(gateway_on_each_stack, f"?token={acme.token('manager')}", origin=origin)
    assert status == 403
    if stack.server == "uvicorn":
        assert body is not None
        assert body["code"] == "FORBIDDEN_ORIGIN"
        assert "WEBSOCKET_ORIGINS" in body["message"]


def test_a_page_of_our_own_and_a_program_without_origin_get_one(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    own = {"origin": gateway_on_each_stack.url}
    for options in (own, {"suppress_origin": True}):
        with Conversation(gateway_on_each_stack, acme.token("manager"), **options) as page:
            assert page.before_pong() == []


def test_a_listed_origin_gets_one(gateway: Gateways) -> None:
    serving = gateway("uvicorn", WEBSOCKET_ORIGINS="https://desk.example.com")
    acme = company("Acme")
    settle(serving, acme)
    with Conversation(serving, acme.token("manager"), origin="https://desk.example.com") as page:
        assert page.before_pong() == []
    status, _ = refusal_of(serving, f"?token={acme.token('manager')}", origin="https://desk.example.com.evil")
    assert status == 403


@pytest.mark.parametrize("path", ["/", "/v1.0/ws/", "/v1.0/websocket", "/v2.0/ws"])
def test_there_is_no_socket_at_another_address(
    gateway_on_each_stack: Gateway, stack: Stack, acme: Company, path: str
) -> None:
    address = gateway_on_each_stack.ws_url.replace(ADDRESS, path)
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(f"{address}?token={acme.token('manager')}", timeout=30)
    assert refused.value.status_code == (403 if stack.server == "daphne" else 404)


def test_unsubscribing_ends_what_was_written_and_no_more(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    owner = f"customer_id:{acme.id}"
    key = acme.key("that publishes")
    with Conversation(gateway_on_each_stack, acme.token("manager")) as manager:
        manager.subscribe(f"{owner}:call", f"{owner}:call:*", f"{owner}:message")
        first = manager.ask({"type": "unsubscribe", "topics": [f"{owner}:call"], "request_id": 7})
        assert first == {
            "type": "ack",
            "action": "unsubscribe",
            "topics": [f"{owner}:call"],
            "status": "success",
            "request_id": 7,
        }
        # The other spelling holds on.
        [still] = publish(gateway_on_each_stack, key, call())
        assert cursors(manager.until(still["cursor"])) == [still["cursor"]]

        manager.ask({"type": "unsubscribe", "topics": [f"{owner}:call:*"]})
        _, message = publish(
            gateway_on_each_stack, key, call(), {"event_type": "message.sent", "data": {"id": "x"}}
        )
        assert cursors(manager.until(message["cursor"])) == [message["cursor"]]


def test_a_stranger_cannot_use_our_cursor(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company
) -> None:
    [receipt] = publish(gateway_on_each_stack, acme.key("that publishes"), call())
    with Conversation(gateway_on_each_stack, globex.token("manager")) as stranger:
        ack = stranger.subscribe(f"customer_id:{globex.id}", since=receipt["cursor"])
        assert ack["recovered"] is False
        assert "another" in ack["reason"]
        assert stranger.before_pong() == []


def test_after_a_break_everything_missed_comes_in_order_before_what_is_new(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    key, topic = acme.key("that publishes"), f"customer_id:{acme.id}:call"
    with Conversation(gateway_on_each_stack, acme.token("manager")) as manager:
        last = manager.subscribe(topic)["cursor"]
    missed = publish(gateway_on_each_stack, key, *(call() for _ in range(100)))
    with Conversation(gateway_on_each_stack, acme.token("manager")) as manager:
        ack = manager.subscribe(topic, since=last)
        assert ack["recovered"] is True
        [new] = publish(gateway_on_each_stack, key, call())
        assert cursors(manager.until(new["cursor"])) == cursors([*missed, new])
        assert manager.before_pong() == []


def test_who_hears_several_customers_has_a_cursor_for_each(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company, platform: Company
) -> None:
    of_acme, of_globex = (f"customer_id:{each.id}:call" for each in (acme, globex))
    staff = platform.token("staff")
    with Conversation(gateway_on_each_stack, staff) as conversation:
        both = conversation.subscribe(of_acme, of_globex)["cursor"]
        assert conversation.ask({"type": "ping"})["cursor"] == both
    missed = [
        publish(gateway_on_each_stack, each.key("that publishes"), call())[0]["cursor"]
        for each in (acme, globex, acme, globex)
    ]
    with Conversation(gateway_on_each_stack, staff) as conversation:
        # The cursor of an event speaks of one log alone.
        assert conversation.subscribe(of_acme, of_globex, since=missed[0])["recovered"] is False
    with Conversation(gateway_on_each_stack, staff) as conversation:
        assert conversation.subscribe(of_acme, of_globex, since=both)["recovered"] is True
        assert sorted(cursors(conversation.receive() for _ in missed)) == sorted(missed)
    with Conversation(gateway_on_each_stack, staff) as conversation:
        for topic, before, last in ((of_acme, missed[0], missed[2]), (of_globex, missed[1], missed[3])):
            assert conversation.subscribe(topic, since=before)["recovered"] is True
            assert conversation.receive()["cursor"] == last
        assert conversation.before_pong() == []


def test_batches_hold_events_alone_and_keep_their_order(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    key = acme.key("that publishes")
    with Conversation(gateway_on_each_stack, acme.token("manager"), query="&batch=true") as manager:
        start = manager.subscribe(f"customer_id:{acme.id}:message")["cursor"]
        receipts = publish(gateway_on_each_stack, key, *(call() for _ in range(300)))
        manager.send(
            {"type": "subscribe", "topics": [f"customer_id:{acme.id}:call"], "since": start, "request_id": 1}
        )
        manager.send({"type": "ping", "request_id": "the end"})
        frames: list[Any] = [manager.receive()]
        while not (isinstance(frames[-1], dict) and frames[-1].get("type") == "pong"):
            frames.append(manager.receive())
    batches = [frame for frame in frames if isinstance(frame, list)]
    assert batches
    assert all(len(batch) > 1 for batch in batches)
    events = [
        event
        for frame in frames
        for event in (frame if isinstance(frame, list) else [frame])
        if "event_type" in event
    ]
    assert cursors(events) == cursors(receipts)
    answers = [frame["type"] for frame in frames if isinstance(frame, dict) and "type" in frame]
    assert answers == ["ack", "pong"]


def test_a_new_credential_in_flight_drops_what_it_may_not_hear(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company
) -> None:
    owner = f"customer_id:{acme.id}"
    gil = acme.person("granted agent")
    with Conversation(gateway_on_each_stack, gil.token) as agent:
        agent.subscribe(f"{owner}:message", f"agent_id:{gil.id}")
        for foreign in (
            globex.token("manager"),
            acme.token("manager"),
            acme.key("that publishes"),
            "nonsense",
        ):
            answer = agent.ask({"type": "authenticate", "token": foreign, "request_id": 1})
            assert (answer["type"], answer["code"]) == ("error", "PERMISSION_DENIED")
            assert (answer["action"], answer["request_id"]) == ("authenticate", 1)
        answer = agent.ask({"type": "authenticate", "token": acme.key("of the granted agent")})
        assert answer == {"type": "ack", "action": "authenticate", "topics": [], "status": "success"}
        [receipt] = publish(
            gateway_on_each_stack,
            acme.key("that publishes"),
            {"event_type": "message.sent", "data": {"id": new_id()}},
        )
        assert cursors(agent.until(receipt["cursor"])) == [receipt["cursor"]]


def test_a_connection_ends_with_its_credential_unless_it_was_given_a_new_one(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    for lifetime in (2, 4, 8, 16, 30):
        credential = token_of(acme.person("manager").id, exp=time.time() + lifetime)
        try:
            renewing = Conversation(gateway_on_each_stack, credential)
            renewed = renewing.ask({"type": "authenticate", "token": acme.token("manager")})
            ending = Conversation(gateway_on_each_stack, credential)
        except (websocket.WebSocketBadStatusException, Closed):
            continue  # This machine took longer than the token lasted.
        assert renewed["type"] == "ack"
        with renewing, ending:
            frames, code = ending.until_closed()
            assert code == 4401
            assert [(frame["code"], frame["retry"]) for frame in frames] == [("TOKEN_EXPIRED", True)]
            assert renewing.before_pong() == []
        break
    else:
        pytest.fail("no token lasted long enough to connect")
    with pytest.raises(websocket.WebSocketBadStatusException):
        Conversation(gateway_on_each_stack, credential)


@pytest.mark.parametrize(
    ("permission", "hears"),
    [
        (0x10, {"own agent"}),
        (0x40, {"own agent", "customer"}),
        (0x20, {"own agent", "customer"}),
        (0x30, {"own agent", "customer"}),
        (0x01, {"own agent", "customer", "stranger"}),
    ],
)
def test_voipbins_own_tokens_are_good_for_what_their_bits_say(
    voipbins: Gateway, permission: int, hears: set[str]
) -> None:
    own, stranger, agent = new_id(), new_id(), new_id()
    topics = {
        "own agent": f"agent_id:{agent}",
        "customer": f"customer_id:{own}",
        "stranger": f"customer_id:{stranger}",
    }
    with Conversation(voipbins, voipbin_token(agent, own, permission)) as conversation:
        conversation.send({"type": "subscribe", "topics": list(topics.values())})
        answers = conversation.before_pong()
    granted = {topic for frame in answers if frame["type"] == "ack" for topic in frame["topics"]}
    assert granted == {topics[name] for name in hears}


@pytest.mark.parametrize(
    "changes",
    [
        {"permission": 0},
        {"permission": 0x80},
        {"expire": "2020-01-01T00:00:00.000000Z"},
        {"expire": None},
        {"key": "x" * 40},
    ],
    ids=str,
)
def test_voipbins_tokens_are_refused_where_they_are_not_good(
    voipbins: Gateway, changes: dict[str, Any]
) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException):
        Conversation(voipbins, voipbin_token(new_id(), new_id(), **{"permission": 0x20, **changes}))


def voipbin_token(
    agent_id: str,
    customer_id: str,
    permission: int,
    *,
    expire: str | None = "2099-01-01T00:00:00.000000Z",
    key: str = VOIPBIN_KEY,
) -> str:
    agent = {"id": agent_id, "customer_id": customer_id, "permission": permission}
    return jwt.encode({"type": "agent", "agent": agent, "expire": expire}, key, algorithm="HS256")


@pytest.fixture(scope="module")
def voipbins(gateway_of_file: Gateways) -> Gateway:
    """A gateway that has VoIPBIN's key."""
    return gateway_of_file("uvicorn", VOIPBIN_JWT_KEYS=VOIPBIN_KEY)
