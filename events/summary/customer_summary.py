"""A summary with its place in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from events.domain.cursor import Position
from events.domain.event import Entry
from events.summary.fold import SummaryFold
from events.summary.summary_event import read_entry


@dataclass(slots=True)
class Summary:
    """A customer's summary at a position of its log.

    `profile_read_at` is when its profile was read, in seconds of a monotonic clock. Used by one thread at a time.
    """

    customer_id: str
    epoch: str
    seq: int
    fold: SummaryFold
    profile_read_at: float

    @property
    def position(self) -> Position:
        """The position at which the figures hold."""
        return Position(self.epoch, self.seq)

    def take(self, entries: Sequence[Entry]) -> None:
        """Apply the next entries of the log, without a gap."""
        for entry in entries:
            if (event := read_entry(entry)) is not None:
                self.fold.apply(event)
            self.seq = entry.seq
