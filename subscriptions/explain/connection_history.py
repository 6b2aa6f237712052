"""The history of connections, read from the audit log.

Sans-I/O.

It shows when each connection was open, and between which cursors it received which topics.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from events.domain.cursor import parse_cursor

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


@dataclass(slots=True)
class Subscription:
    """A topic that a connection requested, as the client wrote it.

    The connection received the events after `starts` up to `ends`, which are sequence numbers by the epochs of logs.
    `live_at` is `None` if the subscription was never acknowledged, `ended_at` while it is open.
    """

    topic: str
    requested_at: datetime
    granted: bool
    rule: str
    detail: str = ""
    live_at: datetime | None = None
    live_rule: str = ""
    live_detail: str = ""
    starts: Mapping[str, int] = field(default_factory=dict)
    ended_at: datetime | None = None
    end_rule: str = ""
    end_detail: str = ""
    ends: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Connection:
    """One connection. `opened_at` and `closed_at` are `None` if that is not recorded.

    If no end is recorded, `replaced_at` is when the same client connected again, or `None`.
    """

    id: str
    credential: str
    address: str
    client: str
    opened_at: datetime | None = None
    process: str = ""
    closed_at: datetime | None = None
    replaced_at: datetime | None = None
    close_rule: str = ""
    subscriptions: list[Subscription] = field(default_factory=list)

    def was_open_at(self, moment: datetime) -> bool:
        """Return whether the connection was open, by the clocks of the processes."""
        began = self.opened_at is None or self.opened_at <= moment
        return began and (self.closed_at is None or moment < self.closed_at)

    def was_lost_at(self, moment: datetime) -> bool:
        """Return whether it had ended unrecorded, because its client connected again."""
        return self.closed_at is None and self.replaced_at is not None and self.replaced_at <= moment


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
            continue
        if record.action not in _OF_A_CONNECTION:
            continue
        connection_id = str(record.connection_id)
        connection = found.get(connection_id)
        if connection is None:
            connection = found[connection_id] = Connection(
                connection_id, record.credential, record.address, record.client
            )
        _take(connection, record)
    _note_replacements(list(found.values()))
    return ConnectionHistory(tuple(found.values()), tuple(refused))


def _note_replacements(connections: Sequence[Connection]) -> None:
    last: dict[tuple[str, str, str], datetime] = {}
    for connection in reversed(connections):
        client = (connection.credential, connection.address, connection.client)
        if connection.closed_at is None:
            connection.replaced_at = last.get(client)
        if connection.opened_at is not None:
            last[client] = connection.opened_at


def _take(connection: Connection, record: HistoryRecord) -> None:
    match record.action, record.verdict:
        case "connect", _:
            connection.opened_at, connection.process = record.at, record.detail
        case "subscribe", ("granted" | "refused") as verdict:
            connection.subscriptions.append(
                Subscription(
                    record.topic,
                    record.at,
                    granted=verdict == "granted",
                    rule=record.rule,
                    detail=record.detail,
                )
            )
        case "live", _:
            for each in _held(connection):
                if each.live_at is None:
                    each.live_at, each.live_rule = record.at, record.rule
                    each.live_detail, each.starts = record.detail, _positions(record.cursor)
        case (("subscribe" | "unsubscribe"), "ended"):
            for each in _held(connection):
                if each.topic == record.topic:
                    _end(each, record)
        case "disconnect", _:
            connection.closed_at, connection.close_rule = record.at, record.rule
            for each in _held(connection):
                _end(each, record)


def _held(connection: Connection) -> list[Subscription]:
    return [each for each in connection.subscriptions if each.granted and each.ended_at is None]


def _end(subscription: Subscription, record: HistoryRecord) -> None:
    subscription.ended_at, subscription.end_rule = record.at, record.rule
    subscription.end_detail, subscription.ends = record.detail, _positions(record.cursor)


def _positions(cursor: str) -> Mapping[str, int]:
    return parse_cursor(cursor) if cursor else {}
