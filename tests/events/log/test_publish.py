"""publish(): numbers without holes, whole or not at all, once for a key, announced only after the commit."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from events.domain.cursor import parse_cursor
from events.domain.event import Entry
from events.log import publish as module
from events.log.idempotency import IdempotencyConflict
from events.log.publish import publish
from events.models import CustomerLog, Event, ResourceState
from tests.events.support.people import Company, new_id
from tests.events.support.stored import draft, store

pytestmark = pytest.mark.django_db


def call(customer_id: str, call_id: str = "c", **fields: Any) -> Any:
    return draft(customer_id, "call.status", {"id": call_id}, **fields)


def numbers(customer_id: str) -> list[int]:
    return list(Event.objects.filter(customer_id=customer_id).order_by("seq").values_list("seq", flat=True))


def last_seq(customer_id: str) -> int:
    return CustomerLog.objects.get(customer_id=customer_id).last_seq


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, list[Entry]]]:
    """The arguments of each call of the announcer."""
    calls: list[tuple[str, str, list[Entry]]] = []
    monkeypatch.setattr(module.announcer, "announce", lambda *what: calls.append(what))
    return calls


def test_each_customer_counts_from_one_without_holes() -> None:
    acme, other = new_id(), new_id()
    publish([call(acme), call(other), call(acme)])
    publish([call(acme), call(other)])
    assert (numbers(acme), numbers(other)) == ([1, 2, 3], [1, 2])
    assert (last_seq(acme), last_seq(other)) == (3, 2)


def test_receipts_come_in_the_order_of_the_request() -> None:
    acme, other, agent_id = new_id(), new_id(), new_id()
    receipts = publish([call(acme, "a", agent_ids=[agent_id]), call(other, "b"), call(acme, "d")])
    stored = [Event.objects.get(pk=receipt.id) for receipt in receipts]
    assert [event.resource_id for event in stored] == ["a", "b", "d"]
    for receipt, event in zip(receipts, stored, strict=True):
        log = CustomerLog.objects.get(customer_id=event.customer_id)
        assert parse_cursor(receipt.cursor) == {log.epoch: event.seq}
        assert not receipt.replayed
    assert receipts[0].topics == (f"customer_id:{acme}:call:a", f"agent_id:{agent_id}:call:a")


def test_what_was_stored_is_announced_after_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    acme = new_id()
    depth = len(connection.savepoint_ids)
    calls: list[Entry] = []

    def announce(customer_id: str, epoch: str, entries: list[Entry]) -> None:
        assert len(connection.savepoint_ids) == depth
        assert (customer_id, last_seq(acme)) == (acme, 2)
        calls.extend(entries)

    monkeypatch.setattr(module.announcer, "announce", announce)
    receipts = publish([call(acme, "a"), call(acme, "b")])
    assert [entry.seq for entry in calls] == [1, 2]
    assert [entry.topics for entry in calls] == [receipt.topics for receipt in receipts]
    assert all(f'"id": "{receipt.id}"' in entry.tail for entry, receipt in zip(calls, receipts, strict=True))


@pytest.mark.parametrize("fails", ["StateProjection.store", "insert_rows", "update_rows"])
def test_if_a_step_fails_nothing_is_stored_or_announced(
    fails: str, announced: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = new_id()
    store(acme, "call.status", {"id": "before"})
    announced.clear()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("disk full")

    owner: Any = module
    *path, name = fails.split(".")
    for part in path:
        owner = getattr(owner, part)
    monkeypatch.setattr(owner, name, fail)
    with pytest.raises(DatabaseError):
        publish([call(acme), call(new_id())])
    monkeypatch.undo()
    assert (numbers(acme), last_seq(acme)) == ([1], 1)
    assert ResourceState.objects.count() == 1
    # The other log is empty: it is created before the transaction.
    assert sorted(CustomerLog.objects.values_list("last_seq", flat=True)) == [0, 1]
    assert announced == []
    assert store(acme, "call.status", {"id": "after"}).cursor.endswith(".2")


def test_an_announcer_that_fails_does_not_undo_what_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_layer() -> None:
        raise RuntimeError("no layer")

    monkeypatch.setattr("events.announcements.announcer.get_channel_layer", no_layer)
    acme = new_id()
    assert publish([call(acme)])[0].cursor.endswith(".1")
    assert numbers(acme) == [1]


@pytest.mark.django_db(transaction=True)
def test_an_outer_transaction_that_could_take_it_back_is_refused() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        publish([call(new_id())])
    assert not Event.objects.exists()


# --- Keys ---


def test_the_same_key_again_gives_the_first_event_and_stores_nothing(announced: list[Any]) -> None:
    acme = new_id()
    first = publish([call(acme, idempotency_key="k")])[0]
    announced.clear()
    again = publish([call(acme, idempotency_key="k")])[0]
    assert (again.id, again.cursor, again.topics) == (first.id, first.cursor, first.topics)
    assert (first.replayed, again.replayed) == (False, True)
    assert (numbers(acme), last_seq(acme), announced) == ([1], 1, [])


def test_a_key_twice_in_one_request_is_one_event() -> None:
    acme = new_id()
    first, second, other = publish(
        [call(acme, idempotency_key="k"), call(acme, idempotency_key="k"), call(acme, idempotency_key="l")]
    )
    assert (first.id, first.replayed, second.replayed) == (second.id, False, True)
    assert other.id != first.id
    assert numbers(acme) == [1, 2]


@pytest.mark.parametrize(
    "changed",
    [
        {"data": {"id": "d"}},
        {"data": {"id": "c", "more": 1}},
        {"event_type": "call.ended"},
        {"timestamp": "2024-01-15T10:30:00Z"},
        {"agent_ids": [new_id()]},
    ],
    ids=lambda changed: next(iter(changed)),
)
@pytest.mark.parametrize("at_once", [False, True])
def test_a_key_for_another_event_is_a_conflict_and_nothing_of_the_request_is_stored(
    changed: dict[str, Any], at_once: bool
) -> None:
    acme = new_id()
    first = call(acme, idempotency_key="k")
    fields = {"event_type": "call.status", "data": {"id": "c"}, **changed}
    second = draft(acme, fields.pop("event_type"), fields.pop("data"), idempotency_key="k", **fields)
    if not at_once:
        publish([first])
    with pytest.raises(IdempotencyConflict) as conflict:
        publish([call(acme, "x"), first, second] if at_once else [call(acme, "x"), second])
    assert conflict.value.index == (2 if at_once else 1)
    assert numbers(acme) == ([] if at_once else [1])


def test_the_order_of_fields_is_no_other_event() -> None:
    acme = new_id()
    one = draft(acme, "call.status", {"id": "c", "a": 1, "b": 2}, idempotency_key="k")
    two = draft(acme, "call.status", {"b": 2, "a": 1, "id": "c"}, idempotency_key="k")
    assert publish([one])[0].id == publish([two])[0].id


def test_two_customers_may_use_the_same_key() -> None:
    acme, other = new_id(), new_id()
    first, second = publish([call(acme, idempotency_key="k"), call(other, idempotency_key="k")])
    assert first.id != second.id
    assert (numbers(acme), numbers(other)) == ([1], [1])


def test_a_repeated_request_may_bring_something_new_with_it() -> None:
    acme = new_id()
    first = publish([call(acme, "a", idempotency_key="k")])[0]
    receipts = publish([call(acme, "b"), call(acme, "a", idempotency_key="k"), call(acme, "d")])
    assert [receipt.replayed for receipt in receipts] == [False, True, False]
    assert [receipt.cursor.split(".")[1] for receipt in receipts] == ["2", "1", "3"]
    assert receipts[1].id == first.id


# --- Whom it concerns ---


def test_a_queues_event_concerns_the_agents_who_serve_it() -> None:
    acme, other = Company(), Company("Other")
    queue, foreign = acme.customer.queues.create(name="q"), other.customer.queues.create(name="q")
    serving, idle, away = acme.person(), acme.person(), acme.person(is_active=False)
    for agent in (serving, away):
        acme.customer.agents.get(pk=agent.agent_id).queues.add(queue)
    other.customer.agents.get(pk=other.person().agent_id).queues.add(foreign)

    def topics(queue_id: str) -> tuple[str, ...]:
        return store(acme.id, "queue.joined", {"queue_id": queue_id, "call_id": "c"}).topics

    queue_id = str(queue.pk)
    assert topics(queue_id) == (
        f"customer_id:{acme.id}:queue:{queue_id}",
        f"agent_id:{serving.agent_id}:queue:{queue_id}",
    )
    assert topics(str(foreign.pk)) == (f"customer_id:{acme.id}:queue:{foreign.pk}",)
    assert topics("no-uuid") == (f"customer_id:{acme.id}:queue:no-uuid",)
    assert idle.agent_id not in str(Event.objects.values_list("agent_ids"))


# --- What it costs ---


def test_many_events_cost_few_statements() -> None:
    acme = new_id()
    store(acme, "call.status", {"id": "c"})
    with CaptureQueriesContext(connection) as one:
        publish([call(acme)])
    with CaptureQueriesContext(connection) as many:
        publish([call(acme, f"c{number}") for number in range(500)])
    assert len(many) == len(one)
    assert numbers(acme) == list(range(1, 503))
