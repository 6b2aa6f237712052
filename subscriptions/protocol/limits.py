"""What one connection may ask for, and how the rate of its subscribing is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may ask for; settings of the same names in capitals."""

    message_max_bytes: int
    message_max_topics: int
    connection_max_topics: int
    subscribe_burst: int
    subscribe_per_second: int
    unreadable_messages_max: int


@dataclass(slots=True)
class Bucket:
    """How many topics may be subscribed at once, refilled with time."""

    burst: int
    per_second: int
    left: float = 0.0
    at: float = 0.0

    def take(self, wanted: int, now: float) -> bool:
        self.left = min(self.burst, self.left + (now - self.at) * self.per_second)
        self.at = now
        if wanted > self.left:
            return False
        self.left -= wanted
        return True


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many at once, and one more every `refill_seconds`; all that is kept of it is when it will be full again.

    That is the generic cell rate algorithm (ITU-T I.371, annex A).
    """

    burst: int
    refill_seconds: float

    def take(self, full_at: float, now: float) -> tuple[float, float]:
        """Take one; both times in seconds of one clock.

        Returns when it will be full again, and how many seconds are to be waited: with more than 0 nothing was taken.
        """
        after = max(full_at, now) + self.refill_seconds
        wait = after - now - self.burst * self.refill_seconds
        return (full_at, wait) if wait > 0 else (after, 0.0)
