"""Pauses before reconnecting, which spread the load of many clients.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Callable

FIRST_SECONDS = 1.0
MAX_SECONDS = 30.0
MAX_AWAY_SECONDS = 5.0
"""The limit while the gateway itself does not answer: trying costs it nothing."""

STABLE_SECONDS = 5.0
"""A connection that lasted this long resets the pauses."""

MAX_IMMEDIATE = 2
"""Consecutive immediate reconnects without a stable connection in between. Without a limit, a server that accepts and
closes at once would be called in a loop."""


class Backoff:
    """Exponential backoff with full jitter.

    A pause is a random number of seconds between 0 and a limit, which doubles from 1 to 30 with each failure. `random`
    returns numbers from 0 to 1.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0
        self._immediate = 0

    def lasted(self, seconds: float) -> None:
        """Reset the pauses if a connection was stable."""
        if seconds >= STABLE_SECONDS:
            self._failures = self._immediate = 0

    def after_failure(self, max_seconds: float = MAX_SECONDS) -> float:
        """Return the pause after a failure."""
        limit = min(max_seconds, FIRST_SECONDS * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return self._random() * limit

    def immediate(self, *, jitter: float) -> float:
        """Return a pause of at most `jitter` seconds, for a server that expects the client back.

        After `MAX_IMMEDIATE` such pauses the server counts as failing.
        """
        self._immediate += 1
        return self._random() * jitter if self._immediate <= MAX_IMMEDIATE else self.after_failure()

    def after_too_many(self) -> float:
        """Return the pause after the server refused a connection because it has too many."""
        self._failures += 1
        return MAX_SECONDS * (1 + self._random()) / 2
