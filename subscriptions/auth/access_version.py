"""What changes who may hear what: counted in the database, and announced to all processes that hold sockets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F
from django.db.models.signals import post_delete, post_save

from events.announcements.announcer import announcer
from events.database.direct_sql import find_rows
from subscriptions.models import AccessChanges, AccessKey, Agent, Customer

ACCESS_CHANGED = "access.changed"
"""The message's type, and the group of all processes to which it is sent."""

THE_ROW = 1
"""The key of the one row in which changes are counted."""

_HARMLESS_FIELDS = frozenset({"status", "status_changed_at", "last_used_at", "last_login"})
"""Saving nothing but these changes nobody's permissions."""


def current_version() -> int:
    """How many changes of credentials, agents and customers there have been."""
    found = find_rows(AccessChanges, {"id": [THE_ROW]})
    return found[0].count if found else 0


def access_changed() -> None:
    """Something that decides who may hear what has changed: let every process look at its connections.

    Called for each saved or deleted key, agent, customer and login; whoever changes them by an update of many calls it.
    """
    bump()


def bump() -> int:
    """As `access_changed`; returns the number that the change got, under which a transaction stores what belongs to it.

    Its lock makes the order of the numbers the order of the commits.
    """
    with transaction.atomic():
        while not AccessChanges.objects.filter(pk=THE_ROW).update(count=F("count") + 1):
            # Another process may make it at this moment: whoever comes second counts on.
            AccessChanges.objects.bulk_create([AccessChanges(pk=THE_ROW)], ignore_conflicts=True)
        change = current_version()
    transaction.on_commit(lambda: announcer.send(ACCESS_CHANGED, {"type": ACCESS_CHANGED}))
    return change


def _saved(*, update_fields: Sequence[str] | None = None, created: bool = False, **_: Any) -> None:
    # Nobody is connected by what has just been made.
    if not created and not (update_fields is not None and _HARMLESS_FIELDS.issuperset(update_fields)):
        access_changed()


def _deleted(**_: Any) -> None:
    access_changed()


def connect() -> None:
    """Have every saved and deleted key, agent, customer and login looked at."""
    for model in (AccessKey, Agent, Customer, get_user_model()):
        name = f"subscriptions.auth.access_version.{model.__name__}"
        post_save.connect(_saved, sender=model, dispatch_uid=f"{name}.saved")
        post_delete.connect(_deleted, sender=model, dispatch_uid=f"{name}.deleted")
