"""How long a client waits before it connects again: long enough that a thousand of them do not trample a server.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Callable

FIRST_SECONDS = 1.0
MAX_SECONDS = 30.0
STABLE_SECONDS = 5.0
"""A connection that lasted this long was no failure: the pauses begin anew."""

MAX_IMMEDIATE = 2
"""Connecting at once is done this often without a stable connection between: a server that accepts and closes again
would have a client at its door without end."""


class Backoff:
    """Pauses in seconds: up to 1, doubling up to 30, each drawn evenly from nothing to that ("full jitter").

    `random` gives numbers from 0 to 1.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0
        self._immediate = 0

    def lasted(self, seconds: float) -> None:
        """Learn how long a connection lasted."""
        if seconds >= STABLE_SECONDS:
            self._failures = self._immediate = 0

    def after_failure(self) -> float:
        """After a failure."""
        limit = min(MAX_SECONDS, FIRST_SECONDS * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return self._random() * limit

    def immediate(self, *, jitter: float) -> float:
        """Where the server wants us back at once: within `jitter` seconds, as long as that does not repeat itself."""
        self._immediate += 1
        return self._random() * jitter if self._immediate <= MAX_IMMEDIATE else self.after_failure()

    def after_too_many(self) -> float:
        """Where the server has too many of us."""
        self._failures += 1
        return MAX_SECONDS * (1 + self._random()) / 2
