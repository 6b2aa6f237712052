"""`/v1.0/agents/<id>/status`: what an agent chooses to be; stored and published together, or not at all."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import operation
from events.api.request_body import read_json_object
from events.domain.event import Draft, format_timestamp
from events.domain.event_parser import read_event
from events.domain.topics import is_canonical_uuid
from events.log.publish import publish
from subscriptions.api import schemas
from subscriptions.api.schemas import CHOOSABLE
from subscriptions.models import Agent, AgentStatus
from subscriptions.platform.client import ask, platform_of
from subscriptions.protocol.permissions import Identity, Role

TRIES = 5


class _Moved(Exception):
    """The status is another one by now than when the event was written."""


class AgentStatusView(APIView):
    """`/v1.0/agents/<id>/status`: GET reads the status, PUT chooses another."""

    @operation(
        "readAgentStatus",
        "Acting",
        {200: ("The status.", schemas.AgentStatus)},
        [schemas.AGENT_ID],
        errors=("PERMISSION_DENIED", "NOT_FOUND"),
    )
    def get(self, request: Request, agent_id: str) -> Response:
        """Read an agent's status."""
        return _shown(_agent(cast(Identity, request.user), agent_id))

    @operation(
        "chooseAgentStatus",
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
        agent = _agent(identity, agent_id)
        chosen = _chosen(read_json_object(request, schemas.STATUS_CHOICE.fields))
        if choose_status(agent, chosen, set_by=identity.agent_id):
            return _shown(agent)
        return _shown(agent, next_status=chosen, code=status.HTTP_202_ACCEPTED)


def choose_status(agent: Agent, chosen: str, *, set_by: str | None) -> bool:
    """Have the agent be what somebody chose; False where it will be once its call is over. `agent` is read anew.

    Not within a transaction.

    Raises:
        ApiError: the platform does not do it, or others change the status at the same time.
    """
    agent_id, customer_id = str(agent.pk), str(agent.customer_id)
    if platform_of(customer_id) is not None:
        # The platform first: an agent who only seems to be available would never be rung.
        path = f"/v1.0/agents/{quote(agent_id)}/status"
        said = ask("PUT", customer_id, path, {"agent_id": agent_id, "status": chosen})
        if said.get("status") in AgentStatus.values and said["status"] != chosen:
            # Busy: the platform carries it out, and tells of it, once the call is over.
            agent.refresh_from_db()
            return False
    _change(agent, chosen, set_by)
    return True


def _agent(identity: Identity, agent_id: str) -> Agent:
    """The agent, where its status is this identity's to know and to choose.

    Raises:
        ApiError: 403 or 404; who may not choose for others is not told whether there is such an agent.
    """
    if agent_id != identity.agent_id and identity.role not in (Role.MANAGER, Role.ADMIN, Role.STAFF):
        raise ApiError(
            status.HTTP_403_FORBIDDEN,
            "A status is chosen by the agent itself, or by a manager or admin of its customer",
        )
    found = Agent.objects.filter(pk=agent_id) if is_canonical_uuid(agent_id) else Agent.objects.none()
    if not identity.is_platform_staff:
        found = found.filter(customer_id=identity.customer_id)
    if (agent := found.first()) is None:
        raise ApiError(status.HTTP_404_NOT_FOUND, "There is no agent with this id for you")
    return agent


def _chosen(body: dict[str, Any]) -> str:
    chosen = body.get("status")
    if chosen not in CHOOSABLE:
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            f'"status" is one of {", ".join(CHOOSABLE)}; busy and ringing follow from calls',
            errors=[{"field": "status", "message": f"one of {', '.join(CHOOSABLE)}"}],
        )
    return str(chosen)


def _change(agent: Agent, chosen: str, set_by: str | None) -> None:
    """Publish the change, which also stores it (`event_hooks.projection`); nothing if it is the present status."""
    for _ in range(TRIES):
        agent.refresh_from_db(fields=["status", "status_changed_at"])
        if agent.status == chosen:
            return
        try:
            publish([_draft(agent, chosen, set_by)], check=lambda: _require_still(agent))
        except _Moved:
            continue
        agent.refresh_from_db(fields=["status", "status_changed_at"])
        return
    raise ApiError(
        status.HTTP_409_CONFLICT, "The status changes all the time: try again", code="STATUS_CHANGES"
    )


def _require_still(agent: Agent) -> None:
    """`previous_status` must be true: nobody else publishes while this is asked."""
    if not Agent.objects.filter(pk=agent.pk, status=agent.status).exists():
        raise _Moved


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


def _shown(agent: Agent, *, next_status: str | None = None, code: int = status.HTTP_200_OK) -> Response:
    shown = {
        "agent_id": str(agent.pk),
        "status": agent.status,
        "status_changed_at": format_timestamp(agent.status_changed_at),
    }
    if next_status is not None:
        shown["next_status"] = next_status
    return Response(shown, status=code, headers={"Cache-Control": "no-store"})
