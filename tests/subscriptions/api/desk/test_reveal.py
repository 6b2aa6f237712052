"""Revealing the numbers of a call or message: who may, how often, and what is recorded."""

from __future__ import annotations

import pytest
from django.utils import timezone

from subscriptions.api.desk.reveal import MAX_REVEALED, PERIOD
from subscriptions.models import AuditRecord, Customer
from tests.events.support.people import ClientInfo, Company

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+491701234567"
CALL = "/v1.0/calls/a-call"
MESSAGE = "/v1.0/messages/a-message"


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
    events = [
        {"event_type": "call.created", "data": data},
        {"event_type": "message.received", "data": {**data, "id": "a-message", "text": "Hello"}},
    ]
    assert made.key(may_publish=True).post("/v1.0/events", events).status == 201
    return made


def reveal(by: ClientInfo, call: str = CALL) -> tuple[int, str]:
    answer = by.post(f"{call}/reveal", {})
    return answer.status, answer.body.get("code", "")


@pytest.mark.parametrize("address", [CALL, MESSAGE])
def test_a_role_that_may_reveals_the_numbers(acme: Company, address: str) -> None:
    manager = acme.person("manager")
    everything, _, resource_id = address.rpartition("/")
    assert NUMBER[3:] not in manager.get(everything).text
    answer = manager.post(f"{address}/reveal", {})
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    resource = resource_id.removeprefix("a-")
    assert answer.body == {
        f"{resource}_id": resource_id,
        "number": NUMBER,
        "source": "0170 1234567",
        "destination": "+493012345678",
    }
    record = AuditRecord.objects.get(action="reveal")
    assert (record.verdict, record.topic) == ("granted", f"customer_id:{acme.id}:{resource}:{resource_id}")
    assert (str(record.agent_id), str(record.customer_id)) == (manager.agent_id, acme.id)
    assert NUMBER[3:] not in f"{record.detail}{record.changes}"


def test_others_reveal_nothing_and_the_try_is_recorded(acme: Company) -> None:
    agent = acme.person(granted_resources=["call", "message"])
    key = acme.key(masks_numbers=True)
    tries = [reveal(each, address) for each in (agent, key) for address in (CALL, MESSAGE)]
    assert tries == [(403, "PERMISSION_DENIED")] * 4
    assert (
        list(AuditRecord.objects.filter(action="reveal").values_list("verdict", flat=True)) == ["refused"] * 4
    )
    me = agent.get("/v1.0/me").body
    assert (me["masks_numbers"], me["may_reveal_numbers"]) == (True, False)


@pytest.mark.parametrize("address", [CALL, MESSAGE])
def test_what_is_not_visible_is_not_found(acme: Company, address: str) -> None:
    unknown = address.replace("a-", "unknown-")
    # The address of a message finds no call.
    other = {CALL: "/v1.0/calls/a-message", MESSAGE: "/v1.0/messages/a-call"}[address]
    stranger = Company().person("manager")
    tries = [(acme.person("manager"), unknown), (acme.person("manager"), other)]
    tries += [(stranger, address), (acme.person(), address)]
    assert {reveal(by, of) for by, of in tries} == {(404, "NOT_FOUND")}


def test_a_person_reveals_few_numbers_at_once(acme: Company) -> None:
    manager = acme.person("manager")
    assert {reveal(manager, [CALL, MESSAGE][place % 2]) for place in range(MAX_REVEALED)} == {(200, "")}
    assert reveal(manager) == (429, "RATE_LIMITED")
    # Each of its credentials counts.
    assert reveal(acme.key(manager)) == (429, "RATE_LIMITED")
    assert reveal(acme.person("manager")) == (200, "")
    AuditRecord.objects.update(at=timezone.now() - PERIOD)
    assert reveal(manager) == (200, "")
