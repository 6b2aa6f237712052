"""The agents who serve a queue (EVENTS_QUEUE_AGENTS)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from subscriptions.models import Agent


def agents_serving(queues: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """Return the ids of the active agents per (customer id, queue id).

    Unknown queues are missing.
    """
    wanted = set(queues)
    ids = []
    for _, queue_id in wanted:
        try:
            ids.append(uuid.UUID(queue_id))
        except ValueError:
            continue  # Not a queue of ours: the platform may use other ids.
    serving: dict[tuple[str, str], list[str]] = {}
    rows = (
        Agent.objects.filter(queues__in=ids, is_active=True)
        .order_by("id")
        .values_list("queues__customer_id", "queues__id", "id", "customer_id")
    )
    for customer_id, served_id, agent_id, agents_customer_id in rows:
        key = (str(customer_id), str(served_id))
        if key in wanted and customer_id == agents_customer_id:
            serving.setdefault(key, []).append(str(agent_id))
    return serving
