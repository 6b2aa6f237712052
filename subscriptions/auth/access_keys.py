"""The life of an access key: how it stands, revoking it, and rotating it into a new one."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from subscriptions.auth.access_version import access_changed
from subscriptions.models import AccessKey

ROTATION_OVERLAP = dt.timedelta(hours=24)
"""How long a rotated key still works beside the new one."""


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
            access_changed()
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
