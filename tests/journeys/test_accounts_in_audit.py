"""Log-ins, log-outs and changes over REST and in the admin are records of the sealed audit log."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import Company, Person, company, new_id, settle
from tests.journeys.support.operator_browser import PASSWORD, admin_of
from tests.support.gateway import Gateway

ROWS = """
import json
from subscriptions.models import AuditRecord
rows = AuditRecord.objects.exclude(action__in=["connect", "disconnect"]).order_by("pk").values()
print(json.dumps(list(rows), default=str))
"""


@pytest.fixture(scope="module")
def acme(gateway_on_each_stack: Gateway) -> Company:
    acme = company("Acme")
    acme.person("admin").password = PASSWORD
    acme.people.append(Person("mary", password="correct horse 2"))
    settle(gateway_on_each_stack, acme)
    return acme


def records(gateway: Gateway) -> list[dict[str, Any]]:
    out = gateway.manage("shell", "--verbosity", "0", "--command", ROWS)
    return json.loads(out)


def log_in(gateway: Gateway, username: str, password: str) -> int:
    body = {"username": username, "password": password}
    headers = {"User-Agent": "a test"}
    return httpx.post(f"{gateway.url}/auth/login", json=body, headers=headers, timeout=30).status_code


def test_logins_and_failed_logins_are_recorded_with_names_and_addresses(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    gateway, stranger = gateway_on_each_stack, "root2"
    assert log_in(gateway, "mary", "correct horse 2") == 200
    assert [log_in(gateway, stranger, "a secret guess") for _ in range(3)] == [401] * 3
    assert log_in(gateway, "password typed into the name", "a secret guess") == 401
    assert log_in(gateway, "mary", "a secret guess") == 401
    found = records(gateway)
    [good] = [each for each in found if each["credential"] == "user mary" and each["verdict"] == "granted"]
    assert (good["action"], good["verdict"], good["rule"]) == ("login", "granted", "right-password")
    assert (good["customer_id"], good["address"], good["client"]) == (acme.id, "127.0.0.1", "a test")
    bad = [each for each in found if each["credential"] == f"user {stranger}"]
    assert [(each["verdict"], each["rule"]) for each in bad] == [("refused", "wrong-password")]
    [long] = [each for each in found if each["credential"].startswith("user pas…")]
    assert "password typed" not in json.dumps(found)
    assert (long["count"], long["customer_id"]) == (1, None)
    # Of a person of Acme, Acme's admins see it.
    [own] = [each for each in found if each["credential"] == "user mary" and each["verdict"] == "refused"]
    assert (own["customer_id"], own["agent_id"]) == (acme.id, None)
    assert "a secret guess" not in json.dumps(found)
    # The repeats are stored with their number when the process stops.
    gateway.terminate()
    bad = [each for each in records(gateway) if each["credential"] == f"user {stranger}"]
    assert sum(each["count"] for each in bad) == 3
    assert "The chain is whole" in gateway.manage("verify_audit")
    gateway.restart()


def test_changes_over_rest_and_in_the_admin_are_recorded(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    gateway, manager = gateway_on_each_stack, acme.person("manager")
    agent = acme.person("agent")
    answer = httpx.put(
        f"{gateway.url}/v1.0/agents/{agent.id}/status",
        json={"status": "away"},
        headers={"Authorization": f"Bearer {manager.token}"},
        timeout=30,
    )
    assert answer.status_code == 200
    browser = admin_of(gateway, acme)
    browser.post("/admin/subscriptions/queue/add/", {"name": "Sales", "id": new_id()})
    form = {"label": "Backend", "may_publish": "on", "may_subscribe": "on", "expiry": "never"}
    page = browser.post("/admin/subscriptions/accesskey/add/", form)
    [secret] = set(re.findall(r"vb_[A-Za-z0-9]{32}", page.text))
    [key_id] = {
        each["topic"].removeprefix("accesskey:") for each in records(gateway) if "accesskey:" in each["topic"]
    }
    chosen = {"action": "revoke_keys", "_selected_action": key_id, "confirmed": "yes"}
    browser.post("/admin/subscriptions/accesskey/", chosen)
    browser.post(f"/admin/subscriptions/agent/{agent.id}/delete/", {"post": "yes"})
    browser.post("/admin/logout/", {})
    found = [each for each in records(gateway) if each["customer_id"] == acme.id]
    [status, _] = [each for each in found if each["topic"] == f"agent:{agent.id}"]
    assert json.loads(status["changes"]) == {"status": ["offline", "away"]}
    assert status["credential"].startswith("token of manager")
    done = [each for each in found if each["credential"] == "user admin"]
    assert [each["action"] for each in done] == ["login", "add", "add", "change", "delete", "logout"]
    assert [each["topic"] for each in done[2:4]] == [f"accesskey:{key_id}"] * 2
    assert "Revoked." in done[3]["detail"]
    assert done[4]["topic"] == f"agent:{agent.id}"
    assert secret[11:] not in json.dumps(found)
    assert {each["address"] for each in done} == {"127.0.0.1"}
    assert "The chain is whole" in gateway.manage("verify_audit")
