"""The throttle of refused handshakes, which spares the database those that keep failing.

It is of one process, in its memory. A credential that this process accepted before is not affected: clients that work
may share their address with one that does not.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2b
from threading import Lock
from time import monotonic
from typing import TypeVar

from events.quotas.rate_limit import RateLimit
from subscriptions.protocol.limits import network_of

PER_ADDRESS = RateLimit(burst=100, refill_seconds=0.5)
FLOOD_COUNTS = 50
"""Refused handshakes for which a connection counts that was closed because it flooded the gateway."""

LONGEST_WAIT_SECONDS = 30.0
"""How long connections that flood the gateway let their address wait."""

MAX_REMEMBERED = 10_000
"""Addresses and credentials; the oldest are forgotten."""

K = TypeVar("K")
V = TypeVar("V")


class HandshakeThrottle:
    """The refused handshakes of this process, from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._accepted: OrderedDict[bytes, None] = OrderedDict()

    def wait_seconds(self, address: str, credential: bytes) -> float:
        """Return how long a handshake has to wait; 0 if the credential is to be checked now."""
        with self._lock:
            if credential in self._accepted:
                return 0.0
            full_at = self._full_at.get(network_of(address), 0.0)
        return PER_ADDRESS.take(full_at, monotonic()).wait_seconds

    def accepted(self, credential: bytes) -> None:
        """Remember a credential that was accepted."""
        with self._lock:
            _put(self._accepted, credential, None)

    def refused(self, address: str, credential: bytes) -> None:
        """Count a refused handshake."""
        self._count(address, credential, 1, longest_wait=PER_ADDRESS.refill_seconds)

    def flooded(self, address: str, credential: bytes) -> None:
        """Count a connection that flooded the gateway."""
        self._count(address, credential, FLOOD_COUNTS, longest_wait=LONGEST_WAIT_SECONDS)

    def _count(self, address: str, credential: bytes, count: int, *, longest_wait: float) -> None:
        network, now = network_of(address), monotonic()
        empty_at = now + (PER_ADDRESS.burst - 1) * PER_ADDRESS.refill_seconds
        with self._lock:
            self._accepted.pop(credential, None)
            before = max(self._full_at.get(network, 0.0), now)
            after = before + count * PER_ADDRESS.refill_seconds
            _put(self._full_at, network, max(before, min(after, empty_at + longest_wait)))


handshake_throttle = HandshakeThrottle()


def credential_digest(query: str, headers: Mapping[str, str]) -> bytes:
    """Return a digest of a request's credential; the headers have names in lower case."""
    sent = f"{query}\0{headers.get('authorization', '')}"
    return blake2b(sent.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _put(remembered: OrderedDict[K, V], key: K, value: V) -> None:
    remembered[key] = value
    remembered.move_to_end(key)
    if len(remembered) > MAX_REMEMBERED:
        remembered.popitem(last=False)
