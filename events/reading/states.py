"""Current states of resources that a client may read, with a cursor to follow them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from django.db import models
from django.db.models import F, Func, QuerySet, Value

from events.domain.cursor import Position
from events.domain.event import format_timestamp
from events.domain.strict_json import decode, encode
from events.domain.visibility import Visible
from events.filters.compiled import predicate_of
from events.filters.tags import tags_of_state
from events.models import ResourceState, split_agents
from events.reading.paging import Row, rows_of_page, seen_by, start_of
from events.reading.parameters import Place
from events.reading.queries import StateQuery

COLUMNS = (
    *("resource_id", "member_id", "live", "event_type", "since", "updated_at"),
    *("agent_ids", "seq", "progress", "body"),
)
RESOURCE_ID, LIVE, SINCE, PROGRESS = (
    1 + COLUMNS.index(name) for name in ("resource_id", "live", "since", "progress")
)
"""Places in a row, which begins with its place in the order and ends with the data."""


class TextIn(Func):
    """The text of one field of a column with JSON."""

    output_field = models.TextField()

    def __init__(self, column: str, name: str) -> None:
        self._name = name
        super().__init__(F(column), Value(name))

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        sql, params = compiler.compile(self.source_expressions[0])
        return f"JSON_EXTRACT({sql}, %s)", (*params, f"$.{self._name}")

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        sql, params = compiler.compile(self.source_expressions[0])
        return f"({sql}::json ->> %s)", (*params, self._name)


@dataclass(frozen=True, slots=True)
class StatePage:
    """A page of states as JSON objects; `next` is `None` on the last page.

    Every state includes at least the events up to the position `start` of the log; later ones may be included. A client
    that receives the events after `start`, and applies to each state those after its own cursor, has the right states.
    """

    start: Position
    items: tuple[str, ...]
    next: Place | None


class Search(Protocol):
    """Further conditions on states, and further fields of their items."""

    def narrow(self, states: QuerySet[ResourceState]) -> QuerySet[ResourceState]:
        """Add the conditions that the database knows."""

    def select(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows that match the others."""

    def more(self, row: Row) -> Mapping[str, Any]:
        """Return the further fields of a selected row's item."""


def read_states(
    visible: Visible, resource: str, query: StateQuery, search: Search | None = None
) -> StatePage:
    """Read a page of the states of a resource, in the order in which they were inserted.

    The order does not change: a state that changes while pages are read is neither lost nor repeated, and the events of
    a new one come after `start`.

    Raises:
        StalePlace: The log was replaced since the first page.
    """
    # The log's number first: the events of newer states are received again.
    _, start = start_of(visible, query.paging)
    states = ResourceState.objects.filter(
        seen_by(visible, query.agent_id), customer_id=visible.customer_id, resource=resource
    )
    wanted = {
        "live": query.active,
        "resource_id": query.resource_id,
        "updated_at__gt": query.updated_after,
        "party__in": query.parties,
    }
    states = states.filter(**{name: value for name, value in wanted.items() if value is not None})
    for name, value in (("status", query.status), ("direction", query.direction)):
        if value is not None:
            states = states.alias(**{f"data_{name}": TextIn("body", name)}).filter(**{f"data_{name}": value})
    if search is not None:
        states = search.narrow(states)
    # A single resource is found by its own index, not by searching along the order.
    states = states.annotate(place=F("id") if query.resource_id is None else F("id") + 0)
    place = query.paging.place.last if query.paging.place else None
    filters = [text for text in (query.filter, visible.filter) if text is not None]

    def is_wanted(row: Row) -> bool:
        return matches(resource, row, filters)

    def select(rows: Sequence[Row]) -> Sequence[Row]:
        wanted = [row for row in rows if is_wanted(row)]
        return wanted if search is None else search.select(wanted)

    rows, last = rows_of_page(
        states.values_list("place", *COLUMNS),
        place,
        "place",
        query.paging,
        select if filters or search else None,
    )
    return StatePage(
        start,
        tuple(
            item_of(visible, resource, start.epoch, row, search.more(row) if search else {}) for row in rows
        ),
        None if last is None else Place(start, last),
    )


def matches(resource: str, row: Row, filters: Sequence[str]) -> bool:
    """Return whether a row, with the columns that `item_of` needs, matches all these filters."""
    _, resource_id, _, _, event_type, *_, progress, body = row
    tags = tags_of_state(resource, resource_id, event_type, decode(body), decode(progress))
    return all(predicate_of(text)(tags) for text in filters)


def is_readable(row: ResourceState, key_filter: str | None) -> bool:
    """Return whether an access key with this filter may read a state."""
    if key_filter is None:
        return True
    tags = tags_of_state(
        row.resource, row.resource_id, row.event_type, decode(row.body), decode(row.progress)
    )
    return predicate_of(key_filter)(tags)


def item_of(
    visible: Visible, resource: str, epoch: str, row: Row, more: Mapping[str, Any] = MappingProxyType({})
) -> str:
    """Return the item of a row, whose columns are those of COLUMNS after any other one."""
    _, resource_id, member_id, live, event_type, since, updated_at, agents, seq, progress, body = row
    state = decode(progress)
    if phases := state.get("agents"):
        shown = visible.shown_agents(resource, resource_id, phases)
        state["agents"] = {agent: phases[agent] for agent in shown}
    fields = {
        "resource_id": resource_id,
        **({"member_id": member_id} if member_id else {}),
        "active": live,
        "event_type": event_type,
        "since": format_timestamp(since),
        "updated_at": format_timestamp(updated_at),
        "agent_ids": visible.shown_agents(resource, resource_id, split_agents(agents)),
        "topic": visible.topic(resource, resource_id),
        "cursor": str(Position(epoch, seq)),
        "state": state,
        **more,
    }
    # The data is sent as it is stored, like an event's.
    return f'{encode(fields)[:-1]}, "data": {body}}}'
