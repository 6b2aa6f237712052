"""Changing an agent's status: on the platform first, then stored and published together."""

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
    """The status has changed since the event was built."""


def choose_status(agent: Agent, chosen: str, *, set_by: str | None, cause: str = "") -> bool:
    """Set the status and refresh `agent`; return `False` if it changes after the present call.

    Must not run within a transaction. `set_by` is the id of the agent who chose it, and
    `cause` why no person did.

    Raises:
        ApiError: The platform refuses, or the status keeps changing at the same time.
    """
    agent_id, customer_id = str(agent.pk), str(agent.customer_id)
    if client.url_of(customer_id) is not None:
        # The platform first: it would route no calls to an agent who is available only here.
        path = f"/v1.0/agents/{quote(agent_id)}/status"
        reply = client.request("PUT", customer_id, path, {"agent_id": agent_id, "status": chosen})
        if reply.get("status") in AgentStatus.values and reply["status"] != chosen:
            # Busy: the platform changes the status after the call, and publishes that.
            agent.refresh_from_db()
            return False
    _publish_status(agent, chosen, set_by, cause)
    return True


def _publish_status(agent: Agent, chosen: str, set_by: str | None, cause: str) -> None:
    """Publish the change unless it is the present status; `event_hooks.projection` stores it."""
    for _ in range(MAX_ATTEMPTS):
        agent.refresh_from_db(fields=["status", "status_changed_at"])
        if agent.status == chosen:
            return
        try:
            publish([_draft(agent, chosen, set_by, cause)], check=lambda: _require_unchanged(agent))
        except _StatusChanged:
            continue
        agent.refresh_from_db(fields=["status", "status_changed_at"])
        return
    raise ApiError(
        status.HTTP_409_CONFLICT, "The status changes all the time: try again", code="STATUS_CHANGES"
    )


def _require_unchanged(agent: Agent) -> None:
    """Check `previous_status` under the lock of the log, while no other process publishes."""
    if not Agent.objects.filter(pk=agent.pk, status=agent.status).exists():
        raise _StatusChanged


def _draft(agent: Agent, chosen: str, set_by: str | None, cause: str) -> Draft:
    data = {
        "id": str(agent.pk),
        "agent_id": str(agent.pk),
        "customer_id": str(agent.customer_id),
        "name": agent.name,
        "status": chosen,
        "previous_status": agent.status,
        "set_by": set_by,
        **({"cause": cause} if cause else {}),
    }
    return read_event(
        {"event_type": "agent.status", "data": data},
        customer_id=str(agent.customer_id),
        resources={"agent"},
        max_bytes=2**16,
    )
