"""The admin pages of events, states and logs: search, display, and no changes."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.models import CustomerLog, Event, ResourceState
from subscriptions.models import Agent, Customer
from tests.subscriptions.support.admin_client import AdminClient, Page, address, admin_of, superuser
from tests.subscriptions.support.people import agent, customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> AdminClient:
    return superuser()


@pytest.fixture
def acme() -> Customer:
    return customer()


def event(owner: Customer, seq: int = 1, **fields: Any) -> Event:
    now = timezone.now()
    defaults = {
        "event_type": "call.created",
        "resource": "call",
        "resource_id": f"call-{seq}",
        "timestamp": now,
        "stored_at": now,
        "body": "{}",
    }
    return Event.objects.create(id=uuid.uuid4(), customer_id=owner.pk, seq=seq, **{**defaults, **fields})


def state(owner: Customer, **fields: Any) -> ResourceState:
    now = timezone.now()
    defaults = {
        "resource": "call",
        "resource_id": "call-1",
        "live": True,
        "event_type": "call.created",
        "body": "{}",
    }
    return ResourceState.objects.create(
        customer_id=owner.pk, seq=1, since=now, updated_at=now, **{**defaults, **fields}
    )


def found(page: Page) -> list[Any]:
    return [row.pk for row in page.response.context["cl"].result_list]


def test_an_event_shows_its_topics_its_cursor_and_its_data(root: AdminClient, acme: Customer) -> None:
    ann = agent(acme)
    log = CustomerLog.objects.create(customer_id=acme.pk, last_seq=5)
    row = event(
        acme, 5, agent_ids=str(ann.pk), body='{"id": "call-5", "source": {"target": "+1555"}, "n": "é"}'
    )
    text = root.open(row).text
    for shown in (
        f"customer_id:{acme.pk}:call:call-5",
        f"agent_id:{ann.pk}:call:call-5",
        f"{log.epoch}.5",
        "&quot;target&quot;: &quot;+1555&quot;",
        "é",
        f">{ann.name}</a>",
    ):
        assert shown in text


def test_what_was_published_is_shown_as_text(root: AdminClient, acme: Customer) -> None:
    evil = "<script>alert(1)</script>"
    row = event(acme, body=f'{{"id": "{evil}"}}')
    standing = state(acme, body=f'{{"id": "{evil}"}}')
    for page in (root.open(row), root.open(standing)):
        assert evil not in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text


def test_a_foreign_agents_name_is_not_shown(acme: Customer) -> None:
    stranger = agent(customer("Globex"))
    Agent.objects.filter(pk=stranger.pk).update(name="Someone of Globex")
    row = event(acme, agent_ids=str(stranger.pk))
    desk, _ = admin_of(acme)
    for page in (desk.open(row), superuser().open(row)):
        assert "Someone of Globex" not in page.text
        assert str(stranger.pk) in page.text


def test_an_event_whose_log_is_gone_is_shown(root: AdminClient, acme: Customer) -> None:
    assert "number 1 of a log that was deleted" in root.open(event(acme)).text


def test_an_event_is_found_by_what_is_known_of_it(root: AdminClient, acme: Customer) -> None:
    ann = agent(acme)
    event(customer("Globex"), 1, resource_id="other", event_type="message.sent", resource="message")
    wanted = event(acme, 7, agent_ids=str(ann.pk))
    for text in (str(wanted.pk), "call-7", "acme", str(acme.pk), str(ann.pk), "call.created", "acme call-7"):
        assert found(root.list(Event, q=text)) == [wanted.pk], text
    assert found(root.list(Event, q="call-8")) == []


@pytest.mark.parametrize(
    ("name", "value"), [("resource", "message"), ("event_type", "message.sent"), ("period", "1h")]
)
def test_events_are_filtered(root: AdminClient, acme: Customer, name: str, value: str) -> None:
    event(acme, 1, stored_at=timezone.now() - timezone.timedelta(hours=5))
    wanted = event(acme, 2, resource="message", event_type="message.sent")
    assert found(root.list(Event, **{name: value})) == [wanted.pk]


def test_filters_offer_what_occurred_in_ones_own_log(acme: Customer) -> None:
    event(acme, 1)
    event(customer("Globex"), 1, resource="message", event_type="message.sent")
    desk, _ = admin_of(acme)
    assert "call.created" in desk.list(Event).text
    assert "message.sent" not in desk.list(Event).text
    assert "message.sent" in superuser().list(Event).text


def test_the_newest_event_comes_first(root: AdminClient, acme: Customer) -> None:
    other = customer("Globex")
    rows = [event(acme, 1), event(other, 1), event(acme, 2)]
    assert found(root.list(Event)) == [row.pk for row in reversed(rows)]
    assert found(root.list(Event, customer=str(acme.pk))) == [rows[2].pk, rows[0].pk]


def test_states_are_filtered_by_life(root: AdminClient, acme: Customer) -> None:
    live, ended = state(acme), state(acme, resource_id="call-2", live=False)
    assert found(root.list(ResourceState, live="yes")) == [live.pk]
    assert found(root.list(ResourceState, live="no")) == [ended.pk]
    assert found(root.list(ResourceState, q="call-2")) == [ended.pk]


def test_a_log_is_found_by_its_epoch(root: AdminClient, acme: Customer) -> None:
    log = CustomerLog.objects.create(customer_id=acme.pk)
    CustomerLog.objects.create(customer_id=uuid.uuid4())
    assert found(root.list(CustomerLog, q=log.epoch)) == [acme.pk]


def test_events_cannot_be_changed(root: AdminClient, acme: Customer) -> None:
    rows: list[Model] = [event(acme), state(acme), CustomerLog.objects.create(customer_id=acme.pk)]
    for row in rows:
        before = type(row).objects.values().get()
        assert root.post(address(type(row), "add"), {"seq": "9"}).status == 403
        assert root.post(address(row, "change"), {"seq": "9"}).status == 403
        assert root.post(address(row, "delete"), {"post": "yes"}).status == 403
        root.act("delete_selected", [row])
        assert type(row).objects.values().get() == before
        assert 'name="_save"' not in root.open(row).text


@pytest.mark.parametrize("model", [Event, ResourceState, CustomerLog])
def test_lists_never_read_all_rows(root: AdminClient, model: type[Model]) -> None:
    for number in range(60):
        owner = customer(f"Customer {number}")
        event(owner)
        state(owner)
        CustomerLog.objects.create(customer_id=owner.pk)
    with CaptureQueriesContext(connection) as captured:
        assert root.list(model).rows == 50
    queries = [
        each["sql"] for each in captured.captured_queries if f'FROM "{model._meta.db_table}"' in each["sql"]
    ]
    assert queries
    assert [sql for sql in queries if "LIMIT" not in sql] == []
    assert len(captured.captured_queries) < 15
