"""Revealing the numbers of a call: who may, how often, and what is recorded."""

from __future__ import annotations

import pytest
from django.utils import timezone

from subscriptions.api.desk.reveal import MAX_REVEALED, PERIOD
from subscriptions.models import AuditRecord, Customer
from tests.events.support.people import ClientInfo, Company

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+491701234567"
CALL = "/v1.0/calls/a-call"


@pytest.fixture
def acme() -> Company:
    """Managers see masked numbers and may reveal them; agents may not."""
    made = Company()
    Customer.objects.filter(pk=made.id).update(
        masked_roles=["agent", "manager"],
        revealing_roles=["manager"],
        region="DE",
    )
    data = {
        "id": "a-call",
        "direction": "inbound",
        "source": {"type": "tel", "target": "0170 1234567"},
        "destination": "+493012345678",
    }
    event = {"event_type": "call.created", "data": data}
    assert made.key(may_publish=True).post("/v1.0/events", event).status == 201
    return made


def reveal(by: ClientInfo, call: str = CALL) -> tuple[int, str]:
    answer = by.post(f"{call}/reveal", {})
    return answer.status, answer.body.get("code", "")


def test_a_role_that_may_reveals_the_numbers_of_a_call(acme: Company) -> None:
    manager = acme.person("manager")
    assert NUMBER[3:] not in manager.get("/v1.0/calls").text
    answer = manager.post(f"{CALL}/reveal", {})
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.body == {
        "call_id": "a-call",
        "number": NUMBER,
        "source": "0170 1234567",
        "destination": "+493012345678",
    }
    record = AuditRecord.objects.get(action="reveal")
    assert (record.verdict, record.topic) == ("granted", f"customer_id:{acme.id}:call:a-call")
    assert (str(record.agent_id), str(record.customer_id)) == (manager.agent_id, acme.id)
    assert NUMBER[3:] not in f"{record.detail}{record.changes}"


def test_others_reveal_nothing_and_the_try_is_recorded(acme: Company) -> None:
    agent = acme.person(granted_resources=["call"])
    key = acme.key(masks_numbers=True)
    assert [reveal(each) for each in (agent, key)] == [(403, "PERMISSION_DENIED")] * 2
    assert (
        list(AuditRecord.objects.filter(action="reveal").values_list("verdict", flat=True)) == ["refused"] * 2
    )
    me = agent.get("/v1.0/me").body
    assert (me["masks_numbers"], me["may_reveal_numbers"]) == (True, False)


def test_calls_that_are_not_visible_are_not_found(acme: Company) -> None:
    assert reveal(acme.person("manager"), "/v1.0/calls/unknown") == (404, "NOT_FOUND")
    stranger = Company().person("manager")
    assert reveal(stranger) == (404, "NOT_FOUND")
    assert reveal(acme.person()) == (404, "NOT_FOUND")


def test_a_person_reveals_few_calls_at_once(acme: Company) -> None:
    manager = acme.person("manager")
    assert {reveal(manager) for _ in range(MAX_REVEALED)} == {(200, "")}
    assert reveal(manager) == (429, "RATE_LIMITED")
    # Each of its credentials counts.
    assert reveal(acme.key(manager)) == (429, "RATE_LIMITED")
    assert reveal(acme.person("manager")) == (200, "")
    AuditRecord.objects.update(at=timezone.now() - PERIOD)
    assert reveal(manager) == (200, "")
