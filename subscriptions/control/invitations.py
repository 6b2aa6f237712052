"""Inviting agents to set a password."""

from __future__ import annotations

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from subscriptions.accounts.changes import subject_of
from subscriptions.accounts.invitations import invite, revoke_invitation
from subscriptions.control.agents import Agents
from subscriptions.control.controller import Controller
from subscriptions.models import Agent, AuditAction

_agents = Agents()


@sensitive_variables()
def invite_agent(controller: Controller, pk: str) -> tuple[Agent, str]:
    """Invite an agent; return it with the invitation's secret.

    Raises:
        NotPermitted: The controller may change no agents.
        Refused: It may not change agents of this role: who sets the password of an admin is that admin.
        Missing: There is no such agent for this controller.
    """
    with controller.change():
        row = _agents.find_to_change(controller, pk)
        secret = invite(row, timezone.now())
        _record(controller, row, "Invited to set a password.")
        return row, secret


def revoke_invitation_of(controller: Controller, pk: str) -> None:
    """Revoke the open invitation of an agent, if there is one.

    Raises:
        NotPermitted: The controller may change no agents.
        Refused: It may not change agents of this role.
        Missing: There is no such agent for this controller.
    """
    with controller.change():
        row = _agents.find_to_change(controller, pk)
        if revoke_invitation(row):
            _record(controller, row, "Invitation revoked.")


def _record(controller: Controller, row: Agent, done: str) -> None:
    controller.record(AuditAction.CHANGE, subject_of(row), row.customer_id, f"{row}: {done}", None)
