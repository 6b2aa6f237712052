"""`/v1.0/control/agents/<id>/invitation`: invite an agent to set a password."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField, Serializer, UUIDField
from rest_framework.views import APIView

from events.api.operation import field, operation, parameter
from events.api.schemas import TIME, UUID
from events.domain.event import format_timestamp
from subscriptions.accounts.invitations import invitation_link
from subscriptions.accounts.link_origin import link_origin
from subscriptions.api.control.requests import NO_STORE, controlling
from subscriptions.api.control.views import TAG, WRITE_ERRORS
from subscriptions.control.invitations import invite_agent, revoke_invitation_of
from subscriptions.models import Invitation


class NewInvitation(Serializer[Any]):
    agent_id = UUIDField()
    invitation_link = CharField(help_text="With which the agent sets a password, once.")
    expires_at = field(TIME)


class InvitationView(APIView):
    """The invitation of an agent, with which it sets a password."""

    @operation(
        "createControlInvitation",
        TAG,
        {201: ("The link, which is only in this answer.", NewInvitation)},
        [parameter("row_id", UUID, "The agent.", "path")],
        errors=WRITE_ERRORS,
    )
    def post(self, request: Request, row_id: str) -> Response:
        """Invite an agent.

        The last invitation ends. The present password is valid until the link is used.
        """
        with controlling(request) as controller:
            agent, secret = invite_agent(controller, row_id)
        content = {
            "agent_id": str(agent.pk),
            "invitation_link": invitation_link(secret, link_origin(request)),
            "expires_at": format_timestamp(Invitation.objects.get(pk=agent.pk).expires_at),
        }
        return Response(content, status=status.HTTP_201_CREATED, headers=NO_STORE)

    @operation(
        "revokeControlInvitation",
        TAG,
        {204: ("There is no open invitation.", None)},
        [parameter("row_id", UUID, "The agent.", "path")],
    )
    def delete(self, request: Request, row_id: str) -> Response:
        """Revoke the invitation of an agent."""
        with controlling(request) as controller:
            revoke_invitation_of(controller, row_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
