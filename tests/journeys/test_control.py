"""The control API on both servers: rows by the platform's ids, rights that end at a customer, and keys."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import Company, Key, Person, company, new_id, settle
from tests.journeys.support.conversation import Conversation, get, post
from tests.support.answers import check_answer
from tests.support.gateway import Gateway

BASE = "/v1.0/control"


@pytest.fixture(scope="module")
def cast(gateway_on_each_stack: Gateway) -> tuple[Company, Company, Company]:
    platform = Company("Platform", [Person("staff", role="staff")], [])
    everybody = (company("Acme"), company("Globex"), platform)
    for each in everybody[:2]:
        each.keys.append(Key("that controls", may_control=True, may_publish=True))
        calls = f"customer_id:{each.id}:call:*"
        each.keys.append(Key("narrowed", may_control=True, allowed_topics=[calls]))
    settle(gateway_on_each_stack, *everybody)
    return everybody


def ask(gateway: Gateway, credential: str, method: str, path: str, body: Any = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {credential}"}
    answer = httpx.request(method, f"{gateway.url}{BASE}/{path}", json=body, headers=headers, timeout=30)
    sent = answer.request.content
    check_answer(method, f"{BASE}/{path}", sent, answer.status_code, answer.content or b"null")
    return answer


def problems(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 400, answer.text
    return {each["field"]: each["message"] for each in answer.json()["errors"]}


def test_a_platform_creates_a_customer_with_all_that_it_needs(
    gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company]
) -> None:
    gateway, staff = gateway_on_each_stack, cast[2].token("staff")
    customer, queue, agent, key = new_id(), new_id(), new_id(), new_id()
    login = f"ann-{agent[:8]}"
    requests: list[tuple[str, dict[str, Any]]] = [
        (
            f"customers/{customer}",
            {"name": "Initech", "region": "US", "max_connections": 5, "time_zone": "Europe/Berlin"},
        ),
        (f"queues/{queue}", {"customer_id": customer, "name": "Support", "target_seconds": 30}),
        (
            f"agents/{agent}",
            {
                "customer_id": customer,
                "name": "Ann",
                "username": login,
                "password": "correct horse battery",
                "queue_ids": [queue],
                "granted_resources": ["message"],
            },
        ),
        (f"access-keys/{key}", {"customer_id": customer, "label": "Wallboard", "may_publish": True}),
    ]
    created = [ask(gateway, staff, "PUT", *each) for each in requests]
    assert [each.status_code for each in created] == [201] * 4, [each.text for each in created]
    again = [ask(gateway, staff, "PUT", *each) for each in requests]
    assert [each.status_code for each in again] == [200] * 4
    secret = created[3].json().pop("secret")
    assert "secret" not in again[3].text
    for path, _ in requests:
        assert ask(gateway, staff, "GET", path).status_code == 200
    ours = ask(gateway, staff, "GET", f"queues?customer_id={customer}").json()
    assert [(each["id"], each["target_seconds"]) for each in ours["items"]] == [(queue, 30)]
    token = post(gateway, "", {"username": login, "password": "correct horse battery"}, "/auth/login").json()
    with Conversation(gateway, token["token"]) as client:
        client.subscribe(f"agent_id:{agent}")
    assert get(gateway, secret, "/v1.0/me").json()["customer"]["name"] == "Initech"
    changed = ask(gateway, staff, "PATCH", f"agents/{agent}", {"role": "manager"})
    assert (changed.json()["role"], changed.json()["queue_ids"]) == ("manager", [queue])
    assert ask(gateway, staff, "DELETE", f"access-keys/{key}").status_code == 204
    assert get(gateway, secret, "/v1.0/me").status_code == 401
    assert ask(gateway, staff, "DELETE", f"customers/{customer}").status_code == 204
    assert ask(gateway, staff, "GET", f"agents/{agent}").status_code == 404


def test_another_customer_is_neither_found_nor_listed_nor_changed(
    gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company]
) -> None:
    gateway, (acme, globex, _) = gateway_on_each_stack, cast
    bob = globex.person("manager").id
    for credential in (acme.key("that controls"), acme.token("admin")):
        for path in (f"agents/{bob}", f"queues/{globex.queues[0]}"):
            bodies: dict[str, Any] = {"PUT": {"name": "X", "username": "x"}, "PATCH": {"name": "X"}}
            bodies["PUT"] = bodies["PUT"] if path.startswith("agents") else {"name": "X"}
            for method in ("GET", "PUT", "PATCH", "DELETE"):
                assert ask(gateway, credential, method, path, bodies.get(method)).status_code == 404, path
        for kind in ("queues", "agents", "access-keys", "opt-outs"):
            for query in ("", f"?customer_id={globex.id}"):
                listed = ask(gateway, credential, "GET", f"{kind}{query}").json()["items"]
                assert {each["customer_id"] for each in listed} <= {acme.id}
        refused = ask(
            gateway, credential, "PUT", f"queues/{new_id()}", {"name": "X", "customer_id": globex.id}
        )
        assert "no such customer" in problems(refused)["customer_id"]
        assert ask(gateway, credential, "GET", "customers").status_code == 403
        assert ask(gateway, credential, "PUT", f"customers/{acme.id}", {"name": "X"}).status_code == 403
    for credential in (acme.token("manager"), acme.token("agent"), acme.key("of the customer")):
        assert ask(gateway, credential, "GET", "queues").status_code == 403


def test_no_credential_grants_more_than_it_has(
    gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company]
) -> None:
    gateway, acme = gateway_on_each_stack, cast[0]
    narrowed, calls = acme.key("narrowed"), f"customer_id:{acme.id}:call:*"
    body = {"label": "more", "allowed_topics": [calls]}
    made = ask(gateway, narrowed, "POST", "access-keys", body)
    assert made.status_code == 201, made.text
    for more in (
        {"allowed_topics": []},
        {"allowed_topics": [f"customer_id:{acme.id}:*:*"]},
        {"may_publish": True},
    ):
        [refused] = problems(ask(gateway, narrowed, "POST", "access-keys", {**body, **more}))
        assert refused == next(iter(more))
    wide = ask(gateway, acme.key("that controls"), "POST", "access-keys", {"label": "wide"}).json()["id"]
    assert problems(ask(gateway, narrowed, "POST", f"access-keys/{wide}/rotate", {}))
    login = {"name": "Eve", "username": "eve", "password": "correct horse battery", "role": "admin"}
    assert ask(gateway, narrowed, "PUT", f"agents/{new_id()}", login).status_code == 403
    staff = ask(gateway, acme.key("that controls"), "PUT", f"agents/{new_id()}", {**login, "role": "staff"})
    assert "only the platform" in problems(staff)["role"]


def test_a_key_is_rotated_and_its_predecessor_ends_with_the_overlap(
    gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company]
) -> None:
    gateway, controls = gateway_on_each_stack, cast[0].key("that controls")
    old = ask(gateway, controls, "POST", "access-keys", {"label": "rotated"}).json()
    new = ask(gateway, controls, "POST", f"access-keys/{old['id']}/rotate", {"overlap_seconds": 0})
    assert (new.status_code, new.json()["replaces"]) == (201, old["id"])
    assert get(gateway, old["secret"], "/v1.0/me").status_code == 401
    assert get(gateway, new.json()["secret"], "/v1.0/me").status_code == 200


def test_errors_name_each_field_and_what_is_right(
    gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company]
) -> None:
    gateway, controls = gateway_on_each_stack, cast[0].key("that controls")
    found = problems(ask(gateway, controls, "PUT", f"agents/{new_id()}", {"nmae": "X", "role": "king"}))
    assert "did you mean name" in found["nmae"]
    assert set(found) == {"nmae", "name", "username", "role"}
    found = problems(
        ask(
            gateway,
            controls,
            "PUT",
            f"agents/{new_id()}",
            {
                "name": "X",
                "username": "x",
                "queue_ids": [new_id()],
                "granted_resources": ["nothing"],
            },
        )
    )
    assert "nothing" in found["granted_resources"]
    assert "id" in problems(ask(gateway, controls, "PUT", "queues/one", {"name": "X"}))
    staff, customer = cast[2].token("staff"), f"customers/{cast[0].id}"
    found = problems(ask(gateway, staff, "PATCH", customer, {"time_zone": "Mars", "target_percent": 101}))
    assert "Europe/Berlin" in found["time_zone"]
    assert "100" in found["target_percent"]
    assert "limit" in problems(ask(gateway, controls, "GET", "queues?limit=0"))


def test_many_rows_are_imported_and_foreign_lines_refused(
    gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company]
) -> None:
    gateway, (acme, globex, _) = gateway_on_each_stack, cast
    ours, foreign = new_id(), new_id()
    rows: list[dict[str, Any]] = [
        {"resource": "queue", "id": ours, "name": "Support"},
        {"resource": "queue", "id": foreign, "name": "Support", "customer_id": globex.id},
        {"resource": "customer", "id": globex.id, "name": "Taken"},
    ]

    def send(lines: list[dict[str, Any]], query: str = "") -> dict[str, Any]:
        content = "\n".join(map(json.dumps, lines))
        headers = {"Authorization": f"Bearer {acme.key('that controls')}"}
        address = f"{gateway.url}{BASE}/import{query}"
        answer = httpx.post(address, content=content, headers=headers, timeout=30)
        check_answer("POST", f"{BASE}/import{query}", "", answer.status_code, answer.content)
        report: dict[str, Any] = answer.json()
        return report

    assert send(rows[:1], "?dry_run=true")["counts"] == {"created": 1}
    assert ask(gateway, acme.key("that controls"), "GET", f"queues/{ours}").status_code == 404
    report = send(rows)
    assert report["counts"] == {"failed": 2, "not_stored": 1}
    assert [(each["line"], each["field"]) for each in report["errors"]] == [
        (2, "customer_id"),
        (3, "resource"),
    ]
    assert send(rows[:1])["counts"] == {"created": 1}
    assert ask(gateway, acme.key("that controls"), "GET", f"queues/{ours}").status_code == 200


def test_lists_are_read_in_pages_and_numbers_opt_out(
    gateway_on_each_stack: Gateway, cast: tuple[Company, Company, Company]
) -> None:
    gateway, controls = gateway_on_each_stack, cast[0].key("that controls")
    numbers = [f"+1555123456{digit}" for digit in range(3)]
    for number in numbers:
        assert ask(gateway, controls, "PUT", f"opt-outs/{number}", {}).status_code == 201
        assert ask(gateway, controls, "PUT", f"opt-outs/{number}", {}).status_code == 200
    found, page = [], ask(gateway, controls, "GET", "opt-outs?limit=2").json()
    found += page["items"]
    found += ask(gateway, controls, "GET", f"opt-outs?limit=2&after={page['next']}").json()["items"]
    assert [each["number"] for each in found] == numbers
    assert ask(gateway, controls, "DELETE", f"opt-outs/{numbers[0]}").status_code == 204
    assert ask(gateway, controls, "GET", f"opt-outs/{numbers[0]}").status_code == 404
