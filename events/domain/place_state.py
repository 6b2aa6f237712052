"""A place's state: a call in a queue or conference, until it leaves or the call ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from events.domain.call_state import ENDING_ACTIONS
from events.domain.state import State, current_agents, end_agents, name_agents, named_in

_LEAVING_ACTIONS = ENDING_ACTIONS | {"left"}
_TIMES = ("tm_join", "tm_connect")


def apply_to_place(
    state: State | None,
    resource: str,
    event_type: str,
    action: str,
    data: Mapping[str, Any],
    at: str,
    is_call_over: bool,
) -> State:
    """Return the state of a call's place after an event of its queue or conference.

    A place that was left becomes live again only by joining later; a place of a call that is over never does.
    """
    joins = action == "joined"
    if state is None:
        state = State(since=at, live=action not in _LEAVING_ACTIONS)
        joins_anew = True
    else:
        joins_anew = joins and (
            at > state.ended_at
            if state.ended_at
            else state.status == "connected" and at >= state.status_since
        )
    if (state.ended_at and joins_anew) or (state.status == "connected" and joins_anew):
        # The call came back: its waiting time starts again.
        state.since, state.live, state.ended_at = at, True, ""
        state.data = {name: value for name, value in state.data.items() if name not in _TIMES}
        state.agents = {}
    was_over = bool(state.ended_at)
    state.read(event_type, data, at)
    if action in _LEAVING_ACTIONS or is_call_over or was_over:
        end_place(state, at)
        return state
    if resource == "queue":
        _move(state, action, data, at, joins_anew)
    else:
        state.status, state.status_since = "joined", state.since
    return state


def end_place(state: State, at: str) -> None:
    """End a place, unless it has ended before."""
    if not state.ended_at:
        state.ended_at = state.updated_at = at
    state.live = False
    end_agents(state, at)


def _move(state: State, action: str, data: Mapping[str, Any], at: str, joins_anew: bool) -> None:
    named = named_in(data)
    if named is not None and not (action == "joined" and not joins_anew):
        name_agents(state, named, at)
    if action == "connected":
        status = "connected"
    elif state.status == "connected" and not joins_anew:
        return
    else:
        status = "connecting" if current_agents(state) else "waiting"
    if status != state.status or joins_anew:
        state.status, state.status_since = status, at
