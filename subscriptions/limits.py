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
