"""Virtual time runs each action once at its time, and events carry the time of their recording."""

from __future__ import annotations

import pytest

from tests.voipbin_ws.demo.simulation.support.simulated_days import START
from voipbin_ws.demo.simulation.model.event_recorder import EventRecorder
from voipbin_ws.demo.simulation.model.tenants import ACME


@pytest.fixture
def recorder() -> EventRecorder:
    return EventRecorder(ACME.id, "time", START)


def test_actions_run_once_in_the_order_of_their_times_and_then_of_scheduling(recorder: EventRecorder) -> None:
    ran: list[tuple[str, float]] = []
    for name, seconds in (("third", 2.0), ("first", 1.0), ("second", 1.0), ("not yet", 3.5)):
        recorder.after(seconds, lambda name=name: ran.append((name, recorder.seconds)))  # type: ignore[misc]
    recorder.run(3.0)
    recorder.run(3.0)
    assert ran == [("first", 1.0), ("second", 1.0), ("third", 2.0)]
    assert (recorder.seconds, recorder.next_at()) == (3.0, 3.5)


def test_a_cancelled_action_neither_runs_nor_counts_as_next(recorder: EventRecorder) -> None:
    ran: list[str] = []
    first = recorder.after(1.0, lambda: ran.append("first"))
    second = recorder.after(2.0, lambda: ran.append("second"))
    recorder.after(3.0, lambda: ran.append("third"))
    first.cancel()
    assert recorder.next_at() == 2.0
    second.cancel()
    recorder.run(2.5)
    assert (ran, recorder.next_at()) == ([], 3.0)
    recorder.run(3.0)
    assert (ran, recorder.next_at()) == (["third"], None)


def test_an_action_may_cancel_another_that_is_due_at_the_same_time(recorder: EventRecorder) -> None:
    ran: list[str] = []
    recorder.after(1.0, lambda: other.cancel())
    other = recorder.after(1.0, lambda: ran.append("other"))
    recorder.run(1.0)
    assert ran == []


def test_an_event_is_an_item_to_publish_with_its_time_key_and_agents(recorder: EventRecorder) -> None:
    recorder.run(1.5)
    recorder.record("call.created", {"id": "c"})
    recorder.record("call.assigned", {"id": "c"}, ("anna",))
    created, assigned = recorder.take()
    data = {"customer_id": ACME.id, "id": "c"}
    assert created.item() == {
        "event_type": "call.created",
        "customer_id": ACME.id,
        "data": data,
        "timestamp": "2026-01-05T09:00:01.500000Z",
        "idempotency_key": created.key,
    }
    assert assigned.item()["agent_ids"] == ["anna"]
    assert created.key != assigned.key
    assert recorder.take() == []


def test_time_never_runs_backwards(recorder: EventRecorder) -> None:
    recorder.run(5.0)
    recorder.run(3.0)
    recorder.after(-1.0, lambda: None)
    assert (recorder.seconds, recorder.next_at()) == (5.0, 5.0)
