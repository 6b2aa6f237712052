"""Paging: rows after a place, limited in number and size, stable under changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from events.domain.cursor import Position, number_in
from events.domain.topics import ANY, Pattern
from events.domain.visibility import Visible
from events.log import reader
from events.models import join_agents
from events.reading.parameters import DEFAULT_LIMIT, Paging

PAGE_MAX_CHARACTERS = 4 * 2**20
"""The most data of a page; a page with more ends early."""

ROWS_AT_ONCE = DEFAULT_LIMIT + 1
"""A page of the default size, and the row that shows whether another page follows."""

Row = tuple[Any, ...]


class StalePlace(Exception):
    """The place of the next page is in a log that no longer exists."""


def start_of(visible: Visible, paging: Paging) -> tuple[reader.Head, Position]:
    """Return the head of the customer's log, and its position when the first page was read.

    Raises:
        StalePlace: The log was replaced since then.
    """
    head = reader.head_of(visible.customer_id)
    if paging.place is None:
        return head, head.position
    start = paging.place.start
    seq = number_in({start.epoch: start.seq}, head.epoch)
    if seq is None or seq > head.last_seq:
        raise StalePlace
    return head, start


def seen_by(visible: Visible, agent_id: str | None) -> Q:
    """Return the condition for visible rows, or only for those that concern an agent."""
    whole = Q() if visible.resources is None else Q(resource__in=visible.resources)
    whole &= _covered_by(visible.of_customer)
    wanted = Q(agent_ids__contains=join_agents((agent_id,))) if agent_id else Q()
    if visible.agent_id is None or (visible.resources is None and visible.allowed is None):
        return whole & wanted
    own = Q(agent_ids__contains=join_agents((visible.agent_id,))) & _covered_by(visible.of_agent)
    # A filter must not reveal which other agents the client's own events concern.
    return whole & wanted if agent_id not in (None, visible.agent_id) else (whole & wanted) | own


def _covered_by(patterns: Sequence[Pattern] | None) -> Q:
    """Return the condition for rows that one of the patterns covers; `None` covers all rows."""
    if patterns is None:
        return Q()
    covered = Q(pk__in=[])
    for pattern in patterns:
        named = {"resource": pattern.resource, "resource_id": pattern.resource_id}
        wanted = {field: value for field, value in named.items() if value != ANY}
        if not wanted:
            return Q()  # Covers all rows: Django ignores an empty Q in an "or".
        covered |= Q(**wanted)
    return covered


def rows_of_page(
    rows: QuerySet[Any],
    place: int | None,
    by: str,
    paging: Paging,
    select: Callable[[Sequence[Row]], Iterable[Row]] | None,
) -> tuple[Sequence[Row], int | None]:
    """Return the wanted rows after `place` in the order of `by`, and the next place.

    It is `None` if no row follows.

    The columns of `rows` begin with `by` and end with the data. `select` returns the wanted ones of some rows in their
    order, `None` wants all. Rows that are not wanted do not make a next page: it would reveal them. Only a page that
    searched as much as it may has one in any case.
    """
    found: list[Row] = []
    size = 0
    while True:
        wanted = ROWS_AT_ONCE if select else min(paging.limit + 1 - len(found), ROWS_AT_ONCE)
        left = (
            rows
            if place is None
            else rows.filter(**{f"{by}__{'lt' if paging.newest_first else 'gt'}": place})
        )
        part = list(left.order_by(f"-{by}" if paging.newest_first else by)[:wanted])
        found.extend(part if select is None else select(part))
        size += sum(len(row[-1]) for row in part)
        if len(found) > paging.limit:
            return found[: paging.limit], found[paging.limit - 1][0]
        if len(part) < wanted:
            return found, None
        if size > PAGE_MAX_CHARACTERS:
            return found, part[-1][0]
        place = part[-1][0]
