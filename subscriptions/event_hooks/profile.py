"""The profile by which a customer's figures are counted (EVENTS_CUSTOMER_PROFILE)."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, tzinfo

from django.db.models import Prefetch

from events.summary.profile import CustomerProfile, QueueProfile, Targets
from subscriptions.models import Agent, AgentRole, Customer, Queue
from subscriptions.models.targets import TARGETS


def profile_of(customer_id: str) -> CustomerProfile:
    """Return the profile of a customer; of one that only the platform knows, the defaults."""
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        return CustomerProfile()
    agents = Agent.objects.filter(customer=customer, is_active=True).order_by("pk")
    queues = Queue.objects.filter(customer=customer).prefetch_related(Prefetch("agents", agents.only("pk")))
    return CustomerProfile(
        _time_zone(customer.time_zone),
        _targets(customer, None),
        {
            str(queue.pk): QueueProfile(
                queue.name, _targets(customer, queue), tuple(str(each.pk) for each in queue.agents.all())
            )
            for queue in queues
        },
        {
            str(agent_id): status
            for agent_id, status in agents.filter(role=AgentRole.AGENT).values_list("pk", "status")
        },
    )


def _targets(customer: Customer, queue: Queue | None) -> Targets:
    own = {name: getattr(queue, name, None) for name in TARGETS}
    default = {name: getattr(customer, name) for name in TARGETS}
    return Targets(**{name: default[name] if value is None else value for name, value in own.items()})


def _time_zone(name: str) -> tzinfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return UTC  # This machine does not know it; the one on which it was set did.
