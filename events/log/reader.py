"""Reading the customers' logs: last numbers, and the entries after a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import accumulate
from operator import or_
from typing import Any

from django.db.models import Aggregate, Exists, Q, QuerySet, TextField
from django.db.models.functions import Length

from events.domain.cursor import NO_EPOCH, Mark, Position
from events.domain.event import Entry, make_entry, topics_of
from events.models import CustomerLog, Event, split_agents

PAGE_MAX_CHARACTERS = 2**18
ROWS_AT_ONCE = 500
RANGES_AT_ONCE = 100
COLUMNS = (
    *("seq", "id", "event_type", "timestamp", "resource", "resource_id", "agent_ids"),
    *("named_agents", "ended", "phases", "tags", "was", "body"),
)
"""The columns of an event that make an entry."""


@dataclass(frozen=True, slots=True)
class Head:
    """The epoch of a log, its last number, and the number up to which it was pruned."""

    epoch: str
    last_seq: int
    floor: int
    last_id: str = ""
    """The id of the last event; only `open_log` reads it."""

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.last_seq)


BEFORE_LOG = Head(NO_EPOCH, 0, 0)


def heads(customer_ids: Iterable[str]) -> dict[str, Head]:
    """Return the heads of these customers' logs; customers without a log are missing."""
    rows = CustomerLog.objects.filter(customer_id__in=list(customer_ids)).values_list(
        "customer_id", "epoch", "last_seq", "floor"
    )
    return {str(customer_id): Head(epoch, last_seq, floor) for customer_id, epoch, last_seq, floor in rows}


def head_of(customer_id: str) -> Head:
    """Return the head of this customer's log, or `BEFORE_LOG` if the customer has none yet."""
    return heads([customer_id]).get(customer_id, BEFORE_LOG)


def open_log(customer_id: str) -> Head:
    """Return the head of this customer's log; insert it if missing: a feed needs its epoch."""
    log, _ = CustomerLog.objects.get_or_create(customer_id=customer_id)
    last = event_ids({customer_id: (log.last_seq, log.last_seq)})
    return Head(log.epoch, log.last_seq, log.floor, last.get(customer_id, {}).get(log.last_seq, ""))


def event_ids(ranges: Mapping[str, tuple[int, int]]) -> dict[str, dict[int, str]]:
    """Return the ids of each customer's events from a number to another one, by their numbers."""
    found: dict[str, dict[int, str]] = {}
    for events in _in_ranges(ranges):
        for customer_id, seq, event_id in events.values_list("customer_id", "seq", "id"):
            found.setdefault(str(customer_id), {})[seq] = str(event_id)
    return found


def _in_ranges(ranges: Mapping[str, tuple[int, int]]) -> Iterator[QuerySet[Event]]:
    wanted = list(ranges.items())
    for start in range(0, len(wanted), RANGES_AT_ONCE):
        each = (
            Q(customer_id=customer_id, seq__gte=first, seq__lte=last)
            for customer_id, (first, last) in wanted[start : start + RANGES_AT_ONCE]
        )
        yield Event.objects.filter(reduce(or_, each))


class _JoinedIds(Aggregate):
    """The ids of a group's events in one text. One row costs a small part of many."""

    output_field = TextField()

    def as_sqlite(self, *args: Any, **options: Any) -> Any:
        # In the order of the index of customers and numbers; in another one, they are read one by one.
        return self.as_sql(*args, template="GROUP_CONCAT(%(expressions)s, '')", **options)

    def as_postgresql(self, *args: Any, **options: Any) -> Any:
        return self.as_sql(*args, template="STRING_AGG(%(expressions)s::text, '' ORDER BY seq)", **options)


def _joined_ids(ranges: Mapping[str, tuple[int, int]]) -> dict[str, str]:
    """Return the hex digits of the ids of each customer's events from a number to another one."""
    return {
        str(customer_id): ids.replace("-", "")
        for events in _in_ranges(ranges)
        for customer_id, ids in events.values_list("customer_id").annotate(ids=_JoinedIds("id")).order_by()
    }


def compare(marks: Mapping[str, Mark]) -> tuple[dict[str, Head], list[str]]:
    """Return the heads of these customers' logs, and the customers whose logs went backwards."""
    # The ids first: an event that is pruned meanwhile is below the floor that is read afterwards.
    ranges = {each: (min(mark.ids), max(mark.ids)) for each, mark in marks.items() if mark.ids}
    joined = _joined_ids(ranges)
    same = {each for each in ranges if joined.get(each) == marks[each].joined_ids}
    others = event_ids({each: ranges[each] for each in ranges.keys() - same})
    ids = {**others, **{each: marks[each].ids for each in same}}
    found = heads(marks)
    rewound = [
        customer_id
        for customer_id, head in found.items()
        if marks[customer_id].contradicts(head.epoch, head.last_seq, head.floor, ids.get(customer_id, {}))
    ]
    return found, rewound


def read(customer_id: str, epoch: str, *, after: int, upto: int, limit: int) -> list[Entry]:
    """Return the entries from `after` (excluded) to `upto`, in order and without a gap.

    No entries if the log has another epoch, also if that changes meanwhile: numbers of another log mean other events.
    At most `limit` entries and PAGE_MAX_CHARACTERS, or one event if it is larger: they are sent together, and take at
    most a megabyte in UTF-8 beside that event.
    """
    entries: list[Entry] = []
    size = 0
    while len(entries) < limit and size < PAGE_MAX_CHARACTERS:
        most = min(limit - len(entries), ROWS_AT_ONCE)
        wanted = _fitting(customer_id, after, upto, most, PAGE_MAX_CHARACTERS - size)
        rows = _rows(customer_id, epoch, after, upto, wanted)
        if entries and rows and rows[0][0] != after + 1:
            break  # The next event was pruned since the first one was read.
        entries.extend(entry_of(customer_id, epoch, row) for row in rows)
        if not rows or len(rows) < wanted:
            break
        after = entries[-1].seq
        size += sum(entry.size for entry in entries[-wanted:])
    return entries


def stored_at(customer_id: str, seq: int) -> float | None:
    """Return when this event was stored, in seconds since 1970; `None` if it was pruned."""
    found = Event.objects.filter(customer_id=customer_id, seq=seq).values_list("stored_at", flat=True).first()
    return found.timestamp() if found else None


def last_stored_before(customer_id: str, moment: datetime, head: Head) -> int:
    """Return the number of the last event that was stored before a moment.

    It is the log's floor if there is none. By bisection: in the order of the log, times are those of its clock.
    """
    low, high = head.floor, head.last_seq
    while low < high:
        middle = (low + high + 1) // 2
        events = Event.objects.filter(customer_id=customer_id, seq__gt=low, seq__lte=middle)
        stored = events.order_by("-seq").values_list("stored_at", flat=True).first()
        if stored is None or stored < moment:
            low = middle
        else:
            high = middle - 1
    return low


def _fitting(customer_id: str, after: int, upto: int, limit: int, room: int) -> int:
    """Count the next events that fit into `room` characters; the first one always counts."""
    events = Event.objects.filter(customer_id=customer_id, seq__gt=after, seq__lte=upto).order_by("seq")
    lengths = list(events.values_list(Length("body"), flat=True)[:limit])
    fitting: int = sum(total <= room for total in accumulate(lengths))
    return max(fitting, min(1, len(lengths)))


def _rows(customer_id: str, epoch: str, after: int, upto: int, limit: int) -> list[tuple[Any, ...]]:
    events = Event.objects.filter(customer_id=customer_id, seq__gt=after, seq__lte=upto).order_by("seq")
    events = events.filter(Exists(CustomerLog.objects.filter(pk=customer_id, epoch=epoch)))
    return list(events.values_list(*COLUMNS)[:limit])


def address_of(row: tuple[Any, ...]) -> tuple[str, str]:
    """Return the resource and the resource id of a row of COLUMNS."""
    return row[4], row[5]


def entry_of(customer_id: str, epoch: str, row: tuple[Any, ...]) -> Entry:
    """Build the entry of a row of COLUMNS."""
    seq, event_id, event_type, timestamp, resource, resource_id, agent_ids, *effect, body = row
    named, ended, phases, tags, was = effect
    return make_entry(
        seq=seq,
        epoch=epoch,
        event_id=str(event_id),
        event_type=event_type,
        timestamp=timestamp,
        topics=topics_of(customer_id, resource, resource_id, split_agents(agent_ids)),
        body=body,
        named_agents=split_agents(named),
        ended=ended,
        phases=phases,
        tags=tags,
        was=was,
    )
