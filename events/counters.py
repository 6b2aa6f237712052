"""Counters of this process for the metrics, incremented from any thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from threading import Lock


class LabelledCount:
    """A count for each set of labels."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[tuple[str, ...]] = Counter()

    def add(self, *labels: str, count: int = 1) -> None:
        """Add to the count of these labels."""
        with self._lock:
            self._counts[labels] += count

    def counts(self) -> Mapping[tuple[str, ...], int]:
        """Return a copy of all counts."""
        with self._lock:
            return dict(self._counts)


stored_events = LabelledCount()
"""Committed events; no labels."""

log_waits = LabelledCount()
"""Publish requests that waited for a log that another transaction held, by the outcome."""

database_errors = LabelledCount()
"""Database errors, by the class of the exception."""

mismatched_events = LabelledCount()
"""Published events whose data was not that of their event type, by event type and outcome."""

quota_refusals = LabelledCount()
"""Refused requests and connections, by the quota that they exceed."""
