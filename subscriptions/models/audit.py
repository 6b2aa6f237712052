"""The audit log's records and the last link of their chain."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from subscriptions.protocol.effects import AuditVerdict


class AuditAction(models.TextChoices):
    """The actions that the audit log records."""

    CONNECT = "connect"
    REFUSE = "refuse"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    AUTHENTICATE = "authenticate"
    DISCONNECT = "disconnect"
    CLOSE = "close"
    END = "end"
    LIVE = "live"
    PRUNE = "prune"
    LOGIN = "login"
    LOGOUT = "logout"
    PASSWORD = "password"  # noqa: S105 - an action
    ADD = "add"
    CHANGE = "change"
    DELETE = "delete"
    ACT = "act"
    REVEAL = "reveal"
    SEAL = "seal"


class AuditRecord(models.Model):
    """A request and its outcome. Names are copied: a record outlives what it refers to."""

    at = models.DateTimeField("time", default=timezone.now, editable=False, db_index=True)
    action = models.CharField(max_length=12, choices=AuditAction, editable=False)
    verdict = models.CharField(
        max_length=8, choices=[(each.value, each.value.capitalize()) for each in AuditVerdict], editable=False
    )
    topic = models.CharField(max_length=260, blank=True, editable=False)
    rule = models.CharField(
        max_length=40, blank=True, editable=False, help_text="The rule behind the verdict."
    )
    detail = models.CharField(max_length=300, blank=True, editable=False)
    customer_id = models.UUIDField(null=True, editable=False)
    agent_id = models.UUIDField(null=True, editable=False)
    credential = models.CharField(
        max_length=60, blank=True, editable=False, help_text="Never the secret itself."
    )
    address = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Where the client connected from."
    )
    client = models.CharField(
        max_length=200, blank=True, editable=False, help_text="What the client calls itself."
    )
    connection_id = models.UUIDField(editable=False, db_index=True)
    cursor = models.TextField(
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Position in the event log: topics are received from here on, or were up to here.",
    )
    changes = models.TextField(
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Each changed value before and after, as JSON; never a secret.",
    )
    count = models.PositiveIntegerField(
        default=1, db_default=1, editable=False, help_text="How often it happened, if repeats are counted."
    )
    position = models.BigIntegerField(
        "number", null=True, editable=False, help_text="Its place in the chain."
    )
    digest = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="SHA-256 over the record and the digest of the one before it.",
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "audit record"
        verbose_name_plural = "audit log"
        # Each with the order of the list, so that a page of a filtered list reads only its own rows.
        indexes = [
            models.Index(fields=["customer_id", "-id"], name="audit_customer"),
            models.Index(fields=["agent_id", "-id"], name="audit_agent"),
            models.Index(fields=["rule", "-id"], name="audit_rule"),
            models.Index(fields=["credential", "-id"], name="audit_credential"),
            models.Index(fields=["-id"], condition=models.Q(verdict="refused"), name="audit_refused"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.verdict} {self.topic}"


NO_CONNECTION = uuid.UUID(int=0)
"""The connection of a record that belongs to none."""

FIRST_DIGEST = "0" * 64
"""The digest before the first record of the audit log."""


class AuditChain(models.Model):
    """One row: the last link of the audit log's chain, and the last link that was pruned.

    Its lock makes the order of the rows the order of the chain, whichever processes write. All processes share one
    chain, so that there is one number and one digest to note elsewhere; each stores what waits in one commit, and takes
    the lock a few times a second at most.
    """

    position = models.BigIntegerField(default=0, editable=False)
    digest = models.CharField(max_length=64, default=FIRST_DIGEST, editable=False)
    floor_position = models.BigIntegerField(default=0, editable=False)
    floor_digest = models.CharField(max_length=64, default=FIRST_DIGEST, editable=False)

    def __str__(self) -> str:
        return f"{self.position} audit records"
