"""Customers, their queues and agents, and the numbers that opted out of messages."""

# Long because a customer's tables refer to each other.

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext

from events.domain.phone_number import REGIONS
from events.domain.topics import known_resources
from events.quotas.limits import DataCheck
from subscriptions.models.desk_settings import DeskSettings
from subscriptions.models.limits import limits_field
from subscriptions.models.number_masks import NumberMaskSettings
from subscriptions.models.presence import PresenceSettings
from subscriptions.models.targets import TARGETS, default_target, own_target, validate_time_zone
from subscriptions.models.teams import teams_field
from subscriptions.protocol.permissions import Role


def validate_not_nil(value: uuid.UUID) -> None:
    """Raise ValidationError for the nil UUID, which the platform uses for "none"."""
    if value.int == 0:
        raise ValidationError(
            gettext("The nil UUID means none: write the platform's own id, or leave the one that was made.")
        )


def validate_region(region: str) -> None:
    """Check that national numbers of this region can be understood.

    Raises:
        ValidationError: The region is unknown.
    """
    if region not in REGIONS:
        raise ValidationError(
            gettext("%(region)s is no known region: write two capital letters such as US or DE"),
            params={"region": region},
        )


class Customer(PresenceSettings, DeskSettings, NumberMaskSettings):
    """A tenant of the platform. Customers never see each other's data."""

    id = models.UUIDField(
        primary_key=True,
        default=uuid.uuid4,
        validators=[validate_not_nil],
        help_text="The platform's own id of this customer, where it has one. It is part of every topic.",
    )
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(
        "active", default=True, help_text="While this is off, no credential of the customer is accepted."
    )
    region = models.CharField(
        "region of its numbers",
        max_length=2,
        blank=True,
        default="",
        db_default="",
        validators=[validate_region],
        help_text="Two capital letters such as US or DE (ISO 3166). Numbers without a country code are then understood "
        "as dialled there. Without it, only international numbers are.",
    )
    events_per_second = models.PositiveIntegerField(
        null=True, blank=True, help_text="Events that it may publish a second. 0 for no limit."
    )
    kilobytes_per_second = models.PositiveIntegerField(
        "kB per second", null=True, blank=True, help_text="Data that it may publish a second. 0 for no limit."
    )
    stored_megabytes = models.PositiveIntegerField(
        "stored MB", null=True, blank=True, help_text="Events that it may have stored. 0 for no limit."
    )
    max_connections = models.PositiveIntegerField(
        null=True, blank=True, help_text="WebSockets that it may have open. 0 for no limit."
    )
    data_check = models.CharField(
        "check of event data",
        max_length=8,
        blank=True,
        choices=[("", "off"), *((each.value, each.value) for each in (DataCheck.REPORT, DataCheck.REFUSE))],
        default="",
        db_default="",
        help_text="Whether published data is compared with that of its event type: report returns warnings to the "
        "publisher, refuse refuses the request.",
    )
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        default="UTC",
        db_default="UTC",
        validators=[validate_time_zone],
        help_text="A name such as Europe/Berlin or America/New_York (IANA). Figures of a day begin at its midnight.",
    )
    target_seconds = default_target("target_seconds")
    target_percent = default_target("target_percent")
    wait_alarm_seconds = default_target("wait_alarm_seconds")
    short_abandon_seconds = default_target("short_abandon_seconds")
    wrap_up_seconds = default_target("wrap_up_seconds")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Give the fields that a form left empty their defaults."""
        super().clean()
        self.time_zone = self.time_zone or "UTC"
        for name, target in TARGETS.items():
            if getattr(self, name) is None:
                setattr(self, name, target.default)


def region_of(customer_id: str) -> str:
    """Return the region of a customer's telephone numbers, or "" if none is set."""
    return Customer.objects.filter(pk=customer_id).values_list("region", flat=True).first() or ""


class Queue(models.Model):
    """A queue in which callers wait for the agents who serve it."""

    id = models.UUIDField(
        primary_key=True,
        default=uuid.uuid4,
        validators=[validate_not_nil],
        help_text="The platform's own id of this queue: by it the queue's events find the agents who serve it.",
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="queues")
    name = models.CharField(max_length=120)
    target_seconds = own_target("target_seconds")
    target_percent = own_target("target_percent")
    wait_alarm_seconds = own_target("wait_alarm_seconds")
    short_abandon_seconds = own_target("short_abandon_seconds")
    wrap_up_seconds = own_target("wrap_up_seconds")

    class Meta:
        ordering = ["customer", "name"]

    def __str__(self) -> str:
        return self.name


class AgentStatus(models.TextChoices):
    """The status of an agent, by VoIPBIN's names."""

    AVAILABLE = "available"
    AWAY = "away"
    BUSY = "busy"
    OFFLINE = "offline"
    RINGING = "ringing"


class AgentRole(models.TextChoices):
    """`permissions.Role` with labels for people."""

    AGENT = Role.AGENT.value, "Agent"
    MANAGER = Role.MANAGER.value, "Manager"
    ADMIN = Role.ADMIN.value, "Admin"
    STAFF = Role.STAFF.value, "Platform staff"


def validate_resources(names: object) -> None:
    """Raise ValidationError unless `names` is a list of known resource names."""
    if not isinstance(names, list):
        raise ValidationError('Write a list of resource names, such as ["message"].')
    known = known_resources(settings.EVENTS_EXTRA_RESOURCES)
    if unknown := [name for name in names if not isinstance(name, str) or name not in known]:
        raise ValidationError(
            gettext("Not known as resources: {names}.").format(names=", ".join(map(str, unknown)))
        )


class AgentQuerySet(models.QuerySet["Agent"]):
    """Agents in the database."""

    def of_the_platform(self) -> AgentQuerySet:
        """Platform staff and superusers, whom no other operator may change or act as."""
        return self.filter(models.Q(role=AgentRole.STAFF) | models.Q(user__is_superuser=True))


class Agent(models.Model):
    """A person who logs in: an agent, manager or admin of a customer, or platform staff."""

    id = models.UUIDField(
        primary_key=True,
        default=uuid.uuid4,
        validators=[validate_not_nil],
        help_text="The platform's own id of this agent, where it has one.",
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="agents")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="agent",
        help_text="The user name and password to log in with.",
    )
    name = models.CharField(max_length=120)
    role = models.CharField(
        max_length=10,
        choices=AgentRole,
        default=AgentRole.AGENT,
        help_text=(
            "An agent receives its own topics and the granted resources; managers and admins everything of their "
            "customer; admins may publish; platform staff receive and publish for every customer."
        ),
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="While this is off, the agent cannot log in."
    )
    status = models.CharField(max_length=10, choices=AgentStatus, default=AgentStatus.OFFLINE)
    status_changed_at = models.DateTimeField(default=timezone.now, editable=False)
    queues = models.ManyToManyField(
        Queue,
        blank=True,
        related_name="agents",
        help_text="Events of these queues reach the agent's own topics.",
    )
    granted_resources = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_resources],
        help_text='Resources of the customer that the agent receives besides its own, such as ["message"].',
    )
    teams = teams_field()
    limited_to = limits_field()
    tokens_valid_from = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Sessions that began before this time are invalid. Set by Sign out everywhere.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AgentQuerySet.as_manager()

    class Meta:
        ordering = ["customer", "name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.customer})"

    @property
    def is_of_the_platform(self) -> bool:
        """Whether `AgentQuerySet.of_the_platform` includes this agent."""
        return self.role == AgentRole.STAFF or self.user.is_superuser


def customers_of(agent_ids: Iterable[str]) -> dict[str, str]:
    """Find the customer ids of these agents; unknown agents are missing in the result."""
    rows = Agent.objects.filter(pk__in=list(agent_ids)).values_list("id", "customer_id")
    return {str(agent_id): str(customer_id) for agent_id, customer_id in rows}


class OptOut(models.Model):
    """A number that sent STOP: the customer may send it no message until it sends START."""

    customer_id = models.UUIDField(editable=False)
    number = models.CharField(max_length=128, editable=False)
    since = models.DateTimeField(editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer_id", "number"], name="one_opt_out_a_number")]

    def __str__(self) -> str:
        return self.number
