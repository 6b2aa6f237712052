"""Connecting: every kind of credential, every refusal with its reason, origins and addresses."""

# Long because all refusals are in one table.

from __future__ import annotations

import json
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import jwt
import pytest
import websocket

from tests.journeys.support.cast import Company, Key, Person, company, new_id, settle, token_of
from tests.journeys.support.conversation import Conversation, get
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways

ADDRESS = "/v1.0/ws"
VOIPBIN_KEY = "the key with which VoIPBIN signs its tokens"


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
        lambda of: f"?token={token_of(of.person('admin').id, exp=time.time() - 60)}",
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
        parsedate_to_datetime(refused.resp_headers["date"])  # Raises an error unless there is one.
        return refused.status_code, json.loads(body) if body and body.startswith(b"{") else None
    raise AssertionError("the handshake was accepted")


@pytest.mark.parametrize("kind", REFUSED)
def test_a_credential_that_is_not_accepted_gets_no_socket_and_a_plain_get_says_why(
    gateway_on_each_stack: Gateway, outcasts: Company, kind: str
) -> None:
    query_of, said = REFUSED[kind]
    query = query_of(outcasts)
    requested = get(gateway_on_each_stack, "", ADDRESS + query)
    assert requested.status_code == 401
    assert requested.headers["WWW-Authenticate"].startswith("Bearer")
    assert requested.json()["code"] == "UNAUTHORIZED"
    assert said in requested.json()["message"]
    assert refusal_of(gateway_on_each_stack, query) == (401, requested.json())


def test_a_header_of_another_scheme_is_refused(gateway_on_each_stack: Gateway, acme: Company) -> None:
    status, _ = refusal_of(gateway_on_each_stack, "", header=["Authorization: Basic YTpi"])
    assert status == 401


def test_a_credential_in_the_query_and_one_in_the_header_are_refused(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    header = f"Authorization: Bearer {acme.token('manager')}"
    status, body = refusal_of(gateway_on_each_stack, f"?token={acme.token('manager')}", header=[header])
    assert status == 401
    assert body is not None
    assert "one credential" in body["message"]
    websocket.create_connection(gateway_on_each_stack.ws_url + "?token=", timeout=30, header=[header]).close()


def test_a_handshake_for_a_foreign_host_is_refused(gateway_on_each_stack: Gateway, acme: Company) -> None:
    query = f"?token={acme.token('manager')}"
    status, body = refusal_of(gateway_on_each_stack, query, host="evil.example.com")
    assert status == 400
    assert body is not None
    assert "ALLOWED_HOSTS" in body["message"]


@pytest.mark.parametrize("way", ["token", "accesskey", "Authorization"])
@pytest.mark.parametrize("kind", ["token", "key"])
def test_each_way_to_give_a_credential_opens_a_socket(
    gateway_on_each_stack: Gateway, acme: Company, way: str, kind: str
) -> None:
    credential = acme.token("manager") if kind == "token" else acme.key("of the manager")
    if way == "Authorization":
        query, header = "", [f"Authorization: Bearer {credential}"]
        requested = get(gateway_on_each_stack, credential, ADDRESS)
    else:
        query, header = f"?{way}={credential}", []
        requested = get(gateway_on_each_stack, "", ADDRESS + query)
    assert requested.status_code == 426
    assert requested.json()["code"] == "UPGRADE_REQUIRED"
    socket = websocket.create_connection(gateway_on_each_stack.ws_url + query, timeout=30, header=header)
    socket.send('{"type": "ping"}')
    assert json.loads(socket.recv()) == {"type": "pong", "cursor": None}
    socket.close()


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "file://"])
def test_a_page_of_a_foreign_origin_gets_no_socket(
    gateway_on_each_stack: Gateway, acme: Company, origin: str
) -> None:
    status, body = refusal_of(gateway_on_each_stack, f"?token={acme.token('manager')}", origin=origin)
    assert status == 403
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
    gateway_on_each_stack: Gateway, acme: Company, path: str
) -> None:
    address = gateway_on_each_stack.ws_url.replace(ADDRESS, path)
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(f"{address}?token={acme.token('manager')}", timeout=30)
    assert refused.value.status_code == 404


@pytest.mark.parametrize(
    ("permission", "receives"),
    [
        (0x10, {"own agent"}),
        (0x40, {"own agent", "customer"}),
        (0x20, {"own agent", "customer"}),
        (0x30, {"own agent", "customer"}),
        (0x01, {"own agent", "customer", "stranger"}),
    ],
)
def test_voipbins_own_tokens_are_good_for_what_their_bits_say(
    voipbins: Gateway, permission: int, receives: set[str]
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
    assert granted == {topics[name] for name in receives}


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
