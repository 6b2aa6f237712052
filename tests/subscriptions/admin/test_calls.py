"""The page of a call: all events that name it, who received them, and for whom there is such a page."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from events.models import Event, ResourceState
from subscriptions.models import Agent, Customer, Queue
from tests.events.support.stored import store
from tests.subscriptions.support.admin_client import AdminClient, Page, superuser
from tests.subscriptions.support.people import access_key, agent

pytestmark = pytest.mark.django_db
ADDRESS = "/admin/events/resourcestate/call/"
CALL = "1@host/+49=a"


@pytest.fixture
def ann(acme: Customer) -> Agent:
    return agent(acme)


@pytest.fixture
def call(acme: Customer, ann: Agent) -> str:
    """A call with events of a queue and a conference between others."""
    queue = Queue.objects.create(customer=acme, name="Support")
    own, owner = {"id": CALL, "status": "ringing"}, str(acme.pk)
    store(
        owner, "call.created", {**own, "source": {"type": "tel", "target": "+4940123", "target_name": "Zoë"}}
    )
    store(owner, "queue.joined", {"queue_id": str(queue.pk), "call_id": CALL, "queue_name": "Support"})
    store(owner, "call.created", {"id": "another"})
    store(owner, "queue.joined", {"queue_id": str(queue.pk), "call_id": "another"})
    store(owner, "call.status", {**own, "status": "answered", "agent_id": str(ann.pk)})
    store(owner, "conference.joined", {"id": "c", "conference_id": "c", "call_id": CALL})
    store(owner, "call.ended", {"id": CALL, "status": "hangup", "hangup_reason": "normal"})
    return CALL


def open_call(operator: AdminClient, customer: Customer, call_id: str = CALL, **query: str) -> Page:
    return operator.get(ADDRESS, customer=str(customer.pk), call=call_id, **query)


def test_all_events_that_name_the_call_stand_in_their_order(
    ada: AdminClient, acme: Customer, call: str
) -> None:
    lines = open_call(ada, acme, call).response.context["lines"]
    assert [line.event.event_type for line in lines] == [
        *("call.created", "queue.joined", "call.status", "conference.joined", "call.ended"),
    ]
    assert [line.said for line in lines[2:]] == ["answered", "", "hangup, normal"]


def test_an_event_shows_who_received_it(ada: AdminClient, acme: Customer, ann: Agent, call: str) -> None:
    manager = agent(acme, role="manager")
    key, _ = access_key(acme)
    access_key(acme, may_subscribe=False, may_publish=True)
    event = Event.objects.get(event_type="call.status")
    page = open_call(ada, acme, call, event=str(event.pk))
    recipients = page.response.context["recipients"]
    assert recipients[0]["name"] == ann.name
    assert {each["name"] for each in recipients} == {ann.name, manager.name, "Admin", key.label}
    assert {each["label"] for each in recipients} == {"not delivered"}
    assert "Explain it for another receiver" in page.text


def test_another_customers_call_has_no_page(ada: AdminClient, acme: Customer, call: str) -> None:
    foreign = Customer.objects.create(name="Globex")
    store(str(foreign.pk), "call.created", {"id": "theirs"})
    assert open_call(ada, foreign, "theirs").status == 404
    assert open_call(ada, acme, "theirs").status == 404
    assert open_call(superuser(), foreign, "theirs").status == 200
    for query in ({}, {"customer": "x", "call": "y"}, {"customer": str(acme.pk), "call": "z" * 200}):
        assert ada.get(ADDRESS, **query).status == 400


def test_its_events_and_states_lead_to_it(ada: AdminClient, call: str) -> None:
    link = f"call={quote(CALL, safe='')}"
    for row in (
        Event.objects.get(event_type="conference.joined"),
        Event.objects.get(event_type="call.ended"),
        ResourceState.objects.get(resource="call", resource_id=call),
        ResourceState.objects.get(resource="queue", member_id=call),
    ):
        assert link in ada.open(row).text, row
    assert json.loads(Event.objects.get(event_type="call.ended").body)["id"] == CALL
