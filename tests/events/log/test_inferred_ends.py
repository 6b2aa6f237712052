"""Inferred ends: which calls end, when, with which events, and what corrects them."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from events.domain.call_state import CallStage
from events.log import inferred_ends, lease
from events.log.inferred_ends import end_silent_calls
from events.models import Event, Lease, ResourceState
from tests.events.support.people import new_id
from tests.events.support.stored import store

pytestmark = pytest.mark.django_db

ACME = new_id()
AGENT = new_id()
SILENCE = {
    CallStage.RINGING: timedelta(minutes=10),
    CallStage.WAITING: timedelta(hours=1),
    CallStage.ANSWERED: timedelta(hours=8),
}


def silent_for(**duration: float) -> None:
    """Date all states back."""
    ResourceState.objects.update(stored_at=timezone.now() - timedelta(**duration))


def state(resource_id: str, member_id: str = "") -> ResourceState:
    return ResourceState.objects.get(resource_id=resource_id, member_id=member_id)


def last_events(count: int) -> list[tuple[str, dict[str, Any]]]:
    events = Event.objects.order_by("-seq")[:count]
    return [(event.event_type, json.loads(event.body)) for event in reversed(events)]


def test_a_call_that_rang_and_is_silent_for_too_long_ends_with_its_status_and_its_end() -> None:
    store(ACME, "call.assigned", {"id": "c", "status": "ringing", "agent_id": AGENT})
    store(ACME, "queue.joined", {"queue_id": "q", "call_id": "c"})
    store(ACME, "queue.connected", {"queue_id": "q", "call_id": "c"})
    silent_for(minutes=9)
    assert end_silent_calls(SILENCE) == 0
    silent_for(minutes=11)
    assert end_silent_calls(SILENCE) == 1
    data = {
        "id": "c",
        "status": "hangup",
        "previous_status": "ringing",
        "reason": "no event for 10 minutes while ringing",
        "inferred": True,
    }
    assert last_events(2) == [("call.status", data), ("call.ended", data)]
    assert AGENT in Event.objects.order_by("-seq")[0].agent_ids
    assert not state("c").live
    assert not state("q", "c").live
    assert json.loads(state("c").progress)["inferred"] is True
    assert end_silent_calls(SILENCE) == 0


@pytest.mark.parametrize(
    ("events", "still_live", "ended"),
    [
        pytest.param([("call.created", {"id": "c", "status": "dialing"})], 9, 11, id="dialing"),
        pytest.param([("call.status", {"id": "c", "status": "answered"})], 479, 481, id="answered"),
        pytest.param([("call.status", {"id": "c", "status": "on_hold"})], 479, 481, id="unknown"),
        pytest.param(
            [
                ("call.created", {"id": "c", "status": "ringing"}),
                ("queue.joined", {"queue_id": "q", "call_id": "c"}),
            ],
            59,
            61,
            id="waiting",
        ),
        pytest.param([("queue.joined", {"queue_id": "q", "call_id": "c"})], 59, 61, id="a place alone"),
        pytest.param(
            [("conference.joined", {"conference_id": "f", "call_id": "c"})], 479, 481, id="a conference"
        ),
    ],
)
def test_each_stage_has_its_own_time(
    events: list[tuple[str, dict[str, Any]]], still_live: int, ended: int
) -> None:
    for event_type, data in events:
        store(ACME, event_type, data)
    silent_for(minutes=still_live)
    assert end_silent_calls(SILENCE) == 0
    silent_for(minutes=ended)
    assert end_silent_calls(SILENCE) == 1
    assert not ResourceState.objects.filter(live=True).exists()


def test_a_stage_without_a_time_never_ends() -> None:
    store(ACME, "call.status", {"id": "c", "status": "answered"})
    silent_for(days=400)
    assert end_silent_calls({CallStage.RINGING: timedelta(minutes=10)}) == 0
    assert end_silent_calls({}) == 0


def test_any_event_of_the_call_or_its_places_proves_that_its_source_is_there() -> None:
    store(ACME, "call.status", {"id": "c", "status": "ringing"})
    silent_for(minutes=11)
    store(ACME, "conference.joined", {"conference_id": "f", "call_id": "c"})
    assert end_silent_calls(SILENCE) == 0


def test_a_call_that_is_reported_at_the_last_moment_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    store(ACME, "call.status", {"id": "c", "status": "ringing"})
    silent_for(minutes=11)
    publish = inferred_ends.publish

    def after_another_event(*args: Any, **kwargs: Any) -> Any:
        store(ACME, "call.status", {"id": "c", "status": "ringing"})
        return publish(*args, **kwargs)

    monkeypatch.setattr(inferred_ends, "publish", after_another_event)
    assert end_silent_calls(SILENCE) == 0
    assert state("c").live


def test_a_later_event_corrects_the_end_and_its_agent_has_the_call_again() -> None:
    store(ACME, "call.status", {"id": "c", "status": "answered", "agent_id": AGENT})
    silent_for(hours=9)
    assert end_silent_calls(SILENCE) == 1
    store(ACME, "call.status", {"id": "c", "status": "answered"})
    found = state("c")
    progress = json.loads(found.progress)
    assert found.live
    assert "corrected_at" in progress
    assert "inferred" not in progress
    assert progress["agents"][AGENT][0] == "talking"
    assert AGENT in Event.objects.order_by("-seq")[0].agent_ids


def test_the_states_of_an_earlier_version_have_no_time_of_storing() -> None:
    store(ACME, "call.created", {"id": "c", "status": "ringing"}, timestamp="2026-01-01T10:00:00Z")
    ResourceState.objects.update(stored_at=None, progress="{}")
    assert end_silent_calls(SILENCE) == 1


def test_a_lease_has_one_holder_until_it_ends_or_is_released() -> None:
    one, two, minute = uuid.uuid4(), uuid.uuid4(), timedelta(minutes=1)
    assert lease.hold("task", one, minute)
    assert not lease.hold("task", two, minute)
    assert lease.hold("task", one, minute)
    assert lease.hold("other", two, minute)
    lease.release("task", two)
    assert not lease.hold("task", two, minute)
    lease.release("task", one)
    assert lease.hold("task", two, minute)
    Lease.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert lease.hold("task", one, minute)
    assert not lease.hold("task", two, minute)
