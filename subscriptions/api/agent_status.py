"""`/v1.0/agents/<id>/status`: reading and setting an agent's status."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import operation
from events.api.request_body import read_json_object
from events.api.responses import with_now
from events.domain.event import format_timestamp
from events.domain.strict_json import encode
from events.domain.topics import covering_patterns, is_canonical_uuid
from events.models import ResourceState
from events.reading.states import is_readable
from subscriptions.accounts.changes import record_status
from subscriptions.api import schemas
from subscriptions.models import Agent, AgentStatus
from subscriptions.models.desk_settings import MAX_AWAY_MINUTES
from subscriptions.platform.agent_status import CHOOSABLE, PRESENT, Away, choose_status, status_details
from subscriptions.protocol.permissions import Identity, Role

MANAGING_ROLES = frozenset({Role.MANAGER, Role.ADMIN, Role.STAFF})
"""The roles that set the status of other agents, and sign them out."""


class AgentStatusView(APIView):
    """`/v1.0/agents/<id>/status`: GET reads the status, PUT chooses another."""

    @operation(
        "getAgentStatus",
        "Acting",
        {200: ("The status.", schemas.AgentStatus)},
        [schemas.AGENT_ID],
        errors=("PERMISSION_DENIED", "NOT_FOUND"),
    )
    def get(self, request: Request, agent_id: str) -> Response:
        """Read an agent's status."""
        return _shown(agent_for(cast(Identity, request.user), agent_id))

    @operation(
        "setAgentStatus",
        "Acting",
        {
            200: ("The agent has this status.", schemas.AgentStatus),
            202: ("The agent will have this status after the present call.", schemas.AgentStatus),
        },
        [schemas.AGENT_ID],
        body=schemas.STATUS_CHOICE,
        examples={"away": {"status": "away"}},
        errors=schemas.STATUS_ERRORS,
    )
    def put(self, request: Request, agent_id: str) -> Response:
        """Choose an agent's status.

        The status is stored, and published as `agent.status` with its `previous_status`: both or neither.
        """
        identity = cast(Identity, request.user)
        agent = agent_for(identity, agent_id)
        body = read_json_object(request, schemas.STATUS_CHOICE.fields)
        chosen = _chosen(body)
        away = read_away(body, chosen, agent.customer.away_reasons)
        before = agent.status
        is_set = choose_status(agent, chosen, set_by=identity.agent_id, away=away)
        if before != chosen:
            record_status(agent, before, chosen, rule="by-client")
        if is_set:
            return _shown(agent)
        return _shown(agent, next_status=chosen, code=status.HTTP_202_ACCEPTED)


def agent_for(identity: Identity, agent_id: str) -> Agent:
    """Return the agent whose status this identity may read and set.

    Raises:
        ApiError: 404 if there is no such agent, 403 if the identity may not know whether there is.
    """
    if agent_id != identity.agent_id and identity.role not in MANAGING_ROLES:
        raise ApiError(
            status.HTTP_403_FORBIDDEN,
            "A status is chosen by the agent itself, or by a manager or admin of its customer",
        )
    found = Agent.objects.filter(pk=agent_id) if is_canonical_uuid(agent_id) else Agent.objects.none()
    if not identity.is_platform_staff:
        found = found.filter(customer_id=identity.customer_id)
    agent = found.first()
    if agent is None or not _is_readable(agent, identity):
        raise ApiError(status.HTTP_404_NOT_FOUND, "There is no agent with this id for you")
    return agent


def _is_readable(agent: Agent, identity: Identity) -> bool:
    own = (f"customer_id:{agent.customer_id}", f"agent_id:{agent.pk}")
    if identity.allowed_topics is not None and all(
        identity.allowed_topics.isdisjoint(covering_patterns(f"{scope}:agent:{agent.pk}")) for scope in own
    ):
        return False
    if identity.filter is None:
        return True
    address = {"customer_id": agent.customer_id, "resource": "agent", "resource_id": str(agent.pk)}
    state = ResourceState.objects.filter(**address, member_id="").first()
    # Before the agent's first event: its status is known all the same.
    unpublished = ResourceState(**address, event_type="agent.status", body=encode({"status": agent.status}))
    return is_readable(state or unpublished, identity.filter)


def _chosen(body: dict[str, Any]) -> str:
    chosen = body.get("status")
    if chosen not in CHOOSABLE:
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            f'"status" is one of {", ".join(CHOOSABLE)}; busy and ringing follow from calls',
            errors=[{"field": "status", "message": f"one of {', '.join(CHOOSABLE)}"}],
        )
    return str(chosen)


def read_away(body: dict[str, Any], chosen: str, known_reasons: list[dict[str, Any]]) -> Away:
    """Return the reason that a request names; `known_reasons` are the customer's.

    Raises:
        ApiError: The reason is none of the customer's, or the status is another one.
    """
    code, minutes = body.get("away_reason"), body.get("minutes")
    if code is None and minutes is None:
        return PRESENT
    reasons = {each["code"]: each for each in known_reasons}
    errors = []
    if chosen != AgentStatus.AWAY:
        errors.append(
            {"field": "status", "message": "away: a reason and minutes belong to this status alone"}
        )
    if code is not None and (not isinstance(code, str) or code not in reasons):
        known = (
            f"one of {', '.join(reasons)}" if reasons else "an operator names the customer's reasons first"
        )
        errors.append({"field": "away_reason", "message": known})
    if minutes is not None and not (type(minutes) is int and 1 <= minutes <= MAX_AWAY_MINUTES):
        errors.append({"field": "minutes", "message": f"a whole number from 1 to {MAX_AWAY_MINUTES}"})
    if errors:
        message = "; ".join(f"{each['field']}: {each['message']}" for each in errors)
        raise ApiError(status.HTTP_400_BAD_REQUEST, message, errors=errors)
    reason = reasons[code] if code is not None else {"label": None, "minutes": None}
    until = reason["minutes"] if minutes is None else minutes
    return Away(reason["label"], timezone.now() + timedelta(minutes=until) if until else None)


def _shown(agent: Agent, *, next_status: str | None = None, code: int = status.HTTP_200_OK) -> Response:
    shown = {
        "agent_id": str(agent.pk),
        "status": agent.status,
        "status_changed_at": format_timestamp(agent.status_changed_at),
        **status_details(agent),
    }
    if next_status is not None:
        shown["next_status"] = next_status
    return Response(with_now(shown), status=code, headers={"Cache-Control": "no-store"})
