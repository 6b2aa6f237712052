"""Access keys: whose a key is, how it stands, revoking it, and rotating it into a new one."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from events.database.direct_sql import find_rows
from subscriptions.auth.access_version import bump
from subscriptions.auth.client_info import ClientInfo
from subscriptions.auth.credentials import KEY_KIND, BadCredential, held_by, require_active
from subscriptions.models import AccessKey, Agent, Customer, digest_of
from subscriptions.protocol.permissions import Identity, Role

ROTATION_OVERLAP = dt.timedelta(hours=24)
"""How long a rotated key still works beside the new one."""

USED_RESOLUTION = dt.timedelta(minutes=1)
"""A key's last use is written at most this often, so that a busy key costs no write a request."""


class KeyStatus(StrEnum):
    """How a key stands. `UNUSED` is active as well."""

    ACTIVE = "active"
    UNUSED = "never used"
    EXPIRED = "expired"
    REVOKED = "revoked"


class CannotRotate(Exception):
    """The key cannot be rotated; the message says why, and what to do."""


def status_of(key: AccessKey, now: datetime) -> KeyStatus:
    """How the key stands."""
    if key.revoked_at is not None:
        return KeyStatus.REVOKED
    if key.is_expired(now):
        return KeyStatus.EXPIRED
    return KeyStatus.ACTIVE if key.last_used_at is not None else KeyStatus.UNUSED


def revoke(key: AccessKey, now: datetime) -> bool:
    """Refuse the key from now on. Returns whether it was not revoked already: the first time stands."""
    with transaction.atomic():
        revoked = AccessKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
        if revoked:
            bump()
    return bool(revoked)


@sensitive_variables()
def rotate(key: AccessKey, now: datetime) -> tuple[AccessKey, str]:
    """Make a new key with the rights and the length of life of this one, which ends in 24 hours.

    Returns the new key, saved, and its secret, which is not kept.

    Raises:
        CannotRotate: it is revoked, or was rotated already: two people may press the button at once.
    """
    with transaction.atomic():
        old = AccessKey.objects.select_for_update().get(pk=key.pk)
        if old.revoked_at is not None:
            raise CannotRotate(f"{old} is revoked: make a new key")
        if (successor := AccessKey.objects.filter(replaces=old).first()) is not None:
            raise CannotRotate(f"{old} was rotated already, into {successor}: rotate that one")
        new = AccessKey(
            customer_id=old.customer_id,
            agent_id=old.agent_id,
            label=old.label,
            may_subscribe=old.may_subscribe,
            may_publish=old.may_publish,
            allowed_topics=old.allowed_topics,
            expires_at=now + (old.expires_at - old.created_at) if old.expires_at is not None else None,
            created_at=now,
            replaces=old,
        )
        secret = new.make_secret()
        new.save()
        ending = now + ROTATION_OVERLAP
        if old.expires_at is None or old.expires_at > ending:
            old.expires_at = ending
            old.save(update_fields=["expires_at"])
    return new, secret


def identify_key(secret: str, client_info: ClientInfo) -> Identity:
    # Every request begins with these two.
    found = find_rows(AccessKey, {"digest": [digest_of(secret)]})
    if not found:
        raise BadCredential("This access key is not known", "unknown-key")
    key = found[0]
    key.customer = find_rows(Customer, {"id": [key.customer_id]})[0]
    if key.agent_id:
        key.agent = Agent.objects.select_related("user", "customer").get(pk=key.agent_id)
    now = timezone.now()
    identity = identity_of_key(key, key.agent)
    with held_by(identity):
        _require_valid(key)
        if key.is_expired(now):
            raise BadCredential("This access key has expired", "expired-key")
    _record_use(key, now, client_info)
    return identity


def key_identity(key: AccessKey) -> Identity:
    """Return the identity of the key, whenever it expires.

    Raises:
        BadCredential: The key is revoked, or its agent or customer is inactive.
    """
    _require_valid(key)
    return identity_of_key(key, key.agent)


def _require_valid(key: AccessKey) -> None:
    if key.revoked_at is not None:
        raise BadCredential("This access key was revoked", "revoked-key")
    if key.agent is not None and key.agent.customer_id != key.customer_id:
        raise BadCredential("The agent of this access key has left its customer", "foreign-agent")
    require_active(key.customer, key.agent)


def identity_of_key(key: AccessKey, agent: Agent | None) -> Identity:
    """Build the identity of the key as the key of `agent`, without checking that the key is accepted."""
    return Identity(
        customer_id=str(key.customer_id),
        agent_id=str(agent.pk) if agent else None,
        role=Role(agent.role) if agent else None,
        credential=f"key {key.prefix}",
        credential_id=f"{KEY_KIND}:{key.pk}",
        may_subscribe=key.may_subscribe,
        may_publish=key.may_publish,
        granted_resources=frozenset(agent.granted_resources) if agent else frozenset(),
        allowed_topics=frozenset(key.allowed_topics) if key.allowed_topics else None,
        expires_at=key.expires_at.timestamp() if key.expires_at else None,
    )


def _record_use(key: AccessKey, now: datetime, client_info: ClientInfo) -> None:
    # Asked here first: on SQLite even an update that changes nothing waits for the one who writes.
    if key.last_used_at is None or key.last_used_at < now - USED_RESOLUTION:
        AccessKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lt=now - USED_RESOLUTION), pk=key.pk
        ).update(last_used_at=now, last_used_address=client_info.address, last_used_client=client_info.client)
