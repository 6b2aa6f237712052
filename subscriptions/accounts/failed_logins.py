"""Aggregation of failed log-ins, so that a flood of them does not flood the audit log.

Sans-I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

WINDOW_SECONDS = 60.0
MAX_KINDS = 100
"""Different failures in a window; further ones are counted together."""


class Failure(NamedTuple):
    """What failed log-ins with one record have in common."""

    username: str
    address: str
    client: str
    rule: str


OTHERS = Failure("", "", "", "many-failed-logins")
"""Stands for all failures beyond MAX_KINDS."""


@dataclass
class FailedLogins:
    """The failures of one process.

    The first of a kind is recorded at once, its repeats once a minute.
    """

    _began_at: float = 0.0
    _counts: dict[Failure, int] = field(default_factory=dict)

    def add(self, failure: Failure, now: float) -> Failure | None:
        """Count a failure; return it if it has to be recorded at once. `now` is in seconds."""
        if not self._counts:
            self._began_at = now
        if failure in self._counts:
            self._counts[failure] += 1
            return None
        if len(self._counts) < MAX_KINDS:
            self._counts[failure] = 0
            return failure
        self._counts[OTHERS] = self._counts.get(OTHERS, 0) + 1
        return None

    def due(self, now: float) -> bool:
        """Return whether the window has ended."""
        return bool(self._counts) and now >= self._began_at + WINDOW_SECONDS

    def take(self) -> list[tuple[Failure, int]]:
        """Return the failures that are not recorded yet, and begin a new window."""
        counts, self._counts = self._counts, {}
        return [(failure, count) for failure, count in counts.items() if count]

    def put_back(self, failures: list[tuple[Failure, int]], now: float) -> None:
        """Count failures again that could not be recorded."""
        if failures and not self._counts:
            self._began_at = now
        for failure, count in failures:
            self._counts[failure] = self._counts.get(failure, 0) + count
