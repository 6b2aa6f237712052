"""A call's state: it only moves forward, and its end is final."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from events.domain.state import (
    AgentPhase,
    State,
    current_agents,
    end_agents,
    name_agents,
    named_in,
    release,
    restore_agents,
)

ENDING_ACTIONS = frozenset({"ended", "completed", "deleted"})
NOTE_ACTION = "noted"
"""The action by which an agent adds a disposition and a note. It changes nothing else of a call."""

NOTE_FIELDS = ("id", "disposition", "note")
FINAL_STATUSES = frozenset({"hangup", "busy", "failed", "no-answer", "canceled"})
"""The statuses after which nothing follows, as in the published API and at common providers."""

_RANKS: Mapping[str, int] = {
    "dialing": 1,
    "ringing": 2,
    "answered": 3,
    "canceling": 4,
    "terminating": 4,
    **dict.fromkeys(FINAL_STATUSES, 5),
}
"""The order in which a call moves through the known statuses. A call that was answered never rings again: a
transfer rings at another agent, which is that agent's phase."""


class CallStage(StrEnum):
    """What a call is doing, by which its source may be silent for a shorter or longer time."""

    RINGING = "ringing"
    WAITING = "waiting"
    ANSWERED = "answered"


_STATUS_FIELDS = ("status", "previous_status")
_INFERRED_FIELDS = ("status", "previous_status", "inferred", "reason")


def is_final(action: str, data: Mapping[str, Any]) -> bool:
    """Return whether an event of a call ends it."""
    status = data.get("status")
    if isinstance(status, str) and status in FINAL_STATUSES:
        return action != NOTE_ACTION
    return action in ENDING_ACTIONS


def stage_of(state: State, *, is_waiting: bool) -> CallStage:
    """Return the stage of a live call; `is_waiting`: in a queue, not connected.

    Unknown statuses count as answered.
    """
    if is_waiting:
        return CallStage.WAITING
    return CallStage.RINGING if state.status in ("", "dialing", "ringing") else CallStage.ANSWERED


def apply_to_call(
    state: State | None,
    event_type: str,
    action: str,
    data: Mapping[str, Any],
    at: str,
    named_agents: tuple[str, ...] | None,
) -> State:
    """Return the call's state after an event of its own."""
    if action == NOTE_ACTION:
        return _with_note(state, event_type, data, at)
    final = is_final(action, data)
    is_inferred = data.get("inferred") is True
    if state is None or not (state.live or state.ended_at):
        # Also after a note on an unknown call, which the pages do not keep.
        state = State(since=at)
    elif state.ended_at:
        if action == "created" and at > state.ended_at and not final:
            state = State(since=at)
        elif state.inferred and not is_inferred:
            _void_inferred_end(state, at)
        else:
            state.read(event_type, {**data, **_statuses_of(state)}, at)
            return state
    moves = _moves_forward(state, data.get("status"), at)
    state.read(event_type, data if moves else {**data, **_statuses_of(state)}, at)
    state.live = not final
    if moves:
        state.status, state.status_since = data["status"], at
    if final:
        _end(state, at, is_inferred)
    else:
        _apply_agents(state, action, data, at, named_agents)
    return state


def _with_note(state: State | None, event_type: str, data: Mapping[str, Any], at: str) -> State:
    """Return the state with a disposition and note, which no agent needs the call for."""
    state = state or State(since=at, live=False)
    state.read(event_type, {name: data[name] for name in NOTE_FIELDS if name in data}, at)
    return state


def apply_queue_event_to_call(state: State, action: str, data: Mapping[str, Any], at: str) -> None:
    """Change a live call's agents by an event of a queue.

    `queue.left` before `queue.connected` or the answer is a hand-over: the agents keep the call. Only a reason says
    that they do not: the caller went elsewhere, or gave up.
    """
    named = named_in(data) or None
    if action == "connected":
        if named is not None and at >= state.named_at:
            name_agents(state, named, at)
        _talk(state, named, at)
    elif action == "joined":
        for agent in current_agents(state):
            if state.agents[agent].phase == "talking" and at >= state.agents[agent].since:
                release(state, agent, at)
    elif action == "left":
        reason = data.get("reason")
        for agent in current_agents(state):
            if reason in ("transferred", "voicemail") or (
                reason == "abandoned" and state.agents[agent].phase == "offered"
            ):
                release(state, agent, at)
    elif named is not None:
        name_agents(state, named, at)


def _statuses_of(state: State) -> dict[str, Any]:
    """Return the present status as data, which a late status does not replace."""
    return {name: state.data[name] for name in _STATUS_FIELDS if name in state.data}


def _moves_forward(state: State, status: object, at: str) -> bool:
    if not isinstance(status, str) or not status:
        return False
    old, new = _RANKS.get(state.status), _RANKS.get(status)
    if not state.status or status == state.status:
        return status != state.status
    if old is None or new is None:
        return at >= state.status_since
    return new >= old


def _end(state: State, at: str, is_inferred: bool) -> None:
    state.ended_at = at
    state.inferred = is_inferred
    end_agents(state, at)


def _void_inferred_end(state: State, at: str) -> None:
    """Restore the state before an inferred end: the source reports the call after all."""
    restore_agents(state, at)
    previous = state.data.get("previous_status")
    state.status, state.status_since = (previous if isinstance(previous, str) else ""), at
    state.data = {name: value for name, value in state.data.items() if name not in _INFERRED_FIELDS}
    state.data |= {"status": previous} if state.status else {}
    state.inferred, state.ended_at, state.corrected_at = False, "", at


def _apply_agents(
    state: State, action: str, data: Mapping[str, Any], at: str, named_agents: tuple[str, ...] | None
) -> None:
    named = named_in(data, named_agents)
    if named is not None:
        name_agents(state, named, at)
    missed_by = data.get("missed_by")
    # A publisher may name the agent beside the data, so that the agent is notified.
    if (
        isinstance(missed_by, str)
        and missed_by in current_agents(state)
        and missed_by not in (named_in(data) or ())
    ):
        state.agents[missed_by] = AgentPhase("missed", at)
    if data.get("status") == "answered" and action != "assigned":
        _talk(state, named, at)


def _talk(state: State, named: list[str] | None, at: str) -> None:
    """Let the agents who are offered the call talk, if they were offered it before `at`.

    An agent whom the event itself names talks whatever the times say: clocks of publishers differ.
    """
    for agent in current_agents(state):
        phase, since = state.agents[agent]
        if phase == "offered" and (at >= since or agent in (named or ())):
            state.agents[agent] = AgentPhase("talking", max(at, since))
