"""Taking what a publish request uses from the rates of its customer and its credential."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from django.conf import settings

from events.api.publish_parser import Publisher
from events.domain.event import Draft
from events.hooks import quotas_of
from events.log.publish_rates import publish_rates
from events.quotas.limits import BYTES, CUSTOMER, EVENTS, KEY, PublishLimit, Quotas, Rates, publish_limits

Wanted = list[tuple[PublishLimit, int]]


def limits_of(publisher: Publisher) -> tuple[PublishLimit, ...]:
    """Return the limits of a publisher.

    Platform staff publish for any customer: the limits of each event's customer count, not of their own.
    """
    of_key = publish_limits(KEY, publisher.credential_id, publisher.rates, settings.EVENTS_BURST_SECONDS)
    if publisher.is_platform_staff:
        return of_key
    return (*_limits_of_customer(publisher.customer_id, publisher.quotas.rates), *of_key)


def take_size(limits: Sequence[PublishLimit], size: int) -> None:
    """Take the bytes of a request, before it costs the time to parse it.

    Raises:
        RateExceeded: The customer or the credential has published too many bytes.
    """
    publish_rates.take(_of_size(limits, size))


def take_events(
    publisher: Publisher, limits: Sequence[PublishLimit], drafts: Sequence[Draft], size: int
) -> Mapping[str, int]:
    """Take the events of a request of `size` bytes from its publisher's limits.

    Returns the quotas of stored bytes by customer.

    Raises:
        RateExceeded: A customer or the credential has published too many events.
    """
    quotas = _quotas(publisher, drafts)
    publish_rates.take(_of_events(publisher, limits, quotas, drafts, size))
    return {customer_id: each.stored_bytes for customer_id, each in quotas.items()}


def give_back(publisher: Publisher, drafts: Sequence[Draft], size: int) -> None:
    """Give back what a request has taken, since it is published later."""
    limits = limits_of(publisher)
    of_events = _of_events(publisher, limits, _quotas(publisher, drafts), drafts, size)
    publish_rates.give_back([*_of_size(limits, size), *of_events])


def _quotas(publisher: Publisher, drafts: Sequence[Draft]) -> Mapping[str, Quotas]:
    if publisher.is_platform_staff:
        return quotas_of({draft.customer_id for draft in drafts})
    return {publisher.customer_id: publisher.quotas}


def _of_size(limits: Sequence[PublishLimit], size: int) -> Wanted:
    return [(limit, size) for limit in limits if limit.unit == BYTES]


def _of_events(
    publisher: Publisher,
    limits: Sequence[PublishLimit],
    quotas: Mapping[str, Quotas],
    drafts: Sequence[Draft],
    size: int,
) -> Wanted:
    wanted = [(limit, len(drafts)) for limit in limits if limit.unit == EVENTS]
    if publisher.is_platform_staff:
        for customer_id, count in Counter(draft.customer_id for draft in drafts).items():
            for limit in _limits_of_customer(customer_id, quotas[customer_id].rates):
                wanted.append((limit, count if limit.unit == EVENTS else size * count // len(drafts)))
    return wanted


def _limits_of_customer(customer_id: str, rates: Rates) -> tuple[PublishLimit, ...]:
    return publish_limits(CUSTOMER, customer_id, rates, settings.EVENTS_BURST_SECONDS)
