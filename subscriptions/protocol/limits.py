"""The limits of a connection, a rate limit as a single number, and networks of addresses."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

ROUNDING_SECONDS = 1e-6
"""A shorter wait is a rounding error: seconds since 1970 are floats with a precision of 0.2 µs."""


class Taken(NamedTuple):
    """When the limit is full again, and the seconds to wait; if not 0, nothing was taken."""

    full_at: float
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `burst` at once, and one more every `refill_seconds`.

    This is the generic cell rate algorithm (ITU-T I.371, annex A): its whole state is the time at which the limit is
    full again.
    """

    burst: int
    refill_seconds: float

    def take(self, full_at: float, now: float, wanted: int = 1) -> Taken:
        """Take `wanted` at once, or nothing. Both times are in seconds of one clock."""
        after = max(full_at, now) + wanted * self.refill_seconds
        wait = after - now - self.burst * self.refill_seconds
        return Taken(full_at, wait) if wait > ROUNDING_SECONDS else Taken(after, 0.0)


def network_of(address: str) -> str:
    """Return the address; for IPv6 the /64 network of one household (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False) if isinstance(parsed, IPv6Address) else parsed)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may request; each field is the setting of the same name in capitals."""

    message_max_bytes: int
    message_max_topics: int
    connection_max_topics: int
    subscribe_burst: int
    subscribe_per_second: int
    message_burst: int
    messages_per_second: int
    refused_messages_max: int
    unreadable_messages_max: int

    @property
    def message_rate(self) -> RateLimit:
        """The rate at which a client may send messages of any type."""
        return RateLimit(self.message_burst, 1 / self.messages_per_second)

    @property
    def subscribe_rate(self) -> RateLimit:
        """The rate at which a client may subscribe to topics."""
        return RateLimit(self.subscribe_burst, 1 / self.subscribe_per_second)
