"""A narrowed access key publishes only within its restriction, and VoIPBIN's tokens grant only accepted roles."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
import pytest

from tests.journeys.support.cast import Company, Key, Person, company, new_id, settle
from tests.journeys.support.conversation import get, post
from tests.journeys.support.operator_browser import PASSWORD, OperatorBrowser
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.stacks import Stack

VOIPBIN_KEY = "the key with which VoIPBIN signs its tokens"


@pytest.fixture(scope="module")
def gateway(gateway_of_file: Gateways, stack: Stack) -> Gateway:
    return gateway_of_file(
        stack.server,
        postgres=stack.shared,
        redis=stack.shared,
        VOIPBIN_JWT_KEYS=VOIPBIN_KEY,
        VOIPBIN_TOKEN_ROLES="agent,manager,admin",
    )


@pytest.fixture(scope="module")
def acme(gateway: Gateway) -> Company:
    customer_id, agent_id = new_id(), new_id()
    acme = Company(
        "Acme",
        [Person("ann", id=agent_id)],
        [
            Key("queues", may_publish=True, allowed_topics=[f"customer_id:{customer_id}:queue:*"]),
            Key("one call", may_publish=True, allowed_topics=[f"customer_id:{customer_id}:call:c1"]),
            Key("an agent's", may_publish=True, allowed_topics=[f"agent_id:{agent_id}:*:*"]),
        ],
        id=customer_id,
    )
    settle(gateway, acme)
    return acme


@pytest.fixture(scope="module")
def globex(gateway: Gateway) -> Company:
    globex = company("Globex")
    settle(gateway, globex)
    return globex


def event(resource: str, resource_id: str, **more: Any) -> dict[str, Any]:
    return {"event_type": f"{resource}.created", "data": {"id": resource_id}, **more}


def test_a_narrowed_key_publishes_what_its_topics_cover(gateway: Gateway, acme: Company) -> None:
    assert post(gateway, acme.key("queues"), event("queue", "q1")).status_code == 201
    assert post(gateway, acme.key("queues"), [event("queue", "q1"), event("queue", "q2")]).status_code == 201
    assert post(gateway, acme.key("one call"), event("call", "c1")).status_code == 201


@pytest.mark.parametrize(
    ("key", "body", "refused"),
    [
        ("queues", event("call", "c1"), [0]),
        ("queues", [event("queue", "q1"), event("call", "c1"), event("message", "m1")], [1, 2]),
        ("one call", event("call", "c2"), [0]),
        ("an agent's", event("call", "c1"), [0]),
    ],
)
def test_a_narrowed_key_publishes_nothing_else(
    gateway: Gateway, acme: Company, key: str, body: Any, refused: list[int]
) -> None:
    before = get(gateway, acme.token("ann"), "/v1.0/events").json()["cursor"]
    if key == "an agent's":
        body = {**body, "agent_ids": [acme.person("ann").id]}
    answer = post(gateway, acme.key(key), body)
    assert answer.status_code == 403, answer.text
    assert answer.json()["code"] == "PERMISSION_DENIED"
    assert "publishes only what its allowed topics cover" in answer.json()["message"]
    assert [each["index"] for each in answer.json()["errors"]] == refused
    assert get(gateway, acme.token("ann"), "/v1.0/events").json()["cursor"] == before


def test_a_webhook_is_published_within_the_restriction_too(gateway: Gateway, acme: Company) -> None:
    def webhook(kind: str, key: str) -> int:
        body = {"type": kind, "data": {"id": new_id(), "customer_id": acme.id}}
        return post(gateway, acme.key(key), json.dumps(body), "/v1.0/webhooks/voipbin").status_code

    assert webhook("call_created", "queues") == 403
    assert webhook("queue_created", "queues") == 201


def test_the_keys_of_another_customer_publish_as_before(gateway: Gateway, globex: Company) -> None:
    assert post(gateway, globex.key("that publishes"), event("call", "c1")).status_code == 201


def voipbin_token(agent_id: str, customer_id: str, permission: int) -> str:
    claims = {
        "type": "agent",
        "agent": {"id": agent_id, "customer_id": customer_id, "permission": permission},
        "iat": time.time(),
        "exp": time.time() + 3600,
    }
    return jwt.encode(claims, VOIPBIN_KEY, algorithm="HS256")


def test_tokens_of_voipbin_grant_no_role_that_is_not_accepted(
    gateway: Gateway, acme: Company, globex: Company
) -> None:
    def me(permission: int, path: str = "/v1.0/me") -> Any:
        return get(gateway, voipbin_token(acme.person("ann").id, acme.id, permission), path)

    assert me(0x20).json()["role"] == "admin"
    assert me(0x01 | 0x20).json()["role"] == "admin"
    assert me(0x01 | 0x20, f"/v1.0/me?customer_id={globex.id}").status_code == 403
    refused = me(0x01)
    assert refused.status_code == 401
    assert "VOIPBIN_TOKEN_ROLES" in refused.json()["message"]
    # As with all tokens, logging out ends it.
    token = voipbin_token(acme.person("ann").id, acme.id, 0x40)
    assert post(gateway, token, {}, "/auth/logout").status_code == 200
    assert get(gateway, token, "/v1.0/me").status_code == 401


def test_an_admin_occupies_no_id_of_another_customer(gateway: Gateway, globex: Company) -> None:
    boss = Person("boss", role="admin", password=PASSWORD, uses_admin=True)
    settle(gateway, Company("Initech", [boss], []))
    browser = OperatorBrowser(gateway, boss.name)
    # An agent of Globex that only VoIPBIN knows, and one that has a row and a user here.
    unknown, known = new_id(), globex.person("agent")
    token = voipbin_token(unknown, globex.id, 0x10)
    assert get(gateway, token, "/v1.0/me").status_code == 200
    before = get(gateway, known.token, "/v1.0/me").json()["agent"]
    form = {
        "role": "agent",
        "status": "offline",
    }
    names = {unknown: "nina", known.id: "globex-agent"}
    for id_, name in names.items():
        added = {**form, "name": name, "username": name, "id": id_, "is_active": "on"}
        assert "/invitation/#" in browser.post("/admin/subscriptions/agent/add/", added).text
        assert browser.get("/admin/subscriptions/agent/", q=name).text.count(f">{name}@initech-") == 1
        assert browser.get(f"/admin/subscriptions/agent/{id_}/change/").status_code == 302
    queue = globex.queues[0]
    assert browser.post("/admin/subscriptions/queue/add/", {"name": "Sales", "id": queue}).status_code == 302
    assert browser.get(f"/admin/subscriptions/queue/{queue}/change/").status_code == 302
    assert get(gateway, token, "/v1.0/me").status_code == 200
    assert get(gateway, known.token, "/v1.0/me").json()["agent"] == before


def test_two_credentials_in_one_request_are_refused(gateway: Gateway, acme: Company, globex: Company) -> None:
    path = f"/v1.0/me?token={acme.key('queues')}"
    assert get(gateway, globex.token("agent"), path).status_code == 401
    assert get(gateway, "", f"{path}&accesskey={globex.key('of the customer')}").status_code == 401
    event_path = f"/v1.0/events?token={acme.key('queues')}"
    assert post(gateway, globex.key("that publishes"), event("queue", "q1"), event_path).status_code == 401
