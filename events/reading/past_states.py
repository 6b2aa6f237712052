"""The states of a past moment that a client may read, with the cursor of that moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from events.domain.cursor import Position
from events.domain.strict_json import decode
from events.domain.visibility import Visible
from events.log import reader
from events.models import ResourceState, split_agents
from events.reading.look_back import past_states
from events.reading.paging import PAGE_MAX_CHARACTERS, start_of
from events.reading.parameters import Place
from events.reading.queries import PastStateQuery
from events.reading.states import COLUMNS, StatePage, item_of, matches


def read_past_states(visible: Visible, query: PastStateQuery) -> StatePage:
    """Read a page of the states that had not ended at a moment.

    They are in the order of their addresses, and include the events that the gateway had stored then: the page's
    `start` is the position of the last one.

    Raises:
        NotKnown: The states of the moment cannot be computed.
        StalePlace: The log was replaced since the first page.
        TooBusy: Other moments are being computed.
    """
    head, _ = start_of(visible, query.paging)
    place = query.paging.place
    if place is None:
        upto = query.at + timedelta(microseconds=1)
        start = Position(head.epoch, reader.last_stored_before(visible.customer_id, upto, head))
    else:
        start = place.start
    states = past_states.at(visible.customer_id, head, start.seq)
    filters = [text for text in (query.filter, visible.filter) if text is not None]
    items: list[str] = []
    size = 0
    for number in range(0 if place is None else place.last, len(states)):
        state = states[number]
        if not (_is_wanted(state, query) and _is_visible(state, visible, query.agent_id)):
            continue
        row = (number, *(getattr(state, name) for name in COLUMNS))
        if not matches(state.resource, row, filters):
            continue
        if len(items) == query.paging.limit or size > PAGE_MAX_CHARACTERS:
            return StatePage(start, tuple(items), Place(start, number))
        item = item_of(visible, state.resource, start.epoch, row, {"resource": state.resource})
        items.append(item)
        size += len(item)
    return StatePage(start, tuple(items), None)


def _is_wanted(state: ResourceState, query: PastStateQuery) -> bool:
    if query.resource not in (None, state.resource) or query.resource_id not in (None, state.resource_id):
        return False
    wanted = {"status": query.status, "direction": query.direction}
    if all(value is None for value in wanted.values()):
        return True
    data: dict[str, Any] = decode(state.body)
    return all(value is None or data.get(name) == value for name, value in wanted.items())


def _is_visible(state: ResourceState, visible: Visible, agent_id: str | None) -> bool:
    """Return whether the client sees the state, and it concerns this agent.

    `paging.seen_by` decides the same.
    """
    agents = split_agents(state.agent_ids)
    if not visible.includes(state.resource, state.resource_id, agents):
        return False
    if agent_id is None:
        return True
    # A filter must not reveal which other agents the client's own events concern.
    sees_agents = agent_id == visible.agent_id or visible.is_whole(state.resource, state.resource_id)
    return sees_agents and agent_id in agents
