"""Counts of the callers whose wait or call ended, and the figures that follow from them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

BUCKET_SECONDS = 300
"""Length of a bucket. Offsets of time zones are multiples of it, so a day begins with a bucket."""

HOUR_BUCKETS = 12
"""Buckets of the last hour: the present one, and those before it."""


def bucket_of(moment: float) -> int:
    """Return when the bucket of a moment begins, both in seconds since 1970."""
    return int(moment // BUCKET_SECONDS) * BUCKET_SECONDS


def hour_before(moment: float) -> int:
    """Return when the first bucket of the last hour begins."""
    return bucket_of(moment) - (HOUR_BUCKETS - 1) * BUCKET_SECONDS


@dataclass(slots=True)
class Counts:
    """Callers of some time. Those who gave up soon are `short_abandoned` and not `abandoned`.

    `wait_seconds` is the sum of the waits of the answered, `handle_seconds` that of the `handled`, whose call is over.
    """

    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    wait_seconds: float = 0.0
    handled: int = 0
    handle_seconds: float = 0.0

    def add(self, other: Counts) -> None:
        """Add the counts of another time or queue."""
        self.answered += other.answered
        self.in_time += other.in_time
        self.abandoned += other.abandoned
        self.short_abandoned += other.short_abandoned
        self.wait_seconds += other.wait_seconds
        self.handled += other.handled
        self.handle_seconds += other.handle_seconds

    @property
    def judged(self) -> int:
        """The callers by whom the service level is judged."""
        return self.answered + self.abandoned

    @property
    def service_level(self) -> float | None:
        """The share of the judged callers who were answered in time, in per cent."""
        return percent(self.in_time, self.judged)

    def figures(self) -> dict[str, Any]:
        """Return the figures for JSON. Those without a caller are `None`."""
        return {
            "answered": self.answered,
            "answered_in_time": self.in_time,
            "abandoned": self.abandoned,
            "short_abandoned": self.short_abandoned,
            "service_level": self.service_level,
            "asa_seconds": _mean(self.wait_seconds, self.answered),
            "aht_seconds": _mean(self.handle_seconds, self.handled),
        }


def sum_of(counts: Iterable[Counts]) -> Counts:
    """Return the sum of counts."""
    total = Counts()
    for each in counts:
        total.add(each)
    return total


def percent(part: float, whole: float) -> float | None:
    """Return a share in per cent with one digit, `None` of nothing.

    Rounded down: 79.96 has not reached 80.
    """
    return math.floor(part / whole * 1000 + 1e-9) / 10 if whole > 0 else None


def _mean(total: float, count: int) -> float | None:
    return round(total / count, 1) if count else None
