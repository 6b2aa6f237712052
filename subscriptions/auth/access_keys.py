"""Access keys: identifying the holder of a key, its status, and revoking and rotating it."""

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
from subscriptions.auth.credentials import KEY_KIND, BadCredential, held_by, limited, require_active
from subscriptions.auth.customer_quotas import quotas_of_customer, rates_of_key
from subscriptions.models import CONTROLLING_ROLES, AccessKey, Agent, Customer, digest_of
from subscriptions.models.number_masks import masking_of
from subscriptions.protocol.permissions import Identity, Role

ROTATION_OVERLAP = dt.timedelta(hours=24)
"""How long a rotated key stays valid beside its successor."""

USED_RESOLUTION = dt.timedelta(minutes=1)
"""How often the last use of a key is written at most: a busy key must not cost a write for each request."""


class KeyStatus(StrEnum):
    """The status of a key. `UNUSED` is active as well."""

    ACTIVE = "active"
    UNUSED = "never used"
    EXPIRED = "expired"
    REVOKED = "revoked"


class CannotRotate(Exception):
    """The key cannot be rotated; the message says why, and what to do instead."""


def status_of(key: AccessKey, now: datetime) -> KeyStatus:
    """Return the status of the key."""
    if key.revoked_at is not None:
        return KeyStatus.REVOKED
    if key.is_expired(now):
        return KeyStatus.EXPIRED
    return KeyStatus.ACTIVE if key.last_used_at is not None else KeyStatus.UNUSED


def revoke(key: AccessKey, now: datetime) -> bool:
    """Revoke the key; return `False` if it was revoked before, whose time then stays."""
    with transaction.atomic():
        revoked = AccessKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
        if revoked:
            bump()
    return bool(revoked)


@sensitive_variables()
def rotate(key: AccessKey, now: datetime, overlap: dt.timedelta = ROTATION_OVERLAP) -> tuple[AccessKey, str]:
    """Create a successor with the same rights and lifetime.

    The old key stays valid for `overlap` at most. Returns the saved successor and its secret, which is stored
    nowhere.

    Raises:
        CannotRotate: The key is revoked, or was rotated before: two operators may rotate it at the same time.
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
            kind=old.kind,
            label=old.label,
            may_subscribe=old.may_subscribe,
            may_publish=old.may_publish,
            may_control=old.may_control,
            masks_numbers=old.masks_numbers,
            allowed_topics=old.allowed_topics,
            filter=old.filter,
            events_per_second=old.events_per_second,
            kilobytes_per_second=old.kilobytes_per_second,
            expires_at=now + (old.expires_at - old.created_at) if old.expires_at is not None else None,
            created_at=now,
            replaces=old,
        )
        secret = new.make_secret()
        new.save()
        ending = now + overlap
        if old.expires_at is None or old.expires_at > ending:
            old.expires_at = ending
            old.save(update_fields=["expires_at"])
    return new, secret


def identify_key(secret: str, client_info: ClientInfo) -> Identity:
    """Return the identity of the access key with this secret, and record its use.

    Raises:
        BadCredential: The key is unknown, revoked or expired, or its agent or customer is inactive.
    """
    # Every request starts with these two queries, so they bypass the ORM.
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
    """Return the identity of the key, whatever its expiry.

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
    """Build the identity of the key as one of `agent`, without checking the key."""
    return Identity(
        customer_id=str(key.customer_id),
        agent_id=str(agent.pk) if agent else None,
        role=Role(agent.role) if agent else None,
        credential=f"key {key.prefix}",
        credential_id=f"{KEY_KIND}:{key.pk}",
        may_subscribe=key.may_subscribe,
        may_publish=key.may_publish,
        may_control=key.may_control and (agent is None or agent.role in CONTROLLING_ROLES),
        granted_resources=frozenset(agent.granted_resources) if agent else frozenset(),
        allowed_topics=frozenset(key.allowed_topics) if key.allowed_topics else None,
        **limited(agent, key.filter),
        expires_at=key.expires_at.timestamp() if key.expires_at else None,
        quotas=quotas_of_customer(key.customer),
        rates=rates_of_key(key),
        **masking_of(
            key.customer, agent.role if agent else None, is_masked_key=key.masks_numbers or key.is_display
        ),
        is_display=key.is_display,
    )


def _record_use(key: AccessKey, now: datetime, client_info: ClientInfo) -> None:
    # Checked before the update: on SQLite even an update without effect waits for the write lock.
    if key.last_used_at is None or key.last_used_at < now - USED_RESOLUTION:
        AccessKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lt=now - USED_RESOLUTION), pk=key.pk
        ).update(last_used_at=now, last_used_address=client_info.address, last_used_client=client_info.client)
