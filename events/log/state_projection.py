"""The projection of events to ResourceState, in the publishing transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from events.database.direct_sql import find_rows, insert_or_update_rows
from events.domain.event import Draft, format_timestamp, parse_timestamp
from events.domain.phone_number import PARTY_RESOURCES, other_party
from events.domain.resource_state import (
    MEMBER_RESOURCES,
    Key,
    StateEvent,
    apply,
    changes_state,
    ends_call,
    ends_members,
    key_of,
)
from events.domain.state import AgentPhase, State
from events.domain.strict_json import encode
from events.filters.tags import StoredTags, event_tags, state_tags, stored_tags
from events.models import Event, ResourceState, join_agents, split_agents

MAX_CONCERNED_AGENTS = 1000
"""The most agents whom a state concerns; those of its last event always stay."""

_UNIQUE = ["customer_id", "resource", "resource_id", "member_id"]
_CHANGED = [
    *("live", "event_type", "seq", "since", "updated_at", "stored_at"),
    *("agent_ids", "progress", "body", "party"),
]


class _Row(NamedTuple):
    """A state, its row, and the state's progress as the row has it."""

    state: State
    row: ResourceState
    progress: Mapping[str, Any]


class Effect(NamedTuple):
    """What an event changed.

    `agents` are those whom it concerns by the states. `ended` is true if its resource has ended, false if it is live
    again although the gateway had concluded its end, else `None`. `phases` are the new phases of agents with the call.
    `tags` are those to store with the event.
    """

    tags: StoredTags
    agents: tuple[str, ...] = ()
    ended: bool | None = None
    phases: Mapping[str, AgentPhase] = {}


class StateProjection:
    """The states of one transaction's events. The logs of their customers must be locked."""

    def __init__(self, drafts: Iterable[Draft]) -> None:
        self._rows: dict[tuple[str, Key], _Row] = {}
        self._changed: dict[tuple[str, Key], _Row] = {}
        self._places_of: dict[tuple[str, str], dict[Key, None]] = {}
        self._members_of: dict[tuple[str, str, str], dict[Key, None]] = {}
        wanted: dict[tuple[str, str], set[tuple[str, str]]] = {}
        ended_calls: dict[str, set[str]] = {}
        ended_places: set[tuple[str, str, str]] = set()
        for draft in drafts:
            if not changes_state(draft.event_type):
                continue
            key = key_of(draft.event_type, draft.resource_id, draft.data)
            wanted.setdefault((draft.customer_id, key.resource), set()).add(key[1:])
            if key.member_id:
                wanted.setdefault((draft.customer_id, "call"), set()).add((key.member_id, ""))
            if ends_call(draft.event_type, draft.data):
                ended_calls.setdefault(draft.customer_id, set()).add(key.resource_id)
            if ends_members(draft.event_type, key.member_id):
                ended_places.add((draft.customer_id, *key[:2]))
        for customer_id, resource, resource_id in sorted(ended_places):
            self._load_live_places(customer_id, resource=resource, resource_id=resource_id)
        for (customer_id, resource), addresses in wanted.items():
            self._load(customer_id, resource, addresses)
        for customer_id, call_ids in ended_calls.items():
            # The index holds live states only: as many as there are calls in queues and conferences now.
            self._load_live_places(customer_id, resource__in=MEMBER_RESOURCES, member_id__in=call_ids)

    def apply(self, draft: Draft, event: Event, concerned: Sequence[str]) -> Effect:
        """Apply an event; the effect has the agents whom it concerns beside the `concerned`."""
        if not changes_state(event.event_type):
            return Effect(event_tags(draft))
        customer_id = draft.customer_id
        states = _CustomerStates(self, customer_id, event)
        at = format_timestamp(event.timestamp)
        key = key_of(draft.event_type, draft.resource_id, draft.data)
        call_key = key if key.resource == "call" else Key("call", key.member_id)
        known, call = self.find(customer_id, key), self.find(customer_id, call_key)
        had_ended = known is not None and known.inferred
        # The fold changes the state itself.
        tags_before = None if known is None else state_tags(draft.resource, draft.resource_id, known)
        phases = dict(call.agents) if call else {}
        addressed = apply(
            StateEvent(draft.event_type, draft.resource_id, draft.data, at, draft.agent_ids or None), states
        )
        state, row, _ = self._rows[customer_id, key]
        if draft.tags is not None:
            state.tags = dict(draft.tags)
        tags = stored_tags(tags_before, state_tags(draft.resource, draft.resource_id, state))
        _add_agents(row, (*concerned, *addressed.agents))
        serving = [
            agent
            for place in addressed.ended_places
            for agent in split_agents(self._rows[customer_id, place].row.agent_ids)
        ]
        agents = dict.fromkeys(each for each in (*addressed.agents, *serving) if each not in concerned)
        new_phases: dict[str, AgentPhase] = {}
        if (found := self._rows.get((customer_id, call_key))) is not None and found.state.agents:
            new_phases = {
                each: phase for each, phase in found.state.agents.items() if phases.get(each) != phase
            }
            _add_agents(found.row, new_phases)
        is_corrected = had_ended and state.live and state.corrected_at == at
        ended = (not state.live and draft.resource != "message") or (False if is_corrected else None)
        return Effect(tags, tuple(agents), ended, new_phases)

    def store(self) -> None:
        """Write the changed states."""
        for state, row, stored_progress in self._changed.values():
            row.live = state.live
            row.event_type = state.event_type
            row.since = parse_timestamp(state.since)
            row.updated_at = parse_timestamp(state.updated_at)
            # Most events of a call change its data alone.
            if (progress := state.progress()) != stored_progress:
                row.progress = encode(progress)
            row.body = encode(state.data)
            if row.party is None and row.resource in PARTY_RESOURCES:
                row.party = other_party(state.data)
        insert_or_update_rows([each.row for each in self._changed.values()], unique=_UNIQUE, changed=_CHANGED)

    def find(self, customer_id: str, key: Key) -> State | None:
        """Return a loaded state."""
        found = self._rows.get((customer_id, key))
        return found.state if found else None

    def put(self, customer_id: str, key: Key, state: State, event: Event) -> None:
        """Note a changed state, and the event that changed it."""
        known = self._rows.get((customer_id, key))
        row = known.row if known else ResourceState(customer_id=customer_id, **key._asdict())
        row.seq, row.stored_at = event.seq, event.stored_at
        changed = _Row(state, row, known.progress if known else {})
        self._changed[customer_id, key] = changed
        self._set(customer_id, key, changed)

    def places_of(self, customer_id: str, call_id: str) -> list[tuple[Key, State]]:
        """Return the loaded live places of a call."""
        return self._live(customer_id, self._places_of.get((customer_id, call_id), ()))

    def members_of(self, customer_id: str, resource: str, resource_id: str) -> list[tuple[Key, State]]:
        """Return the loaded live places in a queue or conference."""
        return self._live(customer_id, self._members_of.get((customer_id, resource, resource_id), ()))

    def _live(self, customer_id: str, keys: Iterable[Key]) -> list[tuple[Key, State]]:
        found = ((key, self._rows[customer_id, key].state) for key in keys)
        return [(key, state) for key, state in found if state.live]

    def _set(self, customer_id: str, key: Key, row: _Row) -> None:
        self._rows[customer_id, key] = row
        if key.member_id:
            self._places_of.setdefault((customer_id, key.member_id), {})[key] = None
            self._members_of.setdefault((customer_id, *key[:2]), {})[key] = None

    def _load(self, customer_id: str, resource: str, addresses: set[tuple[str, str]]) -> None:
        where = {
            "customer_id": [customer_id],
            "resource": [resource],
            "resource_id": {resource_id for resource_id, _ in addresses},
            "member_id": {member_id for _, member_id in addresses},
        }
        self._add(customer_id, find_rows(ResourceState, where))

    def _load_live_places(self, customer_id: str, **where: object) -> None:
        found = ResourceState.objects.filter(customer_id=customer_id, live=True, **where)
        self._add(customer_id, found.exclude(member_id=""))

    def _add(self, customer_id: str, rows: Iterable[ResourceState]) -> None:
        for row in rows:
            key = Key(row.resource, row.resource_id, row.member_id)
            progress = json.loads(row.progress)
            if (customer_id, key) not in self._rows:
                self._set(customer_id, key, _Row(_state_of(row, progress), row, progress))


class _CustomerStates:
    """The states of one customer, changed by one event."""

    def __init__(self, projection: StateProjection, customer_id: str, event: Event) -> None:
        self._projection = projection
        self._customer_id = customer_id
        self._event = event

    def get(self, key: Key) -> State | None:
        return self._projection.find(self._customer_id, key)

    def put(self, key: Key, state: State) -> None:
        self._projection.put(self._customer_id, key, state, self._event)

    def places_of(self, call_id: str) -> list[tuple[Key, State]]:
        return self._projection.places_of(self._customer_id, call_id)

    def members_of(self, resource: str, resource_id: str) -> list[tuple[Key, State]]:
        return self._projection.members_of(self._customer_id, resource, resource_id)


def state_of(row: ResourceState) -> State:
    """Return the state that a row holds."""
    return _state_of(row, json.loads(row.progress))


def _state_of(row: ResourceState, progress: Mapping[str, Any]) -> State:
    state = State(
        since=format_timestamp(row.since),
        live=row.live,
        event_type=row.event_type,
        updated_at=format_timestamp(row.updated_at),
        data=json.loads(row.body),
        size=len(row.body),
    )
    state.read_progress(progress)
    return state


def _add_agents(row: ResourceState, agents: Collection[str]) -> None:
    if not agents:
        return
    concerned = dict.fromkeys((*split_agents(row.agent_ids), *agents))
    if len(concerned) > MAX_CONCERNED_AGENTS:
        earlier = [each for each in concerned if each not in agents]
        for each in earlier[: len(concerned) - MAX_CONCERNED_AGENTS]:
            del concerned[each]
    row.agent_ids = join_agents(tuple(concerned))
