"""The directory of operators, customers and agents (EVENTS_DIRECTORY)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from events.hooks import AgentKey, Operator
from subscriptions.models import Agent, AgentRole, Customer
from subscriptions.models.number_masks import masking_of
from subscriptions.models.tenants import region_of

MAX_FOUND = 100


class CustomerDirectory:
    """The directory in the gateway's own database."""

    def operator_of(self, user: Any) -> Operator | None:
        """Return the rights of a user of the admin, or `None` if the user may not use it.

        Superusers and platform staff have all rights, admins those of their customer. Users without an agent have only
        the permissions that a superuser gave them.
        """
        if not (user.is_active and user.is_staff):
            return None
        if user.is_superuser:
            return Operator(customer_id=None, is_platform=True)
        agent = Agent.objects.select_related("customer").filter(user=user).first()
        if agent is None:
            return Operator(customer_id=None)
        if not (agent.is_active and agent.customer.is_active):
            return None
        if agent.role == AgentRole.STAFF:
            return Operator(customer_id=None, is_platform=True)
        if agent.role != AgentRole.ADMIN:
            return None
        masks_numbers = masking_of(agent.customer, agent.role)["masks_numbers"]
        return Operator(customer_id=agent.customer_id, masks_numbers=masks_numbers)

    def customer_names(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
        return dict(Customer.objects.filter(pk__in=list(ids)).values_list("pk", "name"))

    def agent_names(self, ids: Iterable[uuid.UUID]) -> dict[AgentKey, str]:
        rows = Agent.objects.filter(pk__in=list(ids)).values_list("customer_id", "pk", "name")
        return {(customer_id, agent_id): name for customer_id, agent_id, name in rows}

    def customers_named(self, text: str) -> list[uuid.UUID]:
        return list(Customer.objects.filter(name__icontains=text).values_list("pk", flat=True)[:MAX_FOUND])

    def agents_named(self, text: str) -> list[uuid.UUID]:
        return list(Agent.objects.filter(name__icontains=text).values_list("pk", flat=True)[:MAX_FOUND])

    def regions(self) -> list[str]:
        customers = Customer.objects.exclude(region="").order_by()
        return list(customers.values_list("region", flat=True).distinct()[:MAX_FOUND])

    def region_of(self, customer_id: str) -> str:
        return region_of(customer_id)

    def first_customers(self, count: int) -> list[tuple[uuid.UUID, str]]:
        return list(Customer.objects.order_by("name").values_list("pk", "name")[:count])

    def customer_url(self, customer_id: uuid.UUID) -> str:
        return reverse("admin:subscriptions_customer_change", args=[customer_id])

    def agent_url(self, agent_id: uuid.UUID) -> str:
        return reverse("admin:subscriptions_agent_change", args=[agent_id])


directory = CustomerDirectory()
