"""The history: a customer's stored events, as far as a client may read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Min, Q, QuerySet, Value
from django.db.models.functions import StrIndex

from events.domain.cursor import Position, number_in
from events.domain.event import Entry, Form
from events.domain.visibility import Visible
from events.filters.event_filter import EventFilter
from events.filters.tags import tags_of
from events.log import reader
from events.models import Event, split_agents
from events.reading.paging import Row, rows_of_page, seen_by, start_of
from events.reading.parameters import Paging, Place
from events.reading.queries import HistoryQuery

SEARCHED_AT_ONCE = 100_000
"""The most numbers of the log that one page searches: a rare event could need the whole log."""


class NotKept(Exception):
    """Not all events after the query's cursor are kept; the message has the reason."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of events as frames.

    `start` is the position of the log when the first page was read; `next` is `None` on the last page.
    """

    start: Position
    frames: tuple[str, ...]
    next: Place | None


def read_history(visible: Visible, query: HistoryQuery) -> HistoryPage:
    """Read a page of a query's events, up to the log's position at its first page.

    A page may have fewer events than the limit although another one follows.

    Raises:
        NotKept: Events after the query's cursor were pruned, or the cursor is of another log.
        StalePlace: The log was replaced since the first page.
    """
    head, start = start_of(visible, query.paging)
    events = Event.objects.filter(seen_by(visible, query.agent_id), customer_id=visible.customer_id)
    wanted = {
        "event_type": query.event_type,
        "resource": query.resource,
        "resource_id": query.resource_id,
        "timestamp__gte": query.begin,
        "timestamp__lt": query.end,
    }
    events = events.filter(**{name: value for name, value in wanted.items() if value is not None})
    if query.call_id is not None:
        events = _of_call(events, query.call_id)
    above = head.floor if query.after is None else _kept_after(query.after, head)
    upto = start.seq
    if query.begin or query.end:
        above, upto = _between(visible.customer_id, wanted, above, upto)
    page = _Stretch.of(above, upto, query.paging, whole=query.resource_id is not None)
    forms = _Forms(visible.customer_id, head.epoch, EventFilter(query.filter, visible.filter))
    rows, last = rows_of_page(
        page.of_log(events).values_list(*reader.COLUMNS), None, "seq", query.paging, forms.select
    )
    last = page.rest if last is None else last
    return HistoryPage(
        start,
        tuple(forms.frame(visible, row) for row in rows),
        None if last is None else Place(start, last),
    )


def read_one(event_id: str) -> Event | None:
    """Return the event with this id, a UUID, or `None`."""
    return Event.objects.filter(pk=event_id).first()


def frame_of(visible: Visible, event: Event) -> str | None:
    """Return the event's frame; `None` if the client may not read the event."""
    if not visible.includes(event.resource, event.resource_id, split_agents(event.agent_ids)):
        return None
    head = reader.head_of(visible.customer_id)
    row = tuple(getattr(event, name) for name in reader.COLUMNS)
    forms = _Forms(visible.customer_id, head.epoch, EventFilter(None, visible.filter))
    return forms.frame(visible, row) if forms.is_received(row) else None


class _Forms:
    """The forms in which a client receives events by a filter, as a subscriber with it does."""

    def __init__(self, customer_id: str, epoch: str, chosen: EventFilter) -> None:
        self._customer_id = customer_id
        self._epoch = epoch
        self._decide = None if chosen.is_empty else chosen.compiled()
        self.select = None if chosen.is_empty else self._received

    def form(self, row: Row) -> Form | None:
        """Return the form of a row's event; `None` if the client does not receive it."""
        return Form.WHOLE if self._decide is None else self._decide(tags_of(self._entry(row)))

    def _received(self, rows: Sequence[Row]) -> list[Row]:
        return [row for row in rows if self.is_received(row)]

    def is_received(self, row: Row) -> bool:
        """Return whether the client receives a row's event."""
        return self.form(row) is not None

    def frame(self, visible: Visible, row: Row) -> str:
        """Return the frame of a row's event, which the client receives."""
        return self._entry(row).frame(
            visible.topic(*reader.address_of(row)), self.form(row) or Form.WITHDRAWN
        )

    def _entry(self, row: Row) -> Entry:
        return reader.entry_of(self._customer_id, self._epoch, row)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The numbers that one page searches, from `above` (excluded) to `upto`.

    `rest` is the place where the next page begins, or `None` at the end.
    """

    above: int
    upto: int
    rest: int | None

    @classmethod
    def of(cls, above: int, upto: int, paging: Paging, *, whole: bool) -> _Stretch:
        """Return the next stretch; `whole` if an index leads to the wanted events."""
        if paging.place is not None and paging.newest_first:
            upto = min(upto, paging.place.last - 1)
        elif paging.place is not None:
            above = max(above, paging.place.last)
        if whole or upto - above <= SEARCHED_AT_ONCE:
            return cls(above, upto, None)
        if paging.newest_first:
            return cls(upto - SEARCHED_AT_ONCE, upto, upto - SEARCHED_AT_ONCE + 1)
        return cls(above, above + SEARCHED_AT_ONCE, above + SEARCHED_AT_ONCE)

    def of_log(self, events: QuerySet[Event]) -> QuerySet[Event]:
        return events.filter(seq__gt=self.above, seq__lte=self.upto)


def _of_call(events: QuerySet[Event], call_id: str) -> QuerySet[Event]:
    # Valid ids need no escapes in JSON: comparing the text is enough.
    named = StrIndex("body", Value(f'_id": "{call_id}"'))
    return events.alias(named=named).filter(Q(resource="call", resource_id=call_id) | Q(named__gt=0))


def _kept_after(after: Mapping[str, int], head: reader.Head) -> int:
    seq = number_in(after, head.epoch)
    if seq is None or seq > head.last_seq:
        raise NotKept("The cursor is of another log: the log was replaced, or it is another customer's")
    if seq < head.floor:
        raise NotKept(
            "The cursor is older than what is kept: read without after, from the oldest that is kept"
        )
    return seq


def _between(customer_id: str, wanted: Mapping[str, Any], above: int, upto: int) -> tuple[int, int]:
    """Narrow a stretch of the log to the events of the wanted time, whose ends an index has."""
    times = {name: value for name, value in wanted.items() if name.startswith("timestamp__") and value}
    ends = Event.objects.filter(customer_id=customer_id, **times).aggregate(first=Min("seq"), last=Max("seq"))
    if ends["first"] is None:
        return upto, upto
    return max(above, ends["first"] - 1), min(upto, ends["last"])
