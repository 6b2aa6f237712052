"""A histogram of delivery latency: from an event's commit to the write to its subscribers.

Sans-I/O.
"""

from __future__ import annotations

from bisect import bisect_left

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds; the last bucket counts everything above."""


class LatencyHistogram:
    """Counts of deliveries by latency; updated once for all deliveries of an event."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total_seconds = 0.0

    def add(self, seconds: float, deliveries: int) -> None:
        """Count deliveries that took so long; a negative time, by two machines' clocks, is 0."""
        seconds = max(0.0, seconds)
        self.counts[bisect_left(BUCKETS, seconds)] += deliveries
        self.total_seconds += seconds * deliveries
