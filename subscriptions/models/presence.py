"""Which agents are connected, and what a customer wants to happen when one no longer is."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

MIN_GRACE_SECONDS, MAX_GRACE_SECONDS = 5, 3600
DEFAULT_GRACE_SECONDS = 30


class PresencePolicy(models.TextChoices):
    """What happens to the status of an agent whose desktop is no longer connected."""

    KEEP = "keep", "keep the status"
    AWAY = "away", "set available agents to away"
    OFFLINE = "offline", "set available and away agents to offline"


class PresenceSettings(models.Model):
    """A customer's policy for agents who are no longer connected."""

    presence_policy = models.CharField(
        "when a desktop is lost",
        max_length=8,
        # In a form, empty means the default.
        blank=True,
        choices=PresencePolicy,
        default=PresencePolicy.KEEP,
        db_default=PresencePolicy.KEEP.value,
        help_text="What happens to the status of an agent none of whose own connections is open any more. Busy agents "
        "finish their call first.",
    )
    presence_grace_seconds = models.PositiveIntegerField(
        "after this many seconds",
        blank=True,
        default=DEFAULT_GRACE_SECONDS,
        db_default=DEFAULT_GRACE_SECONDS,
        validators=[MinValueValidator(MIN_GRACE_SECONDS), MaxValueValidator(MAX_GRACE_SECONDS)],
        help_text=f"{MIN_GRACE_SECONDS} to {MAX_GRACE_SECONDS}. An agent who is connected again within this time was "
        "never gone: reloading the page and restarts of the gateway take a few seconds.",
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        self.presence_policy = self.presence_policy or PresencePolicy.KEEP
        if self.presence_grace_seconds is None:
            self.presence_grace_seconds = DEFAULT_GRACE_SECONDS


class AgentPresence(models.Model):
    """An agent who is connected with a token of its own, or was until a moment ago.

    `absent_since` is when its last connection ended; `is_lost` is set when that was published, until nothing more
    follows from it. Only the holder of the lease writes the rows.
    """

    agent_id = models.UUIDField(primary_key=True, editable=False)
    customer_id = models.UUIDField(editable=False)
    since = models.DateTimeField(editable=False)
    absent_since = models.DateTimeField(null=True, editable=False)
    is_lost = models.BooleanField(default=False, editable=False)

    def __str__(self) -> str:
        return f"agent {self.agent_id} since {self.since}"
