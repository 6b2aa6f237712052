"""One queue: its callers who wait and talk now, and the counts of the day by bucket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from events.summary.counts import BUCKET_SECONDS, Counts, bucket_of, hour_before, sum_of
from events.summary.profile import Targets


class Moment(NamedTuple):
    """What a queue was doing when a bucket began."""

    waiting: int
    longest_wait_seconds: float
    talking: int


@dataclass(slots=True)
class QueueLine:
    """The callers of one queue. Times are in seconds since 1970.

    `waiting` has when each call joined, `talking` when it was connected. `breached_since` is when the queue was
    reported to miss its target, `None` while it does not.
    """

    targets: Targets
    waiting: dict[str, float] = field(default_factory=dict)
    talking: dict[str, float] = field(default_factory=dict)
    buckets: dict[int, Counts] = field(default_factory=dict)
    moments: dict[int, Moment] = field(default_factory=dict)
    breached_since: float | None = None
    _day: tuple[float, int, Counts] | None = field(default=None, repr=False)

    def has(self, call_id: str) -> bool:
        """Return whether a call is in the queue."""
        return call_id in self.waiting or call_id in self.talking

    def join(self, call_id: str, joined_at: float) -> None:
        """Let a call wait; its time is replaced if it waits already."""
        self.waiting[call_id] = joined_at

    def connect(self, call_id: str, at: float, waited: float | None) -> None:
        """Count a caller as answered, after `waited` seconds, or after its time here."""
        if call_id in self.talking:
            return
        joined_at = self.waiting.pop(call_id, at)
        seconds = max(0.0, at - joined_at) if waited is None else waited
        counts = self._counts(at)
        counts.answered += 1
        counts.wait_seconds += seconds
        counts.in_time += seconds <= self.targets.target_seconds
        self.talking[call_id] = at

    def leave(self, call_id: str, at: float, *, gave_up: bool, waited: float | None = None) -> None:
        """End a call's time in the queue; `gave_up` counts only while it waits."""
        connected_at = self.talking.pop(call_id, None)
        if connected_at is not None:
            counts = self._counts(at)
            counts.handled += 1
            counts.handle_seconds += max(0.0, at - connected_at)
            return
        joined_at = self.waiting.pop(call_id, None)
        if joined_at is None or not gave_up:
            return
        seconds = max(0.0, at - joined_at) if waited is None else waited
        counts = self._counts(at)
        if seconds < self.targets.short_abandon_seconds:
            counts.short_abandoned += 1
        else:
            counts.abandoned += 1

    def _counts(self, at: float) -> Counts:
        start = bucket_of(at)
        if self._day is not None and start < self._day[1]:
            self._day = None
        return self.buckets.setdefault(start, Counts())

    @property
    def longest_wait_since(self) -> float | None:
        """When the caller who waits longest joined."""
        return min(self.waiting.values(), default=None)

    def moment(self, at: float) -> Moment:
        """Return what the queue does at this moment."""
        since = self.longest_wait_since
        return Moment(
            len(self.waiting), max(0.0, at - since) if since is not None else 0.0, len(self.talking)
        )

    def forget_before(self, start: int) -> None:
        """Forget the buckets that began earlier."""
        for each in [each for each in self.buckets if each < start]:
            del self.buckets[each]
        for each in [each for each in self.moments if each < start]:
            del self.moments[each]

    def last_hour(self, now: float) -> Counts:
        """Return the counts of the last hour: of the present bucket and those before it."""
        starts = range(hour_before(now), bucket_of(now) + 1, BUCKET_SECONDS)
        return sum_of(self.buckets[start] for start in starts if start in self.buckets)

    def since(self, first: float, now: float) -> Counts:
        """Return the counts since the beginning of a bucket."""
        present = bucket_of(now)
        # Those of earlier buckets are kept: they rarely change.
        if self._day is None or self._day[:2] != (first, present):
            earlier = sum_of(counts for start, counts in self.buckets.items() if first <= start < present)
            self._day = (first, present, earlier)
        last = self.buckets.get(present) if first <= present else None
        return sum_of(each for each in (self._day[2], last) if each is not None)
