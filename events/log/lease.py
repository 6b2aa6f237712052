"""Leases: tasks that one process at a time carries out. They use the database's clock."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from events.models import Lease


def hold(name: str, holder: uuid.UUID, duration: timedelta) -> bool:
    """Take or renew the lease of a task; return `False` if another process holds it."""
    ends_at = Now() + duration
    free = Q(holder=holder) | Q(ends_at__lt=Now())
    if Lease.objects.filter(free, name=name).update(holder=holder, ends_at=ends_at):
        return True
    if Lease.objects.filter(name=name).exists():
        return False
    # Two processes may insert it at once: the one whose row it is holds it.
    Lease.objects.bulk_create([Lease(name=name, holder=holder, ends_at=ends_at)], ignore_conflicts=True)
    return Lease.objects.filter(name=name, holder=holder).exists()


def release(name: str, holder: uuid.UUID) -> None:
    """Give up the lease, so that another process can take it at once."""
    Lease.objects.filter(name=name, holder=holder).delete()
