"""A place's state: a call in a queue or conference, until it leaves or the call ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from events.domain.call_state import ENDING_ACTIONS
from events.domain.state import State, end_agents, name_agents, named_in

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
    if joins_anew and state.ended_at:
        # As for a page that does not know the place that was left.
        state = State(since=at)
    elif joins_anew and state.status == "connected":
        # The call came back: its waiting time starts again.
        state.since = at
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
    named = named_in(data) if action != "joined" or joins_anew else None
    names = named is not None and at >= state.named_at
    if names:
        name_agents(state, named or [], at)
    if action == "connected":
        status = "connected"
    elif state.status == "connected" and not joins_anew:
        return
    elif names:
        status = "connecting" if named else "waiting"
    else:
        # Not by the state's agents: an agent's page knows only that agent.
        status = "waiting" if joins_anew else state.status or "waiting"
    if status != state.status or joins_anew:
        state.status, state.status_since = status, at
