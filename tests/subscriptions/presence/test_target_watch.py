"""The watch over targets publishes each breach and each clearance once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.domain.event import format_timestamp
from events.log.publish import publish
from events.models import CustomerLog, Event, StoredSummary
from events.summary.counts import BUCKET_SECONDS, HOUR_BUCKETS
from events.summary.profile import CustomerProfile
from subscriptions.models import Customer, Queue
from subscriptions.presence import target_watch as module
from subscriptions.presence.target_watch import TargetWatch
from tests.events.support.people import new_id
from tests.events.support.stored import store
from tests.subscriptions.support.people import agent, customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Customer:
    return customer("Acme")


@pytest.fixture
def queue(acme: Customer) -> Queue:
    return Queue.objects.create(customer=acme, name="Sales")


def answered(queue: Queue, count: int, wait_seconds: int, **fields: Any) -> None:
    for _ in range(count):
        call = {"queue_id": str(queue.pk), "call_id": new_id(), "wait_time": wait_seconds}
        store(str(queue.customer_id), "queue.joined", call, **fields)
        store(str(queue.customer_id), "queue.connected", call, **fields)
        store(str(queue.customer_id), "queue.left", call | {"reason": "done"}, **fields)


def published() -> list[tuple[str, dict[str, Any]]]:
    events = Event.objects.filter(resource="sla").order_by("seq")
    return [(event.event_type, json.loads(event.body)) for event in events]


def test_a_breach_is_published_once_and_cleared_once(queue: Queue) -> None:
    Queue.objects.update(target_percent=50)
    watch = TargetWatch()
    answered(queue, 5, 21)
    assert watch.round() == 1
    assert watch.round() == 0
    [(event_type, data)] = published()
    since = data.pop("since")
    assert (event_type, data) == (
        "sla.breached",
        {
            "queue_id": str(queue.pk),
            "id": str(queue.pk),
            "queue_name": "Sales",
            "service_level": 0.0,
            "target_percent": 50,
            "target_seconds": 20,
            "waiting": 0,
            "longest_wait_seconds": 0,
        },
    )
    answered(queue, 5, 1)
    assert watch.round() == 0, "50 per cent is not above the margin"
    answered(queue, 1, 1)
    assert watch.round() == 1
    event_type, data = published()[-1]
    assert (event_type, data["service_level"]) == ("sla.cleared", 54.5)
    assert abs(datetime.fromisoformat(data["since"]) - datetime.fromisoformat(since)) < timedelta(seconds=1)


def test_two_that_take_themselves_for_the_holder_publish_it_once(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(queue, 5, 21)
    one, other = TargetWatch(), TargetWatch()
    original = module._publish

    def interrupted(*args: Any, **options: Any) -> bool:
        monkeypatch.setattr(module, "_publish", original)
        assert other.round() == 1
        return original(*args, **options)

    monkeypatch.setattr(module, "_publish", interrupted)
    assert one.round() == 0
    assert [event_type for event_type, _ in published()] == ["sla.breached"]
    assert one.round() == other.round() == 0


def test_a_process_that_takes_over_knows_what_was_published(queue: Queue) -> None:
    watch = TargetWatch()
    answered(queue, 5, 21)
    assert watch.round() == 1
    watch.forget()
    assert watch.round() == TargetWatch().round() == 0


def test_a_breach_ends_when_no_caller_is_left_in_the_hour(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CUSTOMERS_SECONDS", -1.0)
    monkeypatch.setattr(CustomerProfile, "midnight", lambda self, now: (now - 86_400) // 300 * 300)
    hour = datetime.now(UTC) - timedelta(seconds=HOUR_BUCKETS * BUCKET_SECONDS)
    answered(queue, 5, 21, timestamp=format_timestamp(hour))
    store(str(queue.customer_id), "sla.breached", {"queue_id": str(queue.pk), "id": str(queue.pk)})
    assert TargetWatch().round() == 1
    event_type, data = published()[-1]
    assert event_type == "sla.cleared"
    assert "service_level" not in data


def test_a_breach_reaches_the_agents_of_the_queue_and_no_other_customer(acme: Customer, queue: Queue) -> None:
    person, stranger = agent(acme), customer("Globex")
    queue.agents.set([person])
    answered(queue, 5, 21)
    assert TargetWatch().round() == 1
    [event] = Event.objects.filter(resource="sla")
    assert event.agent_ids == str(person.pk)
    assert not CustomerLog.objects.filter(pk=stranger.pk).exists()


def test_a_customer_that_only_the_platform_knows_is_watched_with_the_defaults() -> None:
    strange, queue = new_id(), new_id()
    for _ in range(5):
        call = {"queue_id": queue, "call_id": new_id(), "wait_time": 60}
        store(strange, "queue.joined", call)
        store(strange, "queue.connected", call)
    assert TargetWatch().round() == 1
    [(_, data)] = published()
    assert "queue_name" not in data


def test_what_could_not_be_published_is_tried_again_and_holds_up_no_other_customer(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Queue.objects.create(customer=customer("Globex"), name="Sales")
    for each in (queue, other):
        answered(each, 5, 21)
    watch, failed = TargetWatch(), []

    def fails_once(*args: Any, **options: Any) -> Any:
        if not failed:
            failed.append(1)
            raise ZeroDivisionError
        return publish(*args, **options)

    monkeypatch.setattr(module, "publish", fails_once)
    assert [watch.round(), watch.round(), watch.round()] == [1, 1, 0]


def test_a_long_log_is_stored_from_time_to_time_for_other_processes(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NUMBERS_TO_STORE", 4)
    watch = TargetWatch()
    answered(queue, 1, 1)
    watch.round()
    assert not StoredSummary.objects.exists()
    answered(queue, 2, 1)
    watch.round()
    assert StoredSummary.objects.get().seq == 9
