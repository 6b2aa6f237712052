"""The tables: each customer's log, its events, and the state of each resource."""

# Long because the tables refer to each other.

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.db import models

from events.domain.phone_number import MAX_PARTY


def new_epoch() -> str:
    """Generate the epoch of a log: 12 random hex digits."""
    return secrets.token_hex(6)


class CustomerLog(models.Model):
    """A customer's log. The lock of its row makes the order of commits the order of numbers.

    The epoch identifies the log: a restored or recreated log has another one, so that earlier cursors are refused
    instead of pointing at other events.
    """

    customer_id = models.UUIDField(primary_key=True, editable=False)
    epoch = models.CharField(max_length=12, default=new_epoch, editable=False)
    last_seq = models.BigIntegerField("last number", default=0, editable=False)
    floor = models.BigIntegerField(
        default=0, editable=False, help_text="Everything up to this number has been pruned."
    )
    # Both only grow. Processes of an older version insert rows without them.
    written_bytes = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="Size of all events that were ever stored."
    )
    pruned_bytes = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="Size of those that have been pruned."
    )

    class Meta:
        verbose_name = "log position"

    def __str__(self) -> str:
        return f"log of {self.customer_id} at {self.last_seq}"

    @property
    def stored_bytes(self) -> int:
        """The size of the events that are stored now, as `quotas.limits.stored_size` counts it."""
        return max(0, self.written_bytes - self.pruned_bytes)


class Event(models.Model):
    """One event, as it is sent. Never updated; deleted by pruning only."""

    id = models.UUIDField(primary_key=True, editable=False)
    customer_id = models.UUIDField(editable=False)
    seq = models.BigIntegerField("number", editable=False, help_text="Its place in the customer's log.")
    event_type = models.CharField(max_length=81, editable=False)
    resource = models.CharField(max_length=40, editable=False)
    resource_id = models.CharField(max_length=128, editable=False)
    timestamp = models.DateTimeField(editable=False, help_text="When it happened, as the publisher says.")
    stored_at = models.DateTimeField(editable=False, help_text="When the gateway stored it.")
    agent_ids = models.TextField(editable=False, blank=True, help_text="The agents whom it concerns.")
    body = models.TextField("data", editable=False, help_text="The event's data as JSON, just as it is sent.")
    idempotency_key = models.CharField(max_length=255, null=True, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    # Null in the rows of earlier versions, and mostly: a column that adds nothing to a row.
    named_agents = models.TextField(
        null=True, editable=False, help_text="The agents whom the publisher named beside the data."
    )
    ended = models.BooleanField(
        null=True,
        editable=False,
        help_text="Whether the resource has ended with this event or before; false if it was corrected to live.",
    )
    phases = models.TextField(
        null=True, editable=False, help_text="The agents' new phases with the call, as JSON."
    )
    tags = models.TextField(
        null=True,
        editable=False,
        help_text="The tags of its resource after it, as JSON: filters look at them.",
    )
    was = models.TextField(
        null=True, editable=False, help_text="The previous values of the tags that it changed, as JSON."
    )

    class Meta:
        ordering = ["customer_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["customer_id", "seq"], name="event_number"),
            models.UniqueConstraint(
                fields=["customer_id", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="event_idempotency_key",
            ),
        ]
        indexes = [
            models.Index(fields=["customer_id", "resource", "resource_id", "seq"], name="event_resource"),
            models.Index(fields=["customer_id", "timestamp", "seq"], name="event_time"),
            # For operators, who see all customers' events. Rows arrive in its order, so inserting costs little.
            models.Index(fields=["stored_at"], name="event_stored"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.resource_id}"


class ResourceState(models.Model):
    """The current state of one resource, or of one call's membership of a queue or conference.

    Updated in the publishing transaction: it is the state at the log's last number.
    """

    customer_id = models.UUIDField(editable=False)
    resource = models.CharField(max_length=40, editable=False)
    resource_id = models.CharField(max_length=128, editable=False)
    member_id = models.CharField(
        max_length=128,
        blank=True,
        editable=False,
        help_text="The call, for its place in a queue or conference.",
    )
    live = models.BooleanField(editable=False, help_text="Whether it has not ended.")
    event_type = models.CharField("last event", max_length=81, editable=False)
    seq = models.BigIntegerField("last number", editable=False)
    since = models.DateTimeField(editable=False, help_text="The time of its first event.")
    updated_at = models.DateTimeField(editable=False, help_text="The time of its last event.")
    agent_ids = models.TextField(
        editable=False, blank=True, help_text="The agents whom any of its events concerned."
    )
    body = models.TextField("data", editable=False, help_text="What is known of it, as JSON.")
    # Processes of an older version insert rows without the following columns.
    progress = models.TextField(
        default="{}",
        db_default="{}",
        editable=False,
        help_text="Its status, its agents and its end, as JSON.",
    )
    stored_at = models.DateTimeField(
        editable=False, null=True, help_text="When the gateway stored its last event."
    )

    party = models.CharField(
        "other party",
        max_length=MAX_PARTY,
        null=True,
        editable=False,
        help_text="The number of a call's or message's other party.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id", "resource", "resource_id", "member_id"], name="one_state_a_resource"
            )
        ]
        # Ordered by columns that never change: pages are stable, and an update changes no index.
        indexes = [
            models.Index(fields=["customer_id", "resource", "id"], name="state_order"),
            models.Index(
                fields=["customer_id", "resource", "id"],
                condition=models.Q(live=True),
                name="state_live_order",
            ),
            # The calls and messages of one number. A number does not change, so that an update changes no index.
            models.Index(
                fields=["customer_id", "resource", "party", "id"],
                condition=models.Q(party__isnull=False),
                name="state_party",
            ),
            # For operators, whose lists begin with the newest.
            models.Index(fields=["customer_id", "id"], name="state_newest"),
            # For the calls of all customers whose end is never published.
            models.Index(
                fields=["resource", "stored_at"],
                condition=models.Q(live=True),
                name="state_silent",
            ),
            # For calls of a time, and for how they went in queues.
            models.Index(
                fields=["customer_id", "since", "id"],
                condition=models.Q(resource="call"),
                name="call_began",
            ),
            models.Index(
                fields=["customer_id", "resource", "member_id"],
                condition=models.Q(resource="queue"),
                name="place_of_call",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource} {self.resource_id}"


class Lease(models.Model):
    """A task that one process at a time carries out, and until when the holder has it."""

    name = models.CharField(max_length=40, primary_key=True, editable=False)
    holder = models.UUIDField(editable=False)
    ends_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return self.name


class StoredSummary(models.Model):
    """A customer's summary at a number of its log: a process goes on from there.

    It only saves time: without it, the summary is built from the log.
    """

    customer_id = models.UUIDField(primary_key=True, editable=False)
    epoch = models.CharField(max_length=12, editable=False)
    seq = models.BigIntegerField(editable=False)
    body = models.TextField(editable=False)

    def __str__(self) -> str:
        return f"summary of {self.customer_id} at {self.seq}"


class StateSnapshot(models.Model):
    """All states that had not ended at a number of a customer's log, and its summary.

    Looking back goes on from there. It only saves time as long as the whole log is kept.
    """

    customer_id = models.UUIDField(editable=False)
    epoch = models.CharField(max_length=12, editable=False)
    seq = models.BigIntegerField(editable=False)
    body = models.BinaryField(editable=False)
    summary_seq = models.BigIntegerField(
        null=True, editable=False, help_text="The number, at or before its own, at which its summary holds."
    )
    summary = models.BinaryField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer_id", "epoch", "seq"], name="one_snapshot_a_number")
        ]

    def __str__(self) -> str:
        return f"states of {self.customer_id} at {self.seq}"


def join_agents(agent_ids: Sequence[str]) -> str:
    """Join agents' ids into one column: searchable with LIKE, and no further rows."""
    return " ".join(agent_ids)


def split_agents(column: str | None) -> tuple[str, ...]:
    """Split a column of `join_agents`."""
    return tuple(column.split()) if column else ()
