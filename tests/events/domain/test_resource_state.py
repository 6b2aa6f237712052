"""The fold: state_cases.json, which the pages' modules pass too, and whom an event concerns by the states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest

from events.domain.call_state import CallStage, stage_of
from events.domain.resource_state import (
    Addressed,
    Key,
    StateEvent,
    apply,
    changes_state,
    ends_call,
    ends_members,
    key_of,
    member_of,
)
from events.domain.state import State
from tests.events.support.state_cases import CASES
from tests.events.support.state_memory import Memory

A = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
B = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"


def event_of(item: Mapping[str, Any]) -> StateEvent:
    resource = item["event_type"].partition(".")[0]
    resource_id = item["data"].get(f"{resource}_id") or item["data"]["id"]
    return StateEvent(
        item["event_type"],
        resource_id,
        item["data"],
        item["at"],
        tuple(item["agent_ids"]) if "agent_ids" in item else None,
    )


def call(action: str, second: int, **data: Any) -> StateEvent:
    return event_of(
        {
            "event_type": f"call.{action}",
            "at": f"2026-01-01T10:00:{second:02}.000000Z",
            "data": {"id": "x", **data},
        }
    )


def queue(action: str, second: int, **data: Any) -> StateEvent:
    place = {"queue_id": "q", "call_id": "x", **data}
    return event_of(
        {"event_type": f"queue.{action}", "at": f"2026-01-01T10:00:{second:02}.000000Z", "data": place}
    )


def addressed(*events: StateEvent) -> Addressed:
    """Return the agents of the last event."""
    states = Memory()
    return [apply(event, states) for event in events][-1]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_events_lead_to_these_states(case: dict[str, Any]) -> None:
    states = Memory()
    for item in case["events"]:
        apply(event_of(item), states)
    for address, expected in case["states"].items():
        found = json.loads(json.dumps(asdict(states[Key(*address.split(" "))])))
        assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_state_is_restored_from_its_row_after_each_event(case: dict[str, Any]) -> None:
    states, stored = Memory(), Memory()
    for item in case["events"]:
        apply(event_of(item), states)
        apply(event_of(item), stored)
        for key, state in stored.items():
            copy = State(state.since, state.live, state.event_type, state.updated_at, state.data)
            copy.size = len(json.dumps(state.data))
            if progress := state.progress():
                copy.read_progress(json.loads(json.dumps(progress)))
            stored[key] = copy
    assert stored == states


@pytest.mark.parametrize(
    ("event_type", "changes"),
    [("call.created", True), ("agent.status", True), ("message.sent", True), ("call.test", False)],
)
def test_only_a_test_event_changes_no_state(event_type: str, changes: bool) -> None:
    assert changes_state(event_type) is changes


@pytest.mark.parametrize(
    ("resource", "data", "member"),
    [
        ("queue", {"queue_id": "q", "call_id": "c"}, "c"),
        ("conference", {"conference_id": "f", "call_id": "c"}, "c"),
        ("conference", {"conference_id": "f"}, ""),
        ("queue", {"queue_id": "q", "call_id": None}, ""),
        ("queue", {"queue_id": "q", "call_id": 5}, ""),
        ("queue", {"queue_id": "q", "call_id": "x" * 200}, "x" * 128),
        ("recording", {"id": "r", "call_id": "c"}, ""),
        ("call", {"id": "c", "call_id": "c"}, ""),
    ],
)
def test_a_call_has_a_place_of_its_own_in_a_queue_or_conference(
    resource: str, data: dict[str, Any], member: str
) -> None:
    assert member_of(resource, data) == member
    assert key_of(f"{resource}.joined", "id", data) == (resource, "id", member)


@pytest.mark.parametrize(
    ("events", "agents"),
    [
        pytest.param([call("assigned", 1, agent_id=A), call("ended", 2)], (A,), id="the end"),
        pytest.param(
            [call("assigned", 1, agent_id=A), call("status", 2, status="hangup"), call("ended", 2)],
            (A,),
            id="the event after the end",
        ),
        pytest.param(
            [call("assigned", 1, agent_id=A), call("assigned", 2, agent_id=B)], (A, B), id="a transfer"
        ),
        pytest.param(
            [call("assigned", 1, agent_id=A), call("assigned", 2, agent_id=B), call("ended", 3)],
            (B,),
            id="the end elsewhere",
        ),
        pytest.param(
            [call("assigned", 1, agent_id=A), call("status", 2, agent_id=None)], (A,), id="taken away"
        ),
        pytest.param(
            [call("assigned", 1, agent_id=A), queue("joined", 0), queue("connected", 2, agent_id=B)],
            (A, B),
            id="the queue connects elsewhere",
        ),
        pytest.param(
            [queue("connecting", 1, agent_id=A), queue("left", 2)], (A,), id="without a call's events"
        ),
        pytest.param(
            [
                call("assigned", 1, agent_id=A, status="answered"),
                call("ended", 2, inferred=True),
                call("status", 3, status="answered"),
            ],
            (A,),
            id="an end that was wrong",
        ),
    ],
)
def test_an_event_concerns_the_agents_of_the_state(events: list[StateEvent], agents: tuple[str, ...]) -> None:
    assert addressed(*events).agents == agents


def test_the_end_of_a_call_names_the_places_that_it_ended() -> None:
    assert addressed(queue("joined", 1), call("ended", 2)).ended_places == (("queue", "q", "x"),)
    assert addressed(queue("joined", 1), queue("left", 2), call("ended", 3)).ended_places == ()


def test_a_state_remembers_few_past_agents() -> None:
    states = Memory()
    for number in range(120):
        apply(call("assigned", 1, agent_id=f"aaaaaaaa-aaaa-4aaa-8aaa-{number:012}"), states)
    agents = states[Key("call", "x")].agents
    assert len(agents) == 50
    assert list(agents.values())[-1].phase == "offered"


@pytest.mark.parametrize(
    ("status", "is_waiting", "stage"),
    [
        ("", False, CallStage.RINGING),
        ("dialing", False, CallStage.RINGING),
        ("ringing", True, CallStage.WAITING),
        ("answered", True, CallStage.WAITING),
        ("answered", False, CallStage.ANSWERED),
        ("on_hold", False, CallStage.ANSWERED),
    ],
)
def test_a_calls_stage_decides_how_long_its_source_may_be_silent(
    status: str, is_waiting: bool, stage: CallStage
) -> None:
    assert stage_of(State(since="", status=status), is_waiting=is_waiting) is stage


@pytest.mark.parametrize(
    ("live", "data", "status", "phases"),
    [
        (True, {"status": "answered", "agent_id": A}, "answered", {A: "talking"}),
        (True, {"status": "ringing", "agent_id": A}, "ringing", {A: "offered"}),
        (True, {"status": 5}, "", {}),
        (False, {"status": "answered", "agent_id": A}, "answered", {}),
    ],
)
def test_the_state_of_an_older_version_follows_from_its_data(
    live: bool, data: dict[str, Any], status: str, phases: dict[str, str]
) -> None:
    state = State("", live, updated_at="then", data=data)
    state.read_progress({})
    assert (state.status, state.ended_at) == (status, "" if live else "then")
    assert {agent: phase for agent, (phase, _) in state.agents.items()} == phases


def test_events_that_end_a_call_or_the_members_of_a_queue() -> None:
    assert ends_call("call.ended", {})
    assert ends_call("call.status", {"status": "busy"})
    assert not ends_call("call.status", {"status": ["busy"]})
    assert not ends_call("recording.ended", {})
    assert ends_members("queue.deleted", "")
    assert not ends_members("queue.deleted", "c")


def test_an_event_of_a_queue_that_names_no_agent_changes_no_agent() -> None:
    states = Memory()
    apply(call("assigned", 1, agent_id=A), states)
    apply(queue("moved", 2), states)
    assert list(states[Key("call", "x")].agents) == [A]


def test_progress_that_a_newer_version_stored_is_read_as_far_as_it_is_known() -> None:
    state = State(since="2026-01-01T10:00:00.000000Z")
    state.read_progress({"status": "ringing", "of_a_newer_version": 1})
    assert (state.status, state.agents) == ("ringing", {})
