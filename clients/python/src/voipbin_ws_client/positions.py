"""How far a client has heard its logs: where it goes on after a break, and what it was given before.

Sans-I/O. A connection of one customer has one log, platform staff may hear several; each log numbers its
events. An event's cursor names its own log alone, so the newest number of each is kept. The cursor of an ack or a
pong is complete: it has every log that the connection hears, up to where all of it has been sent.

Topics are resumed in chunks, and the server replays one chunk after the other. A later chunk's replay goes back to
where the first one began; so while not all chunks are acknowledged the positions stay, and what is delivered
meanwhile is remembered. Should the connection break then, all is resumed from the old positions, and what was
remembered is not delivered again. With one chunk, of up to a hundred topics, the positions alone do all that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_POSITION = re.compile(r"([^.,]+)\.(0|[1-9][0-9]{0,17})")


def parse_cursor(cursor: str) -> dict[str, int]:
    """Read a cursor: the numbers by log.

    Raises:
        ValueError: it is none.
    """
    parts = cursor.split(",")
    positions = {match[1]: int(match[2]) for part in parts if (match := _POSITION.fullmatch(part))}
    # Fewer positions than parts: one of them is none, or one log is named twice.
    if len(positions) < len(parts):
        raise ValueError("since is no cursor: send one back exactly as an ack, an event or a pong gave it")
    return positions


def cursor_of(positions: Mapping[str, int]) -> str | None:
    """The cursor that holds all of these positions; none where there are none."""
    return ",".join(f"{log}.{number}" for log, number in sorted(positions.items())) or None


class Positions:
    """Positions by log, and the numbers above them that were delivered all the same."""

    def __init__(self, positions: Mapping[str, int]) -> None:
        self._reached = dict(positions)
        self._starts: dict[str, int] = {}
        self._ahead: set[tuple[str, int]] = set()
        self._duplicates: set[tuple[str, int]] = set()

    @property
    def cursor(self) -> str | None:
        """From where to go on; none where nothing was heard yet."""
        return cursor_of(self._reached)

    def start_connection(self) -> None:
        """A new connection: what was delivered until now is not to be delivered again."""
        self._starts = dict(self._reached)
        delivered = self._duplicates | self._ahead
        self._duplicates = {(log, number) for log, number in delivered if number > self._starts.get(log, -1)}
        self._ahead = set()

    def is_duplicate(self, positions: Mapping[str, int]) -> bool:
        """Whether an event was delivered on an earlier connection already.

        What one connection sends twice is a broken promise of the server and none of this: it is not hidden.
        """
        return any(
            number <= self._starts.get(log, -1) or (log, number) in self._duplicates
            for log, number in positions.items()
        )

    def deliver(self, positions: Mapping[str, int], *, resuming: bool) -> None:
        """An event was delivered; while `resuming`, others before it may still come."""
        if resuming:
            self._ahead.update(positions.items())
        else:
            self._reached.update(positions)

    def reach(self, positions: Mapping[str, int]) -> None:
        """Everything up to this complete cursor was delivered."""
        self._reached = dict(positions)

    def restart_logs(self, positions: Mapping[str, int]) -> None:
        """The server could not resume, and these are live from here on. Where a log has gone backwards, its old
        numbers mean nothing: the new events that bear them were never delivered."""
        restarted = {log for log, number in positions.items() if number < self._starts.get(log, -1)}
        for log in restarted:
            del self._starts[log]
        self._duplicates = {each for each in self._duplicates if each[0] not in restarted}
        self._ahead = {each for each in self._ahead if each[0] not in restarted}
