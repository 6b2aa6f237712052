"""The cursor: a client's opaque position in its customers' logs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PART = re.compile(r"([0-9a-f]{12})\.(0|[1-9][0-9]{0,17})", re.ASCII)

MAX_LOGS = 1000
"""The most logs of one cursor."""

NO_EPOCH = "0" * 12
"""The epoch of a log that does not exist yet. Its only position is 0, the beginning of the later log."""


class InvalidCursor(ValueError):
    """The text is no cursor of this gateway."""


@dataclass(frozen=True, slots=True)
class Position:
    """A position in one log: the client has the events up to and including number `seq`."""

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}"


@dataclass(frozen=True, slots=True)
class Mark:
    """The known numbers and events of a log, for comparison.

    Its numbers reach `last_seq` or more, and `ids` has events by their numbers. A log that contradicts it went
    backwards: it is an older copy, which may have given its numbers anew.
    """

    epoch: str
    last_seq: int
    ids: Mapping[int, str]

    @property
    def joined_ids(self) -> str:
        """The hex digits of its ids, in the order of their numbers."""
        return "".join(self.ids[seq] for seq in sorted(self.ids)).replace("-", "")

    def contradicts(self, epoch: str, last_seq: int, floor: int, ids: Mapping[int, str]) -> bool:
        """Return whether a log with these values, and these of the mark's events, went backwards.

        A log of another epoch is another one, and events up to the floor were pruned.
        """
        if epoch != self.epoch:
            return False
        if last_seq < self.last_seq:
            return True
        return any(ids.get(seq) != event_id for seq, event_id in self.ids.items() if seq > floor)


def parse_cursor(text: str) -> Mapping[str, int]:
    """Parse a cursor into the numbers by the epochs of their logs.

    An epoch identifies one log. The cursors of connections with several customers have several positions, joined by
    commas.

    Raises:
        InvalidCursor: The text is no cursor.
    """
    parts = text.split(",", MAX_LOGS)
    positions = {match[1]: int(match[2]) for part in parts if (match := _PART.fullmatch(part))}
    # Fewer positions than parts: a part is no position, or an epoch occurs twice.
    if len(positions) < len(parts) or len(parts) > MAX_LOGS:
        raise InvalidCursor("since is no cursor: send one back exactly as an ack, an event or a pong gave it")
    return positions


def number_in(cursor: Mapping[str, int], epoch: str) -> int | None:
    """Return the number of a cursor in the log of this epoch; `None` if it is of other logs."""
    if epoch in cursor:
        return cursor[epoch]
    return 0 if cursor.get(NO_EPOCH) == 0 else None


def join_positions(positions: Iterable[Position]) -> str:
    """Join positions into a cursor."""
    return ",".join(str(position) for position in positions)
