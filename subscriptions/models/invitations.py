"""Invitations: one-time links with which a person sets a password."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone

from subscriptions.models.tenants import Agent


class Invitation(models.Model):
    """The present invitation of an agent.

    Only the hash of its secret is stored: the link is shown once. A new one takes the place of the last.
    A used one stays, so that its link says what happened.
    """

    agent = models.OneToOneField(
        Agent, on_delete=models.CASCADE, primary_key=True, editable=False, related_name="invitation"
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"invitation of {self.agent}"

    def is_open(self, now: datetime) -> bool:
        """Return whether the link can be used."""
        return self.used_at is None and self.expires_at > now
