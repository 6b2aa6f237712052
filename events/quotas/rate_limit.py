"""A rate limit that keeps a single number, and many of them by name.

Times are in seconds of one clock, which the caller reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

ROUNDING_SECONDS = 1e-6
"""A shorter wait is a rounding error: seconds since 1970 are floats with a precision of 0.2 µs."""

MAX_DEBT_SECONDS = 60.0
"""The longest that an empty limit waits for what was taken elsewhere, beyond its burst."""

MAX_NAMES = 10_000


class Taken(NamedTuple):
    """When the limit is full again, and the seconds to wait; if not 0, nothing was taken."""

    full_at: float
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `burst` at once, and one more every `refill_seconds`.

    More than the burst at once is granted while the limit is full; the next one waits until all of it is refilled. This
    is the generic cell rate algorithm (ITU-T I.371, annex A): its whole state is the time at which the limit is full
    again.
    """

    burst: int
    refill_seconds: float

    def take(self, full_at: float, now: float, wanted: int = 1) -> Taken:
        """Take `wanted` at once, or nothing."""
        after = max(full_at, now) + wanted * self.refill_seconds
        wait = min(after - now - self.burst * self.refill_seconds, full_at - now)
        return Taken(full_at, wait) if wait > ROUNDING_SECONDS else Taken(after, 0.0)

    def left(self, full_at: float, now: float) -> int:
        """Return how many are left."""
        return max(0, int(self.burst - max(0.0, full_at - now) / self.refill_seconds + ROUNDING_SECONDS))


class Request(NamedTuple):
    """What is wanted of the limit of one name."""

    name: str
    limit: RateLimit
    wanted: int


class Shortage(NamedTuple):
    """The request that has to wait longest, and how long."""

    request: Request
    wait_seconds: float


class RateLimits:
    """The states of rate limits by name.

    The limit of a name may change: the state is a time, and holds for any limit.
    """

    def __init__(self) -> None:
        self._full_at: dict[str, float] = {}

    def take(self, requests: Sequence[Request], now: float) -> Shortage | None:
        """Take of each limit, or nothing of any, and return the shortage."""
        taken: list[float] = []
        shortage: Shortage | None = None
        for request in requests:
            full_at, wait = request.limit.take(self._full_at.get(request.name, 0.0), now, request.wanted)
            taken.append(full_at)
            if wait > (shortage.wait_seconds if shortage else 0.0):
                shortage = Shortage(request, wait)
        if shortage is None:
            if len(self._full_at) > MAX_NAMES:
                self._full_at = {name: full_at for name, full_at in self._full_at.items() if full_at > now}
            for request, full_at in zip(requests, taken, strict=True):
                self._full_at[request.name] = full_at
        return shortage

    def give_back(self, requests: Sequence[Request]) -> None:
        """Undo the taking of these requests."""
        for request in requests:
            if request.name in self._full_at:
                self._full_at[request.name] -= request.wanted * request.limit.refill_seconds

    def taken_elsewhere(self, request: Request, since: float, now: float) -> None:
        """Count what was taken elsewhere after `since`, without asking this limit."""
        limit = request.limit
        full_at = max(self._full_at.get(request.name, 0.0), since) + request.wanted * limit.refill_seconds
        latest = now + limit.burst * limit.refill_seconds + MAX_DEBT_SECONDS
        self._full_at[request.name] = min(full_at, latest)

    def full_at(self, name: str) -> float:
        """Return when the limit of a name is full again; past times are all the same."""
        return self._full_at.get(name, 0.0)
