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


def _limits_of(publisher: Publisher) -> tuple[PublishLimit, ...]:
    """Return the limits of a publisher.

    Platform staff publish for any customer: the limits of each event's customer count, not of their own.
    """
    of_key = publish_limits(KEY, publisher.credential_id, publisher.rates, settings.EVENTS_BURST_SECONDS)
    if publisher.is_platform_staff:
        return of_key
    return (*_limits_of_customer(publisher.customer_id, publisher.quotas.rates), *of_key)


class Usage:
    """What one request takes of the limits of its publisher.

    `quotas` are those of the customers of its events, after `take_events`.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._limits = _limits_of(publisher)
        self._taken: list[tuple[PublishLimit, int]] = []
        self.quotas: Mapping[str, Quotas] = {publisher.customer_id: publisher.quotas}

    def take_size(self, size: int) -> None:
        """Take the bytes of the request, before it costs the time to parse it.

        Raises:
            RateExceeded: The customer or the credential has published too many bytes.
        """
        self._take([(limit, size) for limit in self._limits if limit.unit == BYTES])

    def take_events(self, drafts: Sequence[Draft], size: int) -> Mapping[str, int]:
        """Take the events of the request of `size` bytes.

        Returns the quotas of stored bytes by customer.

        Raises:
            RateExceeded: A customer or the credential has published too many events.
        """
        publisher = self._publisher
        wanted = [(limit, len(drafts)) for limit in self._limits if limit.unit == EVENTS]
        if publisher.is_platform_staff:
            counts = Counter(draft.customer_id for draft in drafts)
            self.quotas = quotas_of(counts)
            for customer_id, count in counts.items():
                for limit in _limits_of_customer(customer_id, self.quotas[customer_id].rates):
                    wanted.append((limit, count if limit.unit == EVENTS else size * count // len(drafts)))
        self._take(wanted)
        return {customer_id: each.stored_bytes for customer_id, each in self.quotas.items()}

    def give_back(self) -> None:
        """Return what was taken: the request was not stored, and is not at fault."""
        publish_rates.give_back(self._taken)
        self._taken = []

    def headers(self) -> dict[str, str]:
        """Return the response headers that say what is left of the limits."""
        return publish_rates.headers(self._limits)

    def _take(self, wanted: list[tuple[PublishLimit, int]]) -> None:
        publish_rates.take(wanted)
        self._taken += wanted


def _limits_of_customer(customer_id: str, rates: Rates) -> tuple[PublishLimit, ...]:
    return publish_limits(CUSTOMER, customer_id, rates, settings.EVENTS_BURST_SECONDS)
