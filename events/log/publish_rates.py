"""The rates at which customers and keys publish, measured in each process.

Each process counts what it publishes itself, without a query. It also learns what the other processes have stored: the
numbers of a customer's log, which a publisher reads under the lock anyway, have grown in between.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from time import monotonic
from typing import NamedTuple

from events.counters import quota_refusals
from events.quotas.limits import BYTES, CUSTOMER, EVENTS, PublishLimit
from events.quotas.rate_limit import RateLimits, Request

MAX_CUSTOMERS = 10_000


class RateExceeded(Exception):
    """A customer or key publishes too fast; nothing was taken.

    After `wait_seconds` the same request succeeds, if there is no other in between.
    """

    def __init__(self, limit: PublishLimit, wait_seconds: float) -> None:
        self.wait_seconds = max(1, math.ceil(wait_seconds))
        holder = "Your customer" if limit.policy.startswith(CUSTOMER) else "This credential"
        super().__init__(
            f"{holder} publishes more than {limit.per_second} {limit.unit} a second: nothing was stored, try again in "
            f"{self.wait_seconds} s"
        )
        self.limit = limit


class Totals(NamedTuple):
    """The events and the bytes of data that a log has ever received."""

    events: int
    bytes: int


class _Known(NamedTuple):
    totals: Totals
    at: float


class PublishRates:
    """What is left of each limit, for all threads of a process.

    `clock` is monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._limits = RateLimits()
        self._known: dict[str, _Known] = {}
        self._elsewhere: dict[str, tuple[int, float]] = {}

    def take(self, wanted: Sequence[tuple[PublishLimit, int]]) -> None:
        """Take so much of each limit, or nothing of any.

        Raises:
            RateExceeded: One of them is exhausted.
        """
        if not wanted:
            return
        requests = [Request(limit.name, limit.limit, count) for limit, count in wanted]
        now = self._clock()
        with self._lock:
            for request in requests if self._elsewhere else ():
                if (found := self._elsewhere.pop(request.name, None)) is not None:
                    count, since = found
                    self._limits.taken_elsewhere(request._replace(wanted=count), since, now)
            shortage = self._limits.take(requests, now)
        if shortage is not None:
            limit = next(limit for limit, _ in wanted if limit.name == shortage.request.name)
            quota_refusals.add(limit.policy)
            raise RateExceeded(limit, shortage.wait_seconds)

    def give_back(self, taken: Sequence[tuple[PublishLimit, int]]) -> None:
        """Return what was taken of each limit."""
        with self._lock:
            self._limits.give_back([Request(limit.name, limit.limit, count) for limit, count in taken])

    def learn(self, stored: Mapping[str, tuple[Totals, Totals]]) -> None:
        """Learn what other processes have stored.

        The totals of customers' logs are those before and after this process has stored events.
        """
        now = self._clock()
        with self._lock:
            if len(self._known) > MAX_CUSTOMERS:
                self._known.clear()
                self._elsewhere.clear()
            for customer_id, (before, after) in stored.items():
                known = self._known.get(customer_id)
                if known is not None and before != known.totals:
                    self._add(
                        f"{CUSTOMER}-{EVENTS}:{customer_id}", before.events - known.totals.events, known.at
                    )
                    self._add(
                        f"{CUSTOMER}-{BYTES}:{customer_id}", before.bytes - known.totals.bytes, known.at
                    )
                self._known[customer_id] = _Known(after, now)

    def _add(self, name: str, count: int, since: float) -> None:
        before, earlier = self._elsewhere.get(name, (0, since))
        # A restored log has gone backwards.
        self._elsewhere[name] = (before + max(0, count), min(earlier, since))

    def headers(self, limits: Sequence[PublishLimit]) -> dict[str, str]:
        """Return the response headers for a publisher with these limits.

        They are those of draft-ietf-httpapi-ratelimit-headers-09.
        """
        if not limits:
            return {}
        now = self._clock()
        left = []
        for limit in limits:
            full_at = self._limits.full_at(limit.name)
            seconds = math.ceil(max(0.0, full_at - now))
            left.append(f'"{limit.policy}";r={limit.limit.left(full_at, now)};t={seconds}')
        return {
            "RateLimit-Policy": ", ".join([limit.policy_item for limit in limits]),
            "RateLimit": ", ".join(left),
        }


publish_rates = PublishRates()
"""The rates of this process."""
