"""What this process counts for its operators, from any thread: events that it stored, and times the database failed."""

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
        """All of them, as they are now."""
        with self._lock:
            return dict(self._counts)


stored_events = LabelledCount()
"""Events that were committed; no labels."""

database_errors = LabelledCount()
"""By the exception's class."""
