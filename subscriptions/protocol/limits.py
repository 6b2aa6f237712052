"""The limits of one connection."""

from __future__ import annotations

from dataclasses import dataclass

from events.quotas.rate_limit import RateLimit


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may request; each field is the setting of the same name in capitals."""

    message_max_bytes: int
    message_max_topics: int
    connection_max_topics: int
    subscribe_burst: int
    subscribe_per_second: int
    unreadable_messages_max: int

    @property
    def subscribe_rate(self) -> RateLimit:
        """The rate at which a client may subscribe to topics."""
        return RateLimit(self.subscribe_burst, 1 / self.subscribe_per_second)
