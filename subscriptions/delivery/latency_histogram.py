"""How long deliveries took, counted in buckets: from the commit of an event until it was written to the sockets.

Sans-I/O.
"""

from __future__ import annotations

from bisect import bisect_left

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds; what took longer is counted as well."""


class LatencyHistogram:
    """Counted once for an event and all who hear it: what a single delivery costs is nothing."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total_seconds = 0.0

    def add(self, seconds: float, deliveries: int) -> None:
        """So many deliveries took so long. Clocks of two machines differ: less than nothing is nothing."""
        seconds = max(0.0, seconds)
        self.counts[bisect_left(BUCKETS, seconds)] += deliveries
        self.total_seconds += seconds * deliveries
