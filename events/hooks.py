"""The directory of operators, customers and agents (setting EVENTS_DIRECTORY)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from events.quotas.limits import Quotas


@dataclass(frozen=True, slots=True)
class Operator:
    """A user of the admin.

    `customer_id` is the one customer whose rows the operator sees and manages, or `None` for all customers.
    `is_platform`: platform staff and superusers, who need none of Django's permissions. An operator who is neither has
    the permissions that a superuser granted, and no access to the platform's own agents. With `masks_numbers` the pages
    show masked telephone numbers.
    """

    customer_id: uuid.UUID | None
    is_platform: bool = False
    masks_numbers: bool = False

    @property
    def may_by_role(self) -> bool:
        """Whether the role permits everything, without Django's permissions."""
        return self.is_platform or self.customer_id is not None

    def sees(self, customer_id: object) -> bool:
        """Return whether the operator sees this customer's rows."""
        return self.customer_id is None or self.customer_id == customer_id


AgentKey = tuple[uuid.UUID, uuid.UUID]
"""The ids of a customer and its agent: a publisher may name another customer's agent, whose name is not shown."""


class Directory(Protocol):
    """The look-ups that the app of events needs from the app of customers and agents."""

    def operator_of(self, user: Any) -> Operator | None:
        """Return this user as an operator; `None` if the user may not use the admin."""

    def customer_names(self, ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, str]:
        """Return the names of these customers; unknown ones are missing."""

    def agent_names(self, ids: Iterable[uuid.UUID]) -> Mapping[AgentKey, str]:
        """Return the names of these agents, by customer and agent; unknown ones are missing."""

    def customers_named(self, text: str) -> Sequence[uuid.UUID]:
        """Find customers with `text` in their names; at most a hundred."""

    def agents_named(self, text: str) -> Sequence[uuid.UUID]:
        """Find agents with `text` in their names; at most a hundred."""

    def regions(self) -> Sequence[str]:
        """Return the regions of the customers' numbers."""

    def region_of(self, customer_id: str) -> str:
        """Return the ISO 3166 code of the region of a customer's numbers, "" for none."""

    def first_customers(self, count: int) -> Sequence[tuple[uuid.UUID, str]]:
        """Return the ids and names of the first `count` customers by name."""

    def customer_url(self, customer_id: uuid.UUID) -> str:
        """Return the URL of a customer's page."""

    def agent_url(self, agent_id: uuid.UUID) -> str:
        """Return the URL of an agent's page."""


def directory() -> Directory:
    """Return the directory that the setting EVENTS_DIRECTORY names."""
    found: Directory = import_string(settings.EVENTS_DIRECTORY)
    return found


def operator_of(request: HttpRequest) -> Operator | None:
    """Return the operator of an admin request, looked up once a request."""
    user = request.user
    known = getattr(request, "_operator_of", None)
    if known is None or known[0] is not user:
        known = (user, directory().operator_of(user))
        request._operator_of = known  # type: ignore[attr-defined]
    return known[1]


def quotas_of(customer_ids: Iterable[str]) -> Mapping[str, Quotas]:
    """Return the quotas of these customers, all of them, by the setting EVENTS_QUOTAS."""
    found: Mapping[str, Quotas] = import_string(settings.EVENTS_QUOTAS)(customer_ids)
    return found
