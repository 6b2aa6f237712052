"""Positions in the logs: where to resume, and which events are duplicates.

Sans-I/O. A connection reads one log, that of its customer; a connection of platform staff may read several. Each log
numbers its events. An event's cursor names only its own log, so the newest number of each log is kept. The cursor of an
ack or a pong is complete: it names all logs of the connection, up to where all events have been sent.

Topics resume in groups, and the server replays one group after the other, each from the same cursor. So the positions
do not move until all groups are acknowledged, and the events that arrive earlier are recorded. After another lost
connection all groups resume from the same positions again, and the recorded events are duplicates. With one group, of
up to a hundred topics, the positions alone are enough.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_POSITION = re.compile(r"([^.,]+)\.(0|[1-9][0-9]{0,17})")


def parse_cursor(cursor: str) -> dict[str, int]:
    """Read a cursor; return the event numbers by log.

    Nothing else is assumed about the name of a log than that it has no comma and no dot.

    Raises:
        ValueError: the text is no cursor.
    """
    parts = cursor.split(",")
    positions = {match[1]: int(match[2]) for part in parts if (match := _POSITION.fullmatch(part))}
    # Fewer positions than parts: a part is no position, or two parts name the same log.
    if len(positions) < len(parts):
        raise ValueError("since is no cursor: send one back exactly as an ack, an event or a pong gave it")
    return positions


def cursor_of(positions: Mapping[str, int]) -> str | None:
    """Return the cursor of all these positions; `None` if there are none."""
    return ",".join(f"{log}.{number}" for log, number in sorted(positions.items())) or None


class Positions:
    """The positions by log, and the numbers of events beyond them that were delivered."""

    def __init__(self, positions: Mapping[str, int]) -> None:
        self._reached = dict(positions)
        self._starts: dict[str, int] = {}
        self._ahead: set[tuple[str, int]] = set()
        self._duplicates: set[tuple[str, int]] = set()

    @property
    def cursor(self) -> str | None:
        """The cursor to resume from; `None` before the first position is known."""
        return cursor_of(self._reached)

    def start_connection(self) -> None:
        """Begin a connection: all events delivered before it are duplicates on it."""
        self._starts = dict(self._reached)
        delivered = self._duplicates | self._ahead
        self._duplicates = {(log, number) for log, number in delivered if number > self._starts.get(log, -1)}
        self._ahead = set()

    def is_duplicate(self, positions: Mapping[str, int]) -> bool:
        """Return whether an event was delivered on an earlier connection.

        An event that one connection sends twice is a defect of the server, which the client does not hide.
        """
        return any(
            number <= self._starts.get(log, -1) or (log, number) in self._duplicates
            for log, number in positions.items()
        )

    def deliver(self, positions: Mapping[str, int], *, resuming: bool) -> None:
        """Record a delivered event; while `resuming`, events before it may still follow."""
        if resuming:
            self._ahead.update(positions.items())
        else:
            self._reached.update(positions)

    def reach(self, positions: Mapping[str, int]) -> None:
        """Move to the positions of a complete cursor."""
        self._reached = dict(positions)

    def restart_logs(self, positions: Mapping[str, int]) -> None:
        """Forget the logs that restarted, if the server could not resume.

        The topics are live from `positions`. A log with a lower position than before was restored from a backup, and
        its new events have the numbers of old ones.
        """
        restarted = {log for log, number in positions.items() if number < self._starts.get(log, -1)}
        for log in restarted:
            del self._starts[log]
        self._duplicates = {each for each in self._duplicates if each[0] not in restarted}
        self._ahead = {each for each in self._ahead if each[0] not in restarted}
