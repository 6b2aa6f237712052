"""The history of connections, read from the audit log.

Sans-I/O.

It shows when each connection was open, and between which cursors it received which topics.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from events.domain.cursor import parse_cursor
from events.filters.event_filter import FILTER_MARK, NO_FILTER, EventFilter
from events.filters.expression import InvalidFilter, canonical, parse_text

_OF_A_CONNECTION = frozenset({"connect", "subscribe", "live", "unsubscribe", "authenticate", "disconnect"})


class HistoryRecord(NamedTuple):
    """One record of the audit log, with the fields that concern a connection."""

    at: datetime
    action: str
    verdict: str
    topic: str = ""
    rule: str = ""
    detail: str = ""
    cursor: str = ""
    connection_id: UUID | str = ""
    credential: str = ""
    address: str = ""
    client: str = ""
    times: int = 1
    """The record's `count`: more than 1 if the record stands for several topics or handshakes."""

    @property
    def is_granted(self) -> bool:
        return self.verdict == "granted"

    @property
    def filter(self) -> EventFilter | None:
        """The filter of a granted subscription; `None` if the record has not all of it."""
        if not self.detail.startswith(FILTER_MARK):
            return NO_FILTER
        try:
            return EventFilter(canonical(parse_text(self.detail.removeprefix(FILTER_MARK))))
        except InvalidFilter:
            return None

    @property
    def positions(self) -> Mapping[str, int]:
        """The sequence numbers of the cursor, by the epochs of their logs."""
        return parse_cursor(self.cursor) if self.cursor else {}


@dataclass(slots=True)
class Subscription:
    """A topic that a connection requested, as the client wrote it, by its records.

    The connection received the events after the positions of `live` up to those of `ended`. `live` is `None` if the
    subscription was never acknowledged, `ended` while it is open.
    """

    requested: HistoryRecord
    live: HistoryRecord | None = None
    ended: HistoryRecord | None = None


@dataclass(slots=True)
class Connection:
    """One connection. `opened` and `closed` are `None` if they are not recorded."""

    id: str
    credential: str
    address: str
    client: str
    opened: HistoryRecord | None = None
    closed: HistoryRecord | None = None
    subscriptions: list[Subscription] = field(default_factory=list)

    @property
    def granted(self) -> list[Subscription]:
        return [each for each in self.subscriptions if each.requested.is_granted]

    def was_open_at(self, moment: datetime) -> bool:
        """Return whether the connection was open, by the clocks of the processes."""
        began = self.opened is None or self.opened.at <= moment
        return began and (self.closed is None or moment < self.closed.at)


@dataclass(frozen=True, slots=True)
class ConnectionHistory:
    """Connections and refused handshakes, in the order of their first records."""

    connections: tuple[Connection, ...] = ()
    refused: tuple[HistoryRecord, ...] = ()


def read_history(records: Iterable[HistoryRecord]) -> ConnectionHistory:
    """Read the history from records in the order in which they were written."""
    found: dict[str, Connection] = {}
    refused: list[HistoryRecord] = []
    for record in records:
        if record.action == "refuse":
            refused.append(record)
        elif record.action in _OF_A_CONNECTION:
            key = str(record.connection_id)
            if key not in found:
                found[key] = Connection(key, record.credential, record.address, record.client)
            _take(found[key], record)
    return ConnectionHistory(tuple(found.values()), tuple(refused))


def _take(connection: Connection, record: HistoryRecord) -> None:
    held = [each for each in connection.granted if each.ended is None]
    match record.action, record.verdict:
        case "connect", _:
            connection.opened = record
        case "subscribe", ("granted" | "refused"):
            connection.subscriptions.append(Subscription(record))
        case "live", _:
            for each in held:
                each.live = each.live or record
        case (("subscribe" | "unsubscribe"), "ended"):
            for each in held:
                if each.requested.topic == record.topic:
                    each.ended = record
        case "disconnect", _:
            connection.closed = record
            for each in held:
                each.ended = record
