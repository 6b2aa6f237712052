"""Changing an agent's status: asked of the platform, and stored and published together or not at all."""

from __future__ import annotations

from urllib.parse import quote

from rest_framework import status

from events.api.errors import ApiError
from events.domain.event import Draft
from events.domain.event_parser import read_event
from events.log.publish import publish
from subscriptions.models import Agent, AgentStatus
from subscriptions.platform import client

CHOOSABLE = (AgentStatus.AVAILABLE, AgentStatus.AWAY, AgentStatus.OFFLINE)
MAX_ATTEMPTS = 5


class _StatusChanged(Exception):
    """The status is another one by now than when the event was written."""


def choose_status(agent: Agent, chosen: str, *, set_by: str | None) -> bool:
    """Have the agent be what somebody chose; False where it will be once its call is over. `agent` is read anew.

    Not within a transaction.

    Raises:
        ApiError: the platform does not do it, or others change the status at the same time.
    """
    agent_id, customer_id = str(agent.pk), str(agent.customer_id)
    if client.url_of(customer_id) is not None:
        # The platform first: an agent who only seems to be available would never be rung.
        path = f"/v1.0/agents/{quote(agent_id)}/status"
        reply = client.request("PUT", customer_id, path, {"agent_id": agent_id, "status": chosen})
        if reply.get("status") in AgentStatus.values and reply["status"] != chosen:
            # Busy: the platform carries it out, and tells of it, once the call is over.
            agent.refresh_from_db()
            return False
    _publish_status(agent, chosen, set_by)
    return True


def _publish_status(agent: Agent, chosen: str, set_by: str | None) -> None:
    """Publish the change, which also stores it (`event_hooks.projection`); nothing if it is the present status."""
    for _ in range(MAX_ATTEMPTS):
        agent.refresh_from_db(fields=["status", "status_changed_at"])
        if agent.status == chosen:
            return
        try:
            publish([_draft(agent, chosen, set_by)], check=lambda: _require_unchanged(agent))
        except _StatusChanged:
            continue
        agent.refresh_from_db(fields=["status", "status_changed_at"])
        return
    raise ApiError(
        status.HTTP_409_CONFLICT, "The status changes all the time: try again", code="STATUS_CHANGES"
    )


def _require_unchanged(agent: Agent) -> None:
    """`previous_status` must be true: nobody else publishes while this is asked."""
    if not Agent.objects.filter(pk=agent.pk, status=agent.status).exists():
        raise _StatusChanged


def _draft(agent: Agent, chosen: str, set_by: str | None) -> Draft:
    data = {
        "id": str(agent.pk),
        "agent_id": str(agent.pk),
        "customer_id": str(agent.customer_id),
        "name": agent.name,
        "status": chosen,
        "previous_status": agent.status,
        "set_by": set_by,
    }
    return read_event(
        {"event_type": "agent.status", "data": data},
        customer_id=str(agent.customer_id),
        resources={"agent"},
        max_bytes=2**16,
    )
