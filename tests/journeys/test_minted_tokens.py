"""Minted tokens on both servers: at most the rights of their minter, and no longer than it has them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import Company, Key, Person, company, settle
from tests.journeys.support.conversation import Conversation, get, post, publish
from tests.journeys.test_control import ask, problems
from tests.support.gateway import Gateway


@pytest.fixture(scope="module")
def cast(gateway_on_each_stack: Gateway) -> tuple[Company, Company, Company]:
    platform = Company("Platform", [Person("staff", role="staff")], [])
    acme, globex = company("Acme"), company("Globex")
    for each in (acme, globex):
        each.keys.append(Key("that controls", may_control=True, may_publish=True))
        calls = f"customer_id:{each.id}:call:*"
        each.keys.append(Key("narrowed", may_control=True, allowed_topics=[calls]))
    settle(gateway_on_each_stack, acme, globex, platform)
    return acme, globex, platform


def mint(gateway: Gateway, credential: str, **body: Any) -> httpx.Response:
    return ask(gateway, credential, "POST", "tokens", body)


@pytest.fixture
def fresh_key(gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company]) -> tuple[str, str]:
    """The id and secret of a key that a test may revoke."""
    body = {"label": "backend", "may_control": True}
    made = ask(gateway_on_each_stack, cast[0].key("that controls"), "POST", "access-keys", body).json()
    return made["id"], made["secret"]


def test_a_browser_receives_what_its_token_names_and_nothing_else(
    gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company]
) -> None:
    gateway, (acme, globex, _) = gateway_on_each_stack, cast
    calls = f"customer_id:{acme.id}:call:*"
    made = mint(gateway, acme.key("that controls"), allowed_topics=[calls])
    assert made.status_code == 201, made.text
    token = made.json()["token"]
    assert get(gateway, token, "/v1.0/me").json()["topics"] == [calls]
    with Conversation(gateway, token) as client:
        client.subscribe(calls)
        for other in (f"customer_id:{acme.id}:message:*", f"customer_id:{globex.id}:call:*"):
            assert client.ask({"type": "subscribe", "topics": [other]})["type"] == "error"
        for key, kind in ((acme, "message.created"), (globex, "call.created"), (acme, "call.created")):
            publish(
                gateway, key.key("that publishes"), {"event_type": kind, "data": {"id": f"{key.name}-{kind}"}}
            )
        assert client.receive()["data"]["id"] == "Acme-call.created"
    event = {"event_type": "call.created", "data": {"id": "of a browser"}}
    assert post(gateway, token, event).status_code == 403
    assert ask(gateway, token, "GET", "queues").status_code == 403
    assert mint(gateway, token, allowed_topics=[calls]).status_code == 403


def test_no_token_has_more_than_its_minter(
    gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company]
) -> None:
    gateway, (acme, globex, platform) = gateway_on_each_stack, cast
    narrowed, calls = acme.key("narrowed"), f"customer_id:{acme.id}:call:*"
    assert mint(gateway, narrowed, allowed_topics=[calls]).status_code == 201
    for field, body in (
        ("allowed_topics", {"allowed_topics": [f"customer_id:{acme.id}:*:*"]}),
        ("allowed_topics", {"agent_id": acme.person("agent").id}),
        ("may_publish", {"allowed_topics": [calls], "may_publish": True}),
        ("agent_id", {"agent_id": globex.person("agent").id, "allowed_topics": [calls]}),
        ("customer_id", {"customer_id": globex.id, "allowed_topics": [calls]}),
        ("lifetime_seconds", {"allowed_topics": [calls], "lifetime_seconds": 3601}),
        ("allowed_topics", {}),
        ("filter", {"allowed_topics": [calls], "filter": {"op": "same"}}),
        ("topics", {"topics": [calls]}),
    ):
        assert field in problems(mint(gateway, narrowed, **body)), body
    staff = platform.token("staff")
    assert "name the customer" in problems(mint(gateway, staff, allowed_topics=[calls]))["customer_id"]
    theirs = mint(
        gateway,
        staff,
        customer_id=globex.id,
        allowed_topics=[f"customer_id:{globex.id}:*:*"],
        may_publish=True,
    ).json()["token"]
    assert get(gateway, theirs, "/v1.0/me").json()["customer"]["id"] == globex.id
    assert post(gateway, theirs, {"event_type": "call.created", "data": {"id": "1"}}).status_code == 201
    for credential in (acme.token("agent"), acme.token("manager"), acme.key("of the customer")):
        assert mint(gateway, credential, allowed_topics=[calls]).status_code == 403


def test_a_token_of_an_agent_receives_what_the_agent_receives(
    gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company]
) -> None:
    gateway, acme = gateway_on_each_stack, cast[0]
    agent = acme.person("agent").id
    token = mint(gateway, acme.key("that controls"), agent_id=agent).json()["token"]
    assert get(gateway, token, "/v1.0/me").json()["agent"]["id"] == agent
    with Conversation(gateway, token) as client:
        client.subscribe(f"agent_id:{agent}:*:*")
        assert (
            client.ask({"type": "subscribe", "topics": [f"customer_id:{acme.id}:call:*"]})["type"] == "error"
        )
    everywhere = post(gateway, token, {"everywhere": True}, "/auth/logout")
    assert (everywhere.status_code, get(gateway, token, "/v1.0/me").status_code) == (403, 200)


def test_a_token_ends_alone_with_its_minter_and_with_its_minters_rights(
    gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company], fresh_key: tuple[str, str]
) -> None:
    gateway, acme, (key_id, secret) = gateway_on_each_stack, cast[0], fresh_key
    controls, calls = acme.key("that controls"), f"customer_id:{acme.id}:call:*"
    first, second = (mint(gateway, secret, allowed_topics=[calls]).json()["token"] for _ in range(2))
    with Conversation(gateway, first) as ended, Conversation(gateway, second) as client:
        client.subscribe(calls)
        assert post(gateway, first, {}, "/auth/logout").status_code == 200
        assert ended.until_closed()[1] == 4403
        messages = [f"customer_id:{acme.id}:message:*"]
        ask(gateway, controls, "PATCH", f"access-keys/{key_id}", {"allowed_topics": messages})
        assert client.until_closed()[1] == 4403
    assert "get a new token" in get(gateway, second, "/v1.0/me").json()["message"]
    third = mint(gateway, secret, allowed_topics=messages).json()["token"]
    with Conversation(gateway, third) as client:
        client.subscribe(*messages)
        ask(gateway, controls, "DELETE", f"access-keys/{key_id}")
        assert client.until_closed()[1] == 4403
    assert get(gateway, third, "/v1.0/me").status_code == 401


def test_a_token_is_limited_by_the_filter_of_its_minter(
    gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company]
) -> None:
    gateway, acme = gateway_on_each_stack, cast[0]
    ringing = {"field": "status", "op": "eq", "value": "ringing"}
    body = {"label": "filtered", "may_control": True, "filter": ringing}
    secret = ask(gateway, acme.key("that controls"), "POST", "access-keys", body).json()["secret"]
    calls = f"customer_id:{acme.id}:call:*"
    assert "filter" in problems(mint(gateway, secret, allowed_topics=[calls]))
    both = {"op": "and", "filters": [ringing, {"field": "direction", "op": "eq", "value": "inbound"}]}
    token = mint(gateway, secret, allowed_topics=[calls], filter=both).json()["token"]
    with Conversation(gateway, token) as client:
        client.subscribe(calls)
        for call, status, direction in (
            ("1", "answered", "inbound"),
            ("2", "ringing", "outbound"),
            ("3", "ringing", "inbound"),
        ):
            data = {"id": f"filtered-{call}", "status": status, "direction": direction}
            publish(gateway, acme.key("that publishes"), {"event_type": "call.status", "data": data})
        assert client.receive()["data"]["id"] == "filtered-3"
