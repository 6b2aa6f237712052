"""Changes of passwords, each of which ends the tokens and connections of its person.

Signals of the user's model notice them, so that it does not matter where a password is set.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.db.models.signals import post_save, pre_save
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from subscriptions.accounts.changes import client_info_of, current_actor, current_request, record
from subscriptions.accounts.invitations import revoke_invitation
from subscriptions.accounts.logins import record_failure
from subscriptions.auth.client_info import UNKNOWN
from subscriptions.auth.login_throttle import throttled
from subscriptions.auth.password_hashing import TooManyLogins
from subscriptions.models import Agent, AuditAction


class WrongPassword(Exception):
    """The present password is wrong."""


@sensitive_variables()
def change_password(agent: Agent, present: str, wanted: str) -> None:
    """Change the password of an agent's user, which ends its tokens.

    Raises:
        WrongPassword: `present` is not the user's password.
        TooManyLogins: The password is not to be checked now.
        ValidationError: `wanted` is not good enough.
    """
    user = agent.user
    check_present_password(user, present)
    validate_password(wanted, user)
    user.set_password(wanted)
    user.save(update_fields=["password"])


@sensitive_variables()
def check_present_password(user: Any, present: str) -> None:
    """Check the password that a user types again to change it, throttled as log-ins are.

    Raises:
        WrongPassword: `present` is not the user's password.
        TooManyLogins: The password is not to be checked now.
    """
    request = current_request.get()
    client_info = UNKNOWN if request is None else client_info_of(request)
    username = user.get_username()
    try:
        with throttled(username, client_info.address):
            if not user.check_password(present):
                raise WrongPassword
    except TooManyLogins:
        record_failure(username, client_info, "too-many-logins")
        raise
    except WrongPassword:
        record_failure(username, client_info, "wrong-password")
        raise


def _before_save(instance: Any, update_fields: Any = None, **_: Any) -> None:
    if instance._state.adding or (update_fields is not None and "password" not in update_fields):
        return
    # At a log-in Django stores the same password with the hasher's present parameters, and says so by this.
    if update_fields is not None and set(update_fields) == {"password"} and instance._password is None:
        return
    stored = type(instance)._base_manager.filter(pk=instance.pk).values_list("password", flat=True).first()
    instance._has_new_password = stored is not None and stored != instance.password


def _after_save(instance: Any, **_: Any) -> None:
    if not instance.__dict__.pop("_has_new_password", False):
        return
    agent = Agent.objects.filter(user_id=instance.pk).first()
    if agent is not None:
        # Saving the user has bumped the access version, so that open connections are checked.
        agent.tokens_valid_from = timezone.now()
        agent.save(update_fields=["tokens_valid_from"])
        # Who changes a password out of suspicion does not leave a link behind with which it can be set once more.
        revoke_invitation(agent)
    customer_id = agent.customer_id if agent is not None else None
    record(
        current_actor(),
        AuditAction.PASSWORD,
        f"user:{instance.pk}",
        customer_id=customer_id,
        rule="password-changed",
        detail=instance.get_username(),
    )


def connect() -> None:
    """Watch for new passwords of users.

    A bulk update of the column by SQL or `QuerySet.update` is not noticed.
    """
    user = get_user_model()
    pre_save.connect(_before_save, sender=user, dispatch_uid="subscriptions.accounts.passwords.before")
    post_save.connect(_after_save, sender=user, dispatch_uid="subscriptions.accounts.passwords.after")
