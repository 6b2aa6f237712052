"""Changing an agent's status: on the platform first, then stored and published together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from rest_framework import status

from events.api.errors import ApiError
from events.domain.event import Draft, format_timestamp
from events.domain.event_parser import read_event
from events.domain.strict_json import decode
from events.log.publish import publish
from events.models import ResourceState
from subscriptions.models import Agent, AgentStatus
from subscriptions.platform import client

CHOOSABLE = (AgentStatus.AVAILABLE, AgentStatus.AWAY, AgentStatus.OFFLINE)
MAX_ATTEMPTS = 5


class Away(NamedTuple):
    """Why an agent is away, and until when; `returns_at` is `None` if that is open."""

    reason: str | None
    returns_at: datetime | None


PRESENT = Away(None, None)


class _StatusChanged(Exception):
    """The status has changed since the event was built."""


def choose_status(
    agent: Agent, chosen: str, *, set_by: str | None, away: Away = PRESENT, cause: str = ""
) -> bool:
    """Set the status and refresh `agent`; return `False` if it changes after the present call.

    Must not run within a transaction. `set_by` is the id of the agent who chose it, and `cause` why no person did. A
    reason for being away, or its end, is published also if the agent is away already; the platform does not learn it.

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
    _publish_status(agent, chosen, set_by, away, cause)
    return True


def status_details(agent: Agent) -> dict[str, Any]:
    """Return who chose the agent's status, and why the agent is away, as its event had it."""
    state = ResourceState.objects.filter(
        customer_id=agent.customer_id, resource="agent", resource_id=str(agent.pk), member_id=""
    ).first()
    data = decode(state.body) if state else {}
    # The state may be of another status: an operator can set one without an event.
    known = data if data.get("status") == agent.status else {}
    return {name: known.get(name) for name in ("away_reason", "returns_at", "set_by", "set_by_name")}


def _is_away_for_reason(agent: Agent) -> bool:
    known = status_details(agent)
    return known["away_reason"] is not None or known["returns_at"] is not None


def _publish_status(agent: Agent, chosen: str, set_by: str | None, away: Away, cause: str) -> None:
    """Publish the change unless it is the present status; `event_hooks.projection` stores it."""
    name = Agent.objects.filter(pk=set_by).values_list("name", flat=True).first() if set_by else None
    for _ in range(MAX_ATTEMPTS):
        agent.refresh_from_db(fields=["status", "status_changed_at"])
        if agent.status == chosen and away == PRESENT and not _is_away_for_reason(agent):
            return
        details = {
            "set_by": set_by,
            "set_by_name": name,
            "away_reason": away.reason,
            "returns_at": format_timestamp(away.returns_at) if away.returns_at else None,
            **({"cause": cause} if cause else {}),
        }
        try:
            publish([_draft(agent, chosen, details)], check=lambda: _require_unchanged(agent))
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


def _draft(agent: Agent, chosen: str, details: Mapping[str, str | None]) -> Draft:
    data = {
        "id": str(agent.pk),
        "agent_id": str(agent.pk),
        "customer_id": str(agent.customer_id),
        "name": agent.name,
        "status": chosen,
        "previous_status": agent.status,
        **details,
    }
    return read_event(
        {"event_type": "agent.status", "data": data},
        customer_id=str(agent.customer_id),
        resources={"agent"},
        max_bytes=2**16,
    )
