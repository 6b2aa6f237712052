"""The cursor: a client's opaque mark of how far it has heard its customers' logs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PART = re.compile(r"([0-9a-f]{12})\.(0|[1-9][0-9]{0,17})", re.ASCII)

MAX_LOGS = 1000
"""Logs that one cursor may speak of."""

NO_EPOCH = "0" * 12
"""The epoch of a log that does not exist yet. Its only position, 0, is the beginning of the log once there is one."""


class InvalidCursor(ValueError):
    """The text is no cursor that this gateway gave."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in one log: everything up to and with number `seq` of the log's `epoch` has been heard."""

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}"


def parse_cursor(text: str) -> Mapping[str, int]:
    """Read a cursor: the numbers by the epochs of their logs.

    An epoch belongs to one log alone, so it also tells which customer's. Connections that hear several
    customers have cursors of several positions, joined by commas.

    Raises:
        InvalidCursor: it is none.
    """
    parts = text.split(",", MAX_LOGS)
    positions = {match[1]: int(match[2]) for part in parts if (match := _PART.fullmatch(part))}
    # Fewer positions than parts: one of them is none, or one log is named twice.
    if len(positions) < len(parts) or len(parts) > MAX_LOGS:
        raise InvalidCursor("since is no cursor: send one back exactly as an ack, an event or a pong gave it")
    return positions


def number_in(cursor: Mapping[str, int], epoch: str) -> int | None:
    """The number that a cursor holds for the log of this epoch; `None` if the cursor is of other logs."""
    if epoch in cursor:
        return cursor[epoch]
    return 0 if cursor.get(NO_EPOCH) == 0 else None


def join_positions(positions: Iterable[Position]) -> str:
    """The cursor that holds all of these positions."""
    return ",".join(str(position) for position in positions)
