"""`/v1.0/agents/<id>/sign-out`: ending all sessions of an agent."""

from __future__ import annotations

from typing import cast

from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import operation
from events.api.request_body import read_json_object
from events.api.responses import with_now
from subscriptions.accounts.changes import current_actor, record
from subscriptions.api import schemas
from subscriptions.api.agent_status import MANAGING_ROLES, agent_for
from subscriptions.auth.logout import sign_out
from subscriptions.models import Agent, AuditAction
from subscriptions.protocol.permissions import Identity, Role

_RANKS = (Role.AGENT, Role.MANAGER, Role.ADMIN, Role.STAFF)


class AgentSignOutView(APIView):
    """Sign an agent out everywhere.

    All tokens of the agent that were issued up to now end with their connections, and its sessions in the admin pages.
    The agent can sign in again; its status and its access keys stay as they are.
    """

    @operation(
        "revokeAgentTokens",
        "Acting",
        {200: ("The agent's tokens are refused from now on.", schemas.SIGNED_OUT)},
        [schemas.AGENT_ID],
        errors=("INVALID_REQUEST", "PERMISSION_DENIED", "NOT_FOUND", "TOO_LARGE"),
    )
    def post(self, request: Request, agent_id: str) -> Response:
        identity = cast(Identity, request.user)
        if identity.role not in MANAGING_ROLES:
            raise ApiError(
                status.HTTP_403_FORBIDDEN,
                "An agent is signed out by a manager or admin of its customer; to sign out yourself, "
                "send POST /auth/logout",
            )
        read_json_object(request, ())
        agent = agent_for(identity, agent_id)
        _require_not_above(identity.role, agent)
        sign_out(agent, timezone.now())
        record(
            current_actor(),
            AuditAction.LOGOUT,
            f"agent:{agent.pk}",
            customer_id=agent.customer_id,
            rule="by-client",
            detail="everywhere",
        )
        return Response(with_now({"agent_id": str(agent.pk)}), headers={"Cache-Control": "no-store"})


def _require_not_above(role: Role | None, agent: Agent) -> None:
    """Refuse to sign out a person with more rights.

    Raises:
        ApiError: The agent has a higher role, or its user is a superuser.
    """
    is_above = role is None or _RANKS.index(Role(agent.role)) > _RANKS.index(role)
    if is_above or (agent.user.is_superuser and role is not Role.STAFF):
        raise ApiError(
            status.HTTP_403_FORBIDDEN,
            f"{agent.name} has a higher role than yours and is signed out by its own",
        )
