"""Reading the customers' logs: last numbers, and the entries after a number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.db.models.functions import Length

from events.domain.cursor import NO_EPOCH, Position
from events.domain.event import Entry, make_entry, topics_of
from events.models import CustomerLog, Event, split_agents

PAGE_MAX_CHARACTERS = 2**18
ROWS_AT_ONCE = 500
COLUMNS = (
    *("seq", "id", "event_type", "timestamp", "resource", "resource_id", "agent_ids"),
    *("named_agents", "ended", "phases", "body"),
)
"""The columns of an event that make an entry."""


@dataclass(frozen=True, slots=True)
class Head:
    """The epoch of a log, its last number, and the number up to which it was pruned."""

    epoch: str
    last_seq: int
    floor: int

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.last_seq)


BEFORE_LOG = Head(NO_EPOCH, 0, 0)


def heads(customer_ids: Collection[str]) -> dict[str, Head]:
    """Return the heads of these customers' logs; customers without a log are missing."""
    rows = CustomerLog.objects.filter(customer_id__in=customer_ids).values_list(
        "customer_id", "epoch", "last_seq", "floor"
    )
    return {str(customer_id): Head(epoch, last_seq, floor) for customer_id, epoch, last_seq, floor in rows}


def head_of(customer_id: str) -> Head:
    """Return the head of this customer's log, or `BEFORE_LOG` if the customer has none yet."""
    return heads([customer_id]).get(customer_id, BEFORE_LOG)


def open_log(customer_id: str) -> Head:
    """Return the head of this customer's log; insert it if missing: a feed needs its epoch."""
    log, _ = CustomerLog.objects.get_or_create(customer_id=customer_id)
    return Head(log.epoch, log.last_seq, log.floor)


def read(customer_id: str, epoch: str, *, after: int, upto: int, limit: int) -> list[Entry]:
    """Return the entries from `after` (excluded) to `upto`, in order and without a gap.

    At most `limit` entries and PAGE_MAX_CHARACTERS, or one event if it is larger: they are sent together, and take at
    most a megabyte in UTF-8 beside that event.
    """
    entries: list[Entry] = []
    size = 0
    while len(entries) < limit and size < PAGE_MAX_CHARACTERS:
        most = min(limit - len(entries), ROWS_AT_ONCE)
        wanted = _fitting(customer_id, after, upto, most, PAGE_MAX_CHARACTERS - size)
        rows = _rows(customer_id, after, upto, wanted)
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


def _fitting(customer_id: str, after: int, upto: int, limit: int, room: int) -> int:
    """Count the next events that fit into `room` characters; the first one always counts."""
    events = Event.objects.filter(customer_id=customer_id, seq__gt=after, seq__lte=upto).order_by("seq")
    lengths = list(events.values_list(Length("body"), flat=True)[:limit])
    fitting: int = sum(total <= room for total in accumulate(lengths))
    return max(fitting, min(1, len(lengths)))


def _rows(customer_id: str, after: int, upto: int, limit: int) -> list[tuple[Any, ...]]:
    events = Event.objects.filter(customer_id=customer_id, seq__gt=after, seq__lte=upto).order_by("seq")
    return list(events.values_list(*COLUMNS)[:limit])


def address_of(row: tuple[Any, ...]) -> tuple[str, str]:
    """Return the resource and the resource id of a row of COLUMNS."""
    return row[4], row[5]


def entry_of(customer_id: str, epoch: str, row: tuple[Any, ...]) -> Entry:
    """Build the entry of a row of COLUMNS."""
    seq, event_id, event_type, timestamp, resource, resource_id, agent_ids, *effect, body = row
    named, ended, phases = effect
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
    )
