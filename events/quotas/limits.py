"""What a customer may use: rates of publishing, stored bytes and connections."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from events.quotas.rate_limit import RateLimit

CUSTOMER, KEY = "customer", "key"
EVENTS, BYTES = "events", "bytes"

STORED_BYTES_BESIDE_DATA = 1000
"""Of an event, beside its data: the other columns and the indexes, about what they occupy on disk."""


class Rates(NamedTuple):
    """Events and bytes a second; 0: as many as there are."""

    events_per_second: int = 0
    bytes_per_second: int = 0


UNLIMITED_RATES = Rates()


class DataCheck(StrEnum):
    """What happens if the data of a published event is not that of its event type."""

    OFF = "off"
    """It is not compared."""
    REPORT = "report"
    """The event is stored, and the receipt has warnings."""
    REFUSE = "refuse"
    """The request is refused."""


class Quotas(NamedTuple):
    """The quotas of one customer, where 0 is no limit, and the check of its data."""

    rates: Rates = UNLIMITED_RATES
    stored_bytes: int = 0
    connections: int = 0
    data_check: DataCheck = DataCheck.OFF


UNLIMITED = Quotas()


class PublishLimit(NamedTuple):
    """The limit of one customer or key for events or bytes.

    `name` is unique to it; `policy` is that of the header RateLimit-Policy, such as `customer-events`.
    """

    name: str
    policy: str
    unit: str
    per_second: int
    limit: RateLimit
    policy_item: str


@lru_cache(maxsize=10_000)
def publish_limits(kind: str, holder: str, rates: Rates, burst_seconds: int) -> tuple[PublishLimit, ...]:
    """Return the limits of a customer or key with these rates; both, one or none."""
    limits = []
    for unit, per_second in ((EVENTS, rates.events_per_second), (BYTES, rates.bytes_per_second)):
        if per_second:
            policy, burst = f"{kind}-{unit}", per_second * burst_seconds
            # Units other than requests and bytes are not registered.
            unit_parameter = ';qu="content-bytes"' if unit == BYTES else ""
            item = f'"{policy}";q={burst};w={burst_seconds}{unit_parameter}'
            limit = RateLimit(burst, 1 / per_second)
            limits.append(PublishLimit(f"{policy}:{holder}", policy, unit, per_second, limit, item))
    return tuple(limits)


def stored_size(body: str) -> int:
    """Return the bytes that an event with this data counts in the quota of stored bytes."""
    return STORED_BYTES_BESIDE_DATA + (len(body) if body.isascii() else len(body.encode()))
