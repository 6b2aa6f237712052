"""Server processes, their open connections, and the orders to close connections."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone


class GatewayProcess(models.Model):
    """A server process with connections, valid until its lease ends unless it is renewed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, editable=False)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    lease_ends_at = models.DateTimeField(editable=False)
    connections = models.PositiveIntegerField(default=0, editable=False)
    # JSON: `presence.pending_changes.ConnectionStats` by connection.
    figures = models.TextField(default="{}", editable=False)
    # JSON: `presence.process_status.ProcessState`.
    state = models.TextField(default="{}", editable=False)

    def __str__(self) -> str:
        return self.name


class LiveConnection(models.Model):
    """An open connection: its client and topics. Its statistics are in its process's row."""

    id = models.UUIDField(primary_key=True, editable=False)
    process = models.ForeignKey(
        GatewayProcess, on_delete=models.CASCADE, editable=False, related_name="live_connections"
    )
    customer_id = models.UUIDField(editable=False, db_index=True)
    agent_id = models.UUIDField(null=True, editable=False, db_index=True)
    key_id = models.UUIDField(null=True, editable=False, db_index=True)
    credential = models.CharField(max_length=60, editable=False)
    is_platform_staff = models.BooleanField(editable=False)
    address = models.CharField(max_length=64, blank=True, editable=False)
    client = models.CharField(max_length=200, blank=True, editable=False)
    # Processes of an older version insert rows without it.
    transport = models.CharField(
        max_length=16,
        default="websocket",
        db_default="websocket",
        editable=False,
        help_text="websocket or sse.",
    )
    topics = models.TextField(blank=True, editable=False, help_text="One a line, the first of them.")
    topic_count = models.PositiveIntegerField(default=0, editable=False)
    opened_at = models.DateTimeField("since", editable=False)

    class Meta:
        ordering = ["-opened_at", "id"]
        verbose_name = "live connection"

    def __str__(self) -> str:
        return f"{self.credential} from {self.address}"


class CloseOrder(models.Model):
    """An order to close one connection, or all connections of an access key."""

    change = models.BigIntegerField(db_index=True, help_text="`AccessChanges.count` from which on it stands.")
    connection_id = models.UUIDField(null=True)
    key_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=120, db_column="word")
    given_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.reason
