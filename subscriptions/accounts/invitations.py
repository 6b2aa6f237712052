"""Invitations: one-time links with which a person sets a password, first or anew."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from subscriptions.accounts.changes import (
    Actor,
    actor_of_user,
    client_info_of,
    current_actor,
    current_request,
    record,
)
from subscriptions.auth.client_info import UNKNOWN
from subscriptions.auth.login_throttle import throttled
from subscriptions.models import Agent, AuditAction, AuditVerdict, Invitation, digest_of

LIFETIME = dt.timedelta(days=7)
PAGE = "invitation/"
SECRET_BYTES = 24


class InvalidInvitation(Exception):
    """The link cannot be used; the message says why, and what to do."""


@sensitive_variables()
def invite(agent: Agent, now: dt.datetime) -> str:
    """Make an invitation in place of the agent's last one; return its secret.

    The secret is stored nowhere. The present password is valid until the link is used.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    Invitation.objects.update_or_create(
        agent=agent,
        defaults={
            "digest": digest_of(secret),
            "created_at": now,
            "expires_at": now + LIFETIME,
            "used_at": None,
        },
    )
    return secret


@sensitive_variables()
def invitation_link(secret: str, origin: str) -> str:
    """Return the link; `origin` is the gateway's URL with a slash at its end, or "/"."""
    return f"{origin}{PAGE}#{secret}"


def revoke_invitation(agent: Agent) -> bool:
    """Delete the agent's open invitation; return whether there was one."""
    return bool(Invitation.objects.filter(agent=agent, used_at=None).delete()[0])


@sensitive_variables()
def find_invitation(secret: str) -> Invitation:
    """Return the open invitation with this secret, throttled as log-ins are.

    Raises:
        InvalidInvitation: There is none, or it is over.
        TooManyLogins: Too many links were tried from this address.
    """
    request = current_request.get()
    client_info = UNKNOWN if request is None else client_info_of(request)
    digest = digest_of(secret)
    # Throttled by link: tries with one do not block the others.
    with throttled(f"invitation {digest}", client_info.address):
        try:
            return _open_one(digest, lock=False)
        except InvalidInvitation:
            record(
                Actor("", client_info=client_info),
                AuditAction.LOGIN,
                "",
                verdict=AuditVerdict.REFUSED,
                rule="invalid-invitation",
            )
            raise


def _open_one(digest: str, *, lock: bool) -> Invitation:
    rows = Invitation.objects.select_related("agent__user", "agent__customer")
    found = (rows.select_for_update(of=("self",)) if lock else rows).filter(digest=digest).first()
    if found is None:
        raise InvalidInvitation(
            _(
                "This invitation is not valid: there is a newer one, or the link is incomplete. Ask an admin for a "
                "new one."
            )
        )
    if found.used_at is not None:
        raise InvalidInvitation(
            _("This invitation was used. Sign in with your password, or ask an admin for a new invitation.")
        )
    if not found.is_open(timezone.now()):
        raise InvalidInvitation(_("This invitation has expired. Ask an admin for a new one."))
    agent = found.agent
    if not (agent.is_active and agent.user.is_active and agent.customer.is_active):
        raise InvalidInvitation(_("This account is switched off. Ask an admin."))
    return found


@sensitive_variables()
def accept(invitation: Invitation, password: str) -> Agent:
    """Set the password of the invited agent, which ends its tokens and the invitation.

    Raises:
        ValidationError: The password is not good enough.
        InvalidInvitation: Another request has used the invitation, or it was replaced.
        TooManyLogins: Too many passwords are hashed now.
    """
    validate_password(password, invitation.agent.user)
    # Before the transaction, which would keep others waiting for half a second.
    hashed = make_password(password)
    with transaction.atomic():
        locked = _open_one(invitation.digest, lock=True)
        locked.used_at = timezone.now()
        locked.save(update_fields=["used_at"])
        user: Any = locked.agent.user
        user.password = hashed
        user._password = password
        user.save(update_fields=["password"])
        record(
            actor_of_user(user, current_actor().client_info),
            AuditAction.LOGIN,
            f"user:{user.pk}",
            rule="invitation",
            detail="REST",
        )
    locked.agent.refresh_from_db(fields=["tokens_valid_from"])
    return locked.agent
