"""The fold: how each event changes the states of resources, calls, and their places.

The pages have the same rules in shared/resource-state.js; tests/events/domain/state_cases.json holds both to them.
Times are texts of `format_timestamp`, which compare as the times do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from events.domain.call_state import (
    ENDING_ACTIONS,
    NOTE_ACTION,
    apply_queue_event_to_call,
    apply_to_call,
    is_final,
)
from events.domain.place_state import apply_to_place, end_place
from events.domain.state import State, agents_of, name_agents, named_in

BEGINNING_ACTIONS = frozenset({"created", "started"})
"""The actions that begin a resource, also one that had ended before."""

TEST_ACTION = "test"
"""The action of events that test the delivery. They change no state."""

MEMBER_RESOURCES = frozenset({"queue", "conference"})
"""Resources with calls as members: each call's place has a state of its own."""

FIRST_OF_MESSAGE = frozenset({"received", "sent"})
"""The actions that begin a message. After a report of its delivery, they do not take its status back."""

FINAL_RESOURCES = frozenset({"activeflow", "recording", "transcription"})
"""Resources that happen once, like calls: after the end, late events do not make them live again."""


class Key(NamedTuple):
    """The address of a state; `member_id` is the call of a place, or ""."""

    resource: str
    resource_id: str
    member_id: str = ""


class StateEvent(NamedTuple):
    """What the fold uses of an event.

    `named_agents` are those that the publisher named beside the data, `None` if it named none.
    """

    event_type: str
    resource_id: str
    data: Mapping[str, Any]
    at: str
    named_agents: tuple[str, ...] | None = None


class States(Protocol):
    """The states that an event may change."""

    def get(self, key: Key) -> State | None:
        """Return the state of this key, `None` if there is none."""

    def put(self, key: Key, state: State) -> None:
        """Store a new or changed state."""

    def places_of(self, call_id: str) -> Iterable[tuple[Key, State]]:
        """Return the live places of a call in queues and conferences."""

    def members_of(self, resource: str, resource_id: str) -> Iterable[tuple[Key, State]]:
        """Return the live places in a queue or conference."""


class Addressed(NamedTuple):
    """Those whom an event concerns by the states: the resource's agents before or after it.

    `ended_places` are the places that the end of a call ended: the agents of their queues are concerned too.
    """

    agents: tuple[str, ...]
    ended_places: tuple[Key, ...] = ()


def member_of(resource: str, data: Mapping[str, Any]) -> str:
    """Return the call whose place in a queue or conference the event is about, or ""."""
    if resource in MEMBER_RESOURCES and isinstance(call_id := data.get("call_id"), str):
        return call_id[:128]
    return ""


def key_of(event_type: str, resource_id: str, data: Mapping[str, Any]) -> Key:
    """Return the address of the state that an event changes first."""
    resource = event_type.partition(".")[0]
    return Key(resource, resource_id, member_of(resource, data))


def changes_state(event_type: str) -> bool:
    """Return whether an event of this type changes the state of its resource."""
    return event_type.partition(".")[2] != TEST_ACTION


def ends_call(event_type: str, data: Mapping[str, Any]) -> bool:
    """Return whether the event ends a call, and so its places in queues and conferences."""
    resource, _, action = event_type.partition(".")
    return resource == "call" and is_final(action, data)


def ends_members(event_type: str, member_id: str) -> bool:
    """Return whether the event ends a queue or conference, and so all places in it."""
    resource, _, action = event_type.partition(".")
    return resource in MEMBER_RESOURCES and not member_id and action in ENDING_ACTIONS


def apply(event: StateEvent, states: States) -> Addressed:
    """Change the states by the next event of the log; return those whom it concerns by them."""
    key = key_of(event.event_type, event.resource_id, event.data)
    if key.resource == "call":
        return _apply_call_event(event, key, states)
    if key.member_id:
        return _apply_place_event(event, key, states)
    before = states.get(key)
    had = agents_of(before)
    state = _apply_to_resource(event, key.resource, before)
    states.put(key, state)
    if ends_members(event.event_type, ""):
        for place_key, place in states.members_of(key.resource, key.resource_id):
            end_place(place, event.at)
            states.put(place_key, place)
    return Addressed(_joined(had, agents_of(state)))


def _action(event_type: str) -> str:
    return event_type.partition(".")[2]


def _joined(*agents: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for group in agents for each in group))


def _apply_call_event(event: StateEvent, key: Key, states: States) -> Addressed:
    before = states.get(key)
    had = agents_of(before)
    action = _action(event.event_type)
    state = apply_to_call(before, event.event_type, action, event.data, event.at, event.named_agents)
    states.put(key, state)
    ended: list[Key] = []
    if not state.live and action != NOTE_ACTION:
        for place_key, place in states.places_of(key.resource_id):
            end_place(place, event.at)
            states.put(place_key, place)
            ended.append(place_key)
    return Addressed(_joined(had, agents_of(state)), tuple(ended))


def _apply_place_event(event: StateEvent, key: Key, states: States) -> Addressed:
    before = states.get(key)
    call_key = Key("call", key.member_id)
    call = states.get(call_key)
    call_agents = agents_of(call) if call is not None and call.live and key.resource == "queue" else ()
    had = _joined(agents_of(before), call_agents)
    action = _action(event.event_type)
    is_over = call is not None and not call.live
    place = apply_to_place(before, key.resource, event.event_type, action, event.data, event.at, is_over)
    states.put(key, place)
    if call is not None and call.live:
        if key.resource == "queue":
            apply_queue_event_to_call(call, action, event.data, event.at)
            had = _joined(had, agents_of(call))
        # Also unchanged: its source still reports the call.
        states.put(call_key, call)
    return Addressed(_joined(had, agents_of(place)))


def _apply_to_resource(event: StateEvent, resource: str, state: State | None) -> State:
    action = _action(event.event_type)
    ends = action in ENDING_ACTIONS or resource == "message"  # A message happens; it does not last.
    if state is None:
        state = State(since=event.at)
    elif (
        state.ended_at
        and resource in FINAL_RESOURCES
        and not (action in BEGINNING_ACTIONS and event.at > state.ended_at)
    ):
        ends = True
    elif state.ended_at and not ends:
        # As for a page that does not know the resource that has ended.
        state = State(since=event.at)
    data = event.data
    if resource == "message" and action in FIRST_OF_MESSAGE and state.status:
        data = {**data, "status": state.status}
    state.read(event.event_type, data, event.at)
    state.live = not ends
    state.ended_at = (state.ended_at or event.at) if ends else ""
    status = data.get("status")
    if isinstance(status, str) and status != state.status:
        state.status, state.status_since = status, event.at
    named = named_in(event.data, event.named_agents)
    if named is not None:
        name_agents(state, named, event.at)
    return state
