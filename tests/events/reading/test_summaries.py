"""Summaries follow the log: a plain count of a generated day finds the same, however they came about."""

# Long because all ways to a summary are compared with one count.

from __future__ import annotations

import copy
import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from django.db import OperationalError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.domain.event import format_timestamp
from events.log import reader
from events.log.publish import publish
from events.models import CustomerLog, Event
from events.reading import summaries as module
from events.reading.summaries import Summaries, brought_up_to_date, build
from events.summary.customer_summary import Summary
from events.summary.figures import queue_figures, total_figures
from events.summary.fold import SummaryFold
from events.summary.profile import CustomerProfile
from subscriptions.models import Customer, Queue
from tests.events.support.people import new_id
from tests.events.support.stored import draft, store

pytestmark = pytest.mark.django_db

SHORT, TARGET = CustomerProfile().targets.short_abandon_seconds, CustomerProfile().targets.target_seconds
COUNTED = ("answered", "answered_in_time", "abandoned", "short_abandoned", "asa_seconds", "aht_seconds")


class Step(NamedTuple):
    """An event of a generated day; `pause` are the seconds since the one before."""

    action: str
    call: int
    queue: int
    pause: int
    extra: str = ""


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(
            ["joined", "joined", "connecting", "connected", "connected", "left", "ended", "status"]
        ),
        st.integers(0, 3),
        st.integers(0, 1),
        st.sampled_from([0, 1, 3, 7, 19, 20, 21, 400, 2000]),
        st.sampled_from(["", "", "abandoned", "transferred", "done"]),
    ),
    max_size=60,
)


def published(customer: str, day: list[Step]) -> list[str]:
    """Publish a day whose last event is now; return the queues' ids."""
    queues, calls, agent = [new_id(), new_id()], [new_id() for _ in range(4)], new_id()
    at = datetime.now(UTC) - timedelta(seconds=sum(step.pause for step in day))
    drafts = []
    for step in day:
        at += timedelta(seconds=step.pause)
        call, queue = calls[step.call], queues[step.queue]
        if step.action == "ended":
            event = ("call.ended", {"id": call, "status": "hangup"})
        elif step.action == "status":
            event = ("agent.status", {"agent_id": agent, "status": step.extra or "available"})
        else:
            reason = {"reason": step.extra} if step.action == "left" and step.extra else {}
            event = (f"queue.{step.action}", {"queue_id": queue, "call_id": call, **reason})
        drafts.append(draft(customer, *event, timestamp=format_timestamp(at)))
    publish(drafts)
    return queues


def plain_count(customer: str, queue: str) -> dict[str, Any]:
    """Count the outcomes of each call's visits to the queue, from the rows of the log."""
    sql = (
        "SELECT resource, event_type, timestamp, ended, tags, body FROM events_event "
        "WHERE customer_id = %s AND (resource = 'call' OR resource_id = %s) ORDER BY seq"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [customer.replace("-", ""), queue])
        rows = cursor.fetchall()
    counts: Counter[str] = Counter()
    waits: list[float] = []
    handled: list[float] = []
    joined: dict[str, datetime] = {}
    connected: dict[str, datetime] = {}
    for resource, event_type, timestamp, ended, tags, body in rows:
        data = json.loads(body)
        call, at = data.get("call_id") or data["id"], datetime.fromisoformat(str(timestamp))
        status = json.loads(tags).get("status")
        is_over = bool(ended)
        if call in connected and (is_over or (resource == "queue" and status != "connected")):
            handled.append((at - connected.pop(call)).total_seconds())
        if is_over:
            began = joined.pop(call, None)
            if began and (resource == "call" or data.get("reason") == "abandoned"):
                is_short = (at - began).total_seconds() < SHORT
                counts["short_abandoned" if is_short else "abandoned"] += 1
        elif status == "connected" and call not in connected:
            waits.append((at - joined.pop(call, at)).total_seconds())
            connected[call] = at
        elif status != "connected":
            joined.setdefault(call, at)
        assert event_type
    return {
        "answered": len(waits),
        "answered_in_time": sum(each <= TARGET for each in waits),
        "abandoned": counts["abandoned"],
        "short_abandoned": counts["short_abandoned"],
        "asa_seconds": round(sum(waits) / len(waits), 1) if waits else None,
        "aht_seconds": round(sum(handled) / len(handled), 1) if handled else None,
        "waiting": len(joined),
        "talking": len(connected),
    }


def plain_agents(customer: str) -> dict[str, int]:
    """Count the agents by their last status, all of which are those of the generated day."""
    sql = (
        "SELECT status, COUNT(*) FROM (SELECT json_extract(tags, '$.status') AS status, "
        "ROW_NUMBER() OVER (PARTITION BY resource_id ORDER BY seq DESC) AS place FROM events_event "
        "WHERE customer_id = %s AND resource = 'agent') AS last WHERE place = 1 GROUP BY status"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [customer.replace("-", "")])
        found = dict(cursor.fetchall())
    available = found.pop("available", 0)
    return {"available": available, "busy": 0, "away": sum(found.values()), "offline": 0}


def of_whole_log(customer: str, upto: int | None = None) -> Summary:
    """The summary that takes each entry of the log, as a process that was there from the beginning."""
    head = reader.head_of(customer)
    last = head.last_seq if upto is None else upto
    summary = Summary(customer, head.epoch, 0, SummaryFold(CustomerProfile()), time.monotonic())
    summary.take(reader.read(customer, head.epoch, after=0, upto=last, limit=1000))
    return summary


def counted(figures: dict[str, Any]) -> dict[str, Any]:
    now = {name: figures[name] for name in ("waiting", "talking")}
    return {**{name: figures["today"][name] for name in COUNTED}, **now}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=steps)
def test_the_figures_are_those_of_a_plain_count(day: list[Step], monkeypatch: pytest.MonkeyPatch) -> None:
    # The day of each example is the hours before now, whatever the time is.
    monkeypatch.setattr(CustomerProfile, "midnight", lambda self, now: (now - 2 * 86_400) // 300 * 300)
    customer = new_id()
    queues = published(customer, day)
    live, now = of_whole_log(customer), time.time() + 1
    for queue in queues:
        assert counted(queue_figures(live.fold, queue, now)) == plain_count(customer, queue)
    assert total_figures(live.fold, now)["agents"] == plain_agents(customer)
    rebuilt = build(customer)
    assert rebuilt.position == live.position
    for queue in queues:
        assert queue_figures(rebuilt.fold, queue, now) == queue_figures(live.fold, queue, now)
    assert total_figures(rebuilt.fold, now) == total_figures(live.fold, now)
    for seq in {len(day) // 2, len(day)} - {0}:
        module.store(of_whole_log(customer, seq))
        resumed = build(customer)
        assert resumed.position == live.position
        assert total_figures(resumed.fold, now) == total_figures(live.fold, now)


def test_states_from_before_the_day_are_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOKBACK_SECONDS", -2 * 86_400)  # Nothing of the log is read.
    customer, queue, call, talks, agent = (new_id() for _ in range(5))
    long_ago = datetime.now(UTC) - timedelta(days=2)
    for seconds, event_type, data in (
        (0, "queue.joined", {"queue_id": queue, "call_id": call}),
        (0, "queue.joined", {"queue_id": queue, "call_id": talks}),
        (5, "queue.connected", {"queue_id": queue, "call_id": talks}),
        (9, "agent.status", {"agent_id": agent, "status": "busy"}),
        (9, "sla.breached", {"queue_id": queue, "id": queue}),
    ):
        at = format_timestamp(long_ago + timedelta(seconds=seconds))
        store(customer, event_type, data, timestamp=at)
    built = build(customer)
    monkeypatch.undo()
    now = time.time()
    found, expected = (
        queue_figures(built.fold, queue, now),
        queue_figures(of_whole_log(customer).fold, queue, now),
    )
    # What was going on earlier is not known; it has not changed since.
    assert {**found, "buckets": []} == {**expected, "buckets": []}
    assert (found["waiting"], found["talking"], found["is_breached"]) == (1, 1, True)
    assert built.fold.statuses() == {agent: "busy"}


def test_a_summary_follows_its_log_and_its_targets() -> None:
    acme = Customer.objects.create(name="Acme", time_zone="Pacific/Auckland")
    queue = Queue.objects.create(customer=acme, name="Sales")
    customer, queue_id = str(acme.pk), str(queue.pk)
    kept = Summaries()

    def figures() -> dict[str, Any]:
        def use(summary: Summary) -> dict[str, Any]:
            assert summary.seq == reader.head_of(customer).last_seq
            summary.profile_read_at = -1000.0
            return queue_figures(summary.fold, queue_id, time.time() + 1)

        return kept.read(customer, use)

    assert figures()["answered"] == 0
    copied = kept.read(customer, copy.deepcopy)
    assert copied.fold.profile == build(customer).fold.profile
    for wait in (10, 30):
        call = {"queue_id": queue_id, "call_id": new_id(), "wait_time": wait}
        store(customer, "queue.joined", call)
        store(customer, "queue.connected", call)
    assert (figures()["answered"], figures()["service_level"]) == (2, 50.0)
    Queue.objects.update(target_seconds=30, name="Support")
    assert (figures()["name"], figures()["service_level"]) == ("Support", 100.0)
    Queue.objects.update(target_percent=95)
    assert figures()["targets"]["target_percent"] == 95
    CustomerLog.objects.update(epoch="0" * 12)
    assert figures()["answered"] == 2


def test_what_the_database_did_not_answer_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", 2)
    customer, queue = new_id(), new_id()
    summary = build(customer)
    CustomerLog.objects.get_or_create(customer_id=customer, defaults={"epoch": summary.epoch})
    summary = build(customer)
    for _ in range(4):
        call = {"queue_id": queue, "call_id": new_id(), "wait_time": 1}
        store(customer, "queue.joined", call)
        store(customer, "queue.connected", call)
    reads, original = [], module.summary_event

    def fails_in_the_third_page(*args: Any) -> Any:
        reads.append(1)
        return original(*args)

    class Broken:
        """The table of events, whose third page cannot be read."""

        pages = 0

        def filter(self, *args: Any, **where: Any) -> Any:
            Broken.pages += 1
            if Broken.pages == 3:
                raise OperationalError("away")
            return Event.objects.filter(*args, **where)

    monkeypatch.setattr(module, "summary_event", fails_in_the_third_page)
    monkeypatch.setattr(module, "Event", SimpleNamespace(objects=Broken()))
    with pytest.raises(OperationalError):
        brought_up_to_date(summary)
    assert summary.seq == 4
    brought_up_to_date(summary)
    assert (summary.seq, len(reads)) == (8, 8)
    assert queue_figures(summary.fold, queue, time.time() + 1)["answered"] == 4


def test_a_stored_summary_of_another_log_or_other_targets_is_not_used() -> None:
    acme = Customer.objects.create(name="Acme")
    queue = str(Queue.objects.create(customer=acme, name="Sales").pk)
    call = {"queue_id": queue, "call_id": new_id(), "wait_time": 25}
    store(str(acme.pk), "queue.joined", call)
    store(str(acme.pk), "queue.connected", call)
    kept = build(str(acme.pk))
    kept.fold.lines[queue].buckets.clear()
    module.store(kept)

    def answered() -> int:
        answered: int = queue_figures(build(str(acme.pk)).fold, queue, time.time() + 1)["answered"]
        return answered

    assert answered() == 0, "it goes on from what was stored"
    Queue.objects.update(target_seconds=30)
    assert answered() == 1
    Queue.objects.update(target_seconds=None)
    assert answered() == 0
    CustomerLog.objects.update(epoch="0" * 12)
    assert answered() == 1


def test_a_request_that_fails_leaves_no_half_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    customer, kept = new_id(), Summaries()
    store(customer, "queue.joined", {"queue_id": "q", "call_id": "c"})
    assert kept.read(customer, lambda summary: summary.seq) == 1
    with pytest.raises(ZeroDivisionError):
        kept.read(customer, lambda summary: 1 // 0)
    assert kept.read(customer, lambda summary: summary.seq) == 1
    assert brought_up_to_date(build(customer)).seq == 1
