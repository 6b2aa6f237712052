"""The quotas of other customers than the publisher's (EVENTS_QUOTAS)."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic

from events.database.direct_sql import find_rows
from events.quotas.limits import Quotas
from subscriptions.auth.customer_quotas import quotas_of_customer
from subscriptions.models import Customer

MAX_AGE_SECONDS = 10.0
MAX_CUSTOMERS = 10_000

_cache: dict[str, tuple[Quotas, float]] = {}


def quotas_of(customer_ids: Iterable[str]) -> dict[str, Quotas]:
    """Return the quotas of these customers, at most MAX_AGE_SECONDS old."""
    wanted, now = list(customer_ids), monotonic()
    found = {each: kept[0] for each in wanted if (kept := _cache.get(each)) is not None and kept[1] > now}
    if missing := [each for each in wanted if each not in found]:
        customers = {str(each.pk): each for each in find_rows(Customer, {"id": missing})}
        if len(_cache) > MAX_CUSTOMERS:
            _cache.clear()
        for each in missing:
            found[each] = quotas_of_customer(customers.get(each))
            _cache[each] = (found[each], now + MAX_AGE_SECONDS)
    return found
