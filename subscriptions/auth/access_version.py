"""The version of all permissions: a counter in the database, announced when it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F
from django.db.models.signals import m2m_changed, post_delete, post_save

from events.announcements.announcer import announcer
from events.database.direct_sql import find_rows
from subscriptions.delivery.layer_listener import ACCESS_CHANGED
from subscriptions.models import AccessChanges, AccessKey, Agent, Customer

ROW_ID = 1
"""Primary key of the only row."""

_HARMLESS_FIELDS = frozenset({"status", "status_changed_at", "last_used_at", "last_login"})
"""Saving only these fields does not change permissions."""


def current_version() -> int:
    """Return the number of changes of credentials, agents and customers so far."""
    found = find_rows(AccessChanges, {"id": [ROW_ID]})
    return found[0].count if found else 0


def bump() -> int:
    """Count a change that affects permissions, and let every process check its connections.

    Signals call it for each saved or deleted key, agent, customer and login; a bulk update has to call it itself.
    Returns the number of the change, under which a transaction can store what belongs to it. The row's lock makes the
    order of the numbers the order of the commits.
    """
    with transaction.atomic():
        while not AccessChanges.objects.filter(pk=ROW_ID).update(count=F("count") + 1):
            # Another process may create the row at the same moment: the second one finds it.
            AccessChanges.objects.bulk_create([AccessChanges(pk=ROW_ID)], ignore_conflicts=True)
        change = current_version()
    transaction.on_commit(lambda: announcer.send(ACCESS_CHANGED, {"type": ACCESS_CHANGED}))
    return change


def _saved(*, update_fields: Sequence[str] | None = None, created: bool = False, **_: Any) -> None:
    # A new row has no connections yet.
    if not created and not (update_fields is not None and _HARMLESS_FIELDS.issuperset(update_fields)):
        bump()


def _deleted(**_: Any) -> None:
    bump()


def _served(*, action: str, **_: Any) -> None:
    # Who serves a queue decides what those who are limited to it may see.
    if action.startswith("post_") and Agent.objects.exclude(limited_to={}).exists():
        bump()


def connect() -> None:
    """Bump the version whenever a key, agent, customer or user is saved or deleted.

    Also when agents serve other queues, as far as permissions follow from that.
    """
    m2m_changed.connect(
        _served, sender=Agent.queues.through, dispatch_uid="subscriptions.auth.access_version.queues"
    )
    for model in (AccessKey, Agent, Customer, get_user_model()):
        name = f"subscriptions.auth.access_version.{model.__name__}"
        post_save.connect(_saved, sender=model, dispatch_uid=f"{name}.saved")
        post_delete.connect(_deleted, sender=model, dispatch_uid=f"{name}.deleted")
