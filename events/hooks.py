"""Who uses the operators' pages, and whose rows they see there; the app above says both, through a setting."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Operator:
    """A person who may use the operators' pages.

    `customer_id` is the one customer whose rows this person sees and manages, or none for every customer's.
    `is_platform`: runs the platform (platform staff, superusers), so needs none of Django's permissions. Who is neither
    has just those permissions that a superuser gave, and no reach to the platform's own people.
    """

    customer_id: uuid.UUID | None
    is_platform: bool = False

    @property
    def may_by_role(self) -> bool:
        """Whether the role alone gives all that is done on these pages."""
        return self.is_platform or self.customer_id is not None

    def sees(self, customer_id: object) -> bool:
        return self.customer_id is None or self.customer_id == customer_id


AgentKey = tuple[uuid.UUID, uuid.UUID]
"""The ids of a customer and its agent: an id that a publisher names may be a foreigner's, whose name is not told."""


class Directory(Protocol):
    """What the events' pages ask of the app that knows people."""

    def operator_of(self, user: Any) -> Operator | None:
        """Whom this user is on the operators' pages; none: nobody."""

    def customer_names(self, ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, str]:
        """The names of these customers; unknown ones are missing."""

    def agent_names(self, ids: Iterable[uuid.UUID]) -> Mapping[AgentKey, str]:
        """The names of these agents, by whose they are and their ids; unknown ones are missing."""

    def customers_named(self, text: str) -> Sequence[uuid.UUID]:
        """Customers with `text` in their names; the first hundred."""

    def agents_named(self, text: str) -> Sequence[uuid.UUID]:
        """Agents with `text` in their names; the first hundred."""

    def first_customers(self, count: int) -> Sequence[tuple[uuid.UUID, str]]:
        """Ids and names of the first `count` customers by name."""

    def customer_url(self, customer_id: uuid.UUID) -> str:
        """The page of a customer."""

    def agent_url(self, agent_id: uuid.UUID) -> str:
        """The page of an agent."""


def directory() -> Directory:
    """The directory that the setting EVENTS_DIRECTORY names."""
    return import_string(settings.EVENTS_DIRECTORY)


def operator_of(request: HttpRequest) -> Operator | None:
    """Whose request this is on the operators' pages; asked once a request."""
    user = request.user
    known = getattr(request, "_operator_of", None)
    if known is None or known[0] is not user:
        known = (user, directory().operator_of(user))
        request._operator_of = known  # type: ignore[attr-defined]
    return known[1]
