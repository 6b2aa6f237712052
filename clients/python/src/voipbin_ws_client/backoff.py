"""How long a client waits before it connects again: long enough that a thousand of them do not trample a server.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Callable

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 30.0
STABLE_SECONDS = 5.0
"""A connection that lasted this long was no failure: the pauses begin anew."""

MOST_AT_ONCE = 2
"""Connecting at once is done this often without a stable connection between: a server that accepts and closes again
would have a client at its door without end."""


class Backoff:
    """Pauses in seconds: up to 1, doubling up to 30, each drawn evenly from nothing to that ("full jitter").

    `random` gives numbers from 0 to 1.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0
        self._at_once = 0

    def lasted(self, seconds: float) -> None:
        """Learn how long a connection lasted."""
        if seconds >= STABLE_SECONDS:
            self._failures = self._at_once = 0

    def pause(self) -> float:
        """After a failure."""
        longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return self._random() * longest

    def soon(self, *, jitter: float) -> float:
        """Where the server wants us back at once: within `jitter` seconds, as long as that does not repeat itself."""
        self._at_once += 1
        return self._random() * jitter if self._at_once <= MOST_AT_ONCE else self.pause()

    def later(self) -> float:
        """Where the server has too many of us."""
        self._failures += 1
        return LONGEST_SECONDS * (1 + self._random()) / 2
