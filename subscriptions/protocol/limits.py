"""The limits of one connection, and networks of addresses."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from events.quotas.rate_limit import RateLimit


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
