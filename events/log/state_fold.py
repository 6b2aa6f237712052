"""The states of resources in memory, which the events of a log change.

Publishing and looking back change them alike.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from events.domain.event import format_timestamp, parse_timestamp
from events.domain.resource_state import Key, StateEvent, apply, key_of
from events.domain.state import AgentPhase, State
from events.domain.strict_json import encode
from events.models import ResourceState, join_agents, split_agents

MAX_CONCERNED_AGENTS = 1000
"""The most agents whom a state concerns; those of its last event always stay."""


class FoldedRow(NamedTuple):
    """A state, its row, and the state's progress as the row has it."""

    state: State
    row: ResourceState
    progress: Mapping[str, Any]

    def written(self) -> ResourceState:
        """Return the row, with the state in its columns."""
        state, row, stored_progress = self
        row.live = state.live
        row.event_type = state.event_type
        row.since = parse_timestamp(state.since)
        row.updated_at = parse_timestamp(state.updated_at)
        # Most events of a call change its data alone.
        if (progress := state.progress()) != stored_progress:
            row.progress = encode(progress)
        row.body = encode(state.data)
        return row


class LogEvent(NamedTuple):
    """What changes the states: an event of a customer's log.

    `concerned` are the agents whom it concerns by itself; `tags` are the publisher's own ones of its resource after it,
    `None` if they stay as they are.
    """

    customer_id: str
    seq: int
    stored_at: datetime
    event: StateEvent
    concerned: Collection[str]
    tags: Mapping[str, str | int | float | bool] | None


class Change(NamedTuple):
    """What an event changed.

    `addressed` are the agents whom it concerns by the states, `serving` those of the places that it ended, and `phases`
    the new phases of agents with the call.
    """

    state: State
    addressed: tuple[str, ...]
    serving: tuple[str, ...]
    phases: Mapping[str, AgentPhase]


class StateFold:
    """The states that events change."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, Key], FoldedRow] = {}
        self._changed: dict[tuple[str, Key], FoldedRow] = {}
        self._places_of: dict[tuple[str, str], dict[Key, None]] = {}
        self._members_of: dict[tuple[str, str, str], dict[Key, None]] = {}

    def add(self, rows: Iterable[ResourceState]) -> None:
        """Add the states of these rows, unless they are known."""
        for row in rows:
            key = Key(row.resource, row.resource_id, row.member_id)
            customer_id = str(row.customer_id)
            if (customer_id, key) not in self._rows:
                progress = json.loads(row.progress)
                self._set(customer_id, key, FoldedRow(_state_of(row, progress), row, progress))

    def change(self, each: LogEvent) -> Change:
        """Change the states by the next event of the log, which is no test of the delivery."""
        customer_id, event = each.customer_id, each.event
        key = key_of(event.event_type, event.resource_id, event.data)
        call_key = key if key.resource == "call" else Key("call", key.member_id)
        call = self.find(customer_id, call_key)
        phases = dict(call.agents) if call else {}
        addressed = apply(event, _CustomerStates(self, each))
        state, row, _ = self._rows[customer_id, key]
        if each.tags is not None:
            state.tags = dict(each.tags)
        _add_agents(row, (*each.concerned, *addressed.agents))
        serving = tuple(
            agent
            for place in addressed.ended_places
            for agent in split_agents(self._rows[customer_id, place].row.agent_ids)
        )
        new_phases: dict[str, AgentPhase] = {}
        if (found := self._rows.get((customer_id, call_key))) is not None and found.state.agents:
            new_phases = {
                agent: phase for agent, phase in found.state.agents.items() if phases.get(agent) != phase
            }
            _add_agents(found.row, new_phases)
        return Change(state, addressed.agents, serving, new_phases)

    def find(self, customer_id: str, key: Key) -> State | None:
        """Return a known state."""
        found = self._rows.get((customer_id, key))
        return found.state if found else None

    def put(self, key: Key, state: State, by: LogEvent) -> None:
        """Note a changed state, and the event that changed it."""
        known = self._rows.get((by.customer_id, key))
        row = known.row if known else ResourceState(customer_id=by.customer_id, **key._asdict())
        row.seq, row.stored_at = by.seq, by.stored_at
        changed = FoldedRow(state, row, known.progress if known else {})
        self._changed[by.customer_id, key] = changed
        self._set(by.customer_id, key, changed)

    def forget(self, customer_id: str, key: Key) -> None:
        """Forget a state."""
        self._rows.pop((customer_id, key), None)
        self._changed.pop((customer_id, key), None)
        self._places_of.get((customer_id, key.member_id), {}).pop(key, None)
        self._members_of.get((customer_id, *key[:2]), {}).pop(key, None)

    def changed_rows(self) -> list[tuple[ResourceState, State]]:
        """Return the rows of the changed states, with their states."""
        return [(each.written(), each.state) for each in self._changed.values()]

    def rows(self, customer_id: str, key: Key) -> list[ResourceState]:
        """Return the row of a state, none if it is not known."""
        found = self._rows.get((customer_id, key))
        return [] if found is None else [found.written()]

    def live_rows(self) -> list[ResourceState]:
        """Return the rows of all states that have not ended."""
        return [each.written() for each in self._rows.values() if each.state.live]

    def places_of(self, customer_id: str, call_id: str) -> list[tuple[Key, State]]:
        """Return the known live places of a call."""
        return self._live(customer_id, self._places_of.get((customer_id, call_id), ()))

    def members_of(self, customer_id: str, resource: str, resource_id: str) -> list[tuple[Key, State]]:
        """Return the known live places in a queue or conference."""
        return self._live(customer_id, self._members_of.get((customer_id, resource, resource_id), ()))

    def _live(self, customer_id: str, keys: Iterable[Key]) -> list[tuple[Key, State]]:
        found = ((key, self._rows[customer_id, key].state) for key in keys)
        return [(key, state) for key, state in found if state.live]

    def _set(self, customer_id: str, key: Key, row: FoldedRow) -> None:
        self._rows[customer_id, key] = row
        if key.member_id:
            self._places_of.setdefault((customer_id, key.member_id), {})[key] = None
            self._members_of.setdefault((customer_id, *key[:2]), {})[key] = None


class _CustomerStates:
    """The states of one customer, changed by one event."""

    def __init__(self, fold: StateFold, by: LogEvent) -> None:
        self._fold = fold
        self._by = by

    def get(self, key: Key) -> State | None:
        return self._fold.find(self._by.customer_id, key)

    def put(self, key: Key, state: State) -> None:
        self._fold.put(key, state, self._by)

    def places_of(self, call_id: str) -> list[tuple[Key, State]]:
        return self._fold.places_of(self._by.customer_id, call_id)

    def members_of(self, resource: str, resource_id: str) -> list[tuple[Key, State]]:
        return self._fold.members_of(self._by.customer_id, resource, resource_id)


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
