"""The quotas of customers and keys: their own, or the defaults of the settings."""

from __future__ import annotations

from django.conf import settings

from events.models import CustomerLog
from events.quotas.limits import DataCheck, Quotas, Rates
from subscriptions.models import AccessKey, Customer

KILOBYTE, MEGABYTE = 1000, 1_000_000


def quotas_of_customer(customer: Customer | None) -> Quotas:
    """Return the quotas of a customer.

    `None`, a customer that only the platform knows, has the defaults.
    """
    if customer is None:
        return Quotas(
            Rates(settings.CUSTOMER_EVENTS_PER_SECOND, settings.CUSTOMER_BYTES_PER_SECOND),
            settings.CUSTOMER_MAX_STORED_BYTES,
            settings.CUSTOMER_MAX_CONNECTIONS,
        )
    return Quotas(
        Rates(
            _own(customer.events_per_second, settings.CUSTOMER_EVENTS_PER_SECOND),
            _own(customer.kilobytes_per_second, settings.CUSTOMER_BYTES_PER_SECOND, KILOBYTE),
        ),
        _own(customer.stored_megabytes, settings.CUSTOMER_MAX_STORED_BYTES, MEGABYTE),
        _own(customer.max_connections, settings.CUSTOMER_MAX_CONNECTIONS),
        DataCheck(customer.data_check or DataCheck.OFF),
    )


def rates_of_key(key: AccessKey) -> Rates:
    """Return the rates of a key beside those of its customer."""
    return Rates(
        _own(key.events_per_second, settings.KEY_EVENTS_PER_SECOND),
        _own(key.kilobytes_per_second, settings.KEY_BYTES_PER_SECOND, KILOBYTE),
    )


def rates_of_token() -> Rates:
    """Return the rates of a token, which are those of a key by default."""
    return Rates(settings.KEY_EVENTS_PER_SECOND, settings.KEY_BYTES_PER_SECOND)


def fullest_storage() -> float:
    """Return the largest share that a customer has used of its quota of stored data."""
    own = dict(Customer.objects.filter(stored_megabytes__isnull=False).values_list("pk", "stored_megabytes"))
    fullest = 0.0
    for log in CustomerLog.objects.only("written_bytes", "pruned_bytes"):
        most = _own(own.get(log.pk), settings.CUSTOMER_MAX_STORED_BYTES, MEGABYTE)
        if most:
            fullest = max(fullest, log.stored_bytes / most)
    return fullest


def _own(value: int | None, default: int, unit: int = 1) -> int:
    return default if value is None else value * unit
