"""Customers, their agents and queues, the access keys of both, who is connected now, and the audit log."""

# Long because the models of one app stand in one module, where Django looks for them.

from __future__ import annotations

import hashlib
import secrets
import string
import uuid
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from events.domain.topics import known_resources
from subscriptions.protocol.permissions import Role

KEY_MARK = "vb_"
KEY_RANDOM_CHARACTERS = 32
KEY_PREFIX_CHARACTERS = 11
"""Of a key's 35 characters these are stored readable, so that people can tell keys apart: `vb_` and eight more."""

_KEY_ALPHABET = string.ascii_letters + string.digits


def validate_not_nil(value: uuid.UUID) -> None:
    """Raise ValidationError for the nil UUID, by which the platform says "none"."""
    if value.int == 0:
        raise ValidationError(
            "The nil UUID means none: write the platform's own id, or leave the one that was made."
        )


class Customer(models.Model):
    """A tenant of the platform. Nothing of one customer is ever visible to another."""

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
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Queue(models.Model):
    """A queue in which callers wait, and the agents who serve it."""

    id = models.UUIDField(
        primary_key=True,
        default=uuid.uuid4,
        validators=[validate_not_nil],
        help_text="The platform's own id of this queue: by it the queue's events find the agents who serve it.",
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="queues")
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["customer", "name"]

    def __str__(self) -> str:
        return self.name


class AgentStatus(models.TextChoices):
    """VoIPBIN's words for what an agent does."""

    AVAILABLE = "available"
    AWAY = "away"
    BUSY = "busy"
    OFFLINE = "offline"
    RINGING = "ringing"


class AgentRole(models.TextChoices):
    """`access.Role` for people."""

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
        raise ValidationError(f"Not known as resources: {', '.join(map(str, unknown))}.")


class AgentQuerySet(models.QuerySet["Agent"]):
    """Agents in the database."""

    def of_the_platform(self) -> AgentQuerySet:
        """Platform staff and superusers: who is not one of them may not touch them, nor speak in their name."""
        return self.filter(models.Q(role=AgentRole.STAFF) | models.Q(user__is_superuser=True))


class Agent(models.Model):
    """A person of a customer who logs in: an agent of the contact centre, its manager or admin, or platform staff."""

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
            "An agent hears its own topics and the granted resources; managers and admins hear everything of their "
            "customer; admins may publish; platform staff hear and publish for every customer."
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
        help_text='Resources of the customer that the agent may hear besides its own, such as ["message"].',
    )
    tokens_valid_from = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Tokens issued before this moment are refused: sign the agent out everywhere.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AgentQuerySet.as_manager()

    class Meta:
        ordering = ["customer", "name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.customer})"

    @property
    def is_of_the_platform(self) -> bool:
        """`AgentQuerySet.of_the_platform` of this agent."""
        return self.role == AgentRole.STAFF or self.user.is_superuser


class AccessKey(models.Model):
    """A credential of a program. Only its hash is kept: the secret is shown once, when it is made."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="access_keys")
    agent = models.ForeignKey(
        Agent,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="access_keys",
        help_text="With an agent, the key hears what that agent hears. Without, everything of the customer.",
    )
    label = models.CharField(
        max_length=120, help_text="What uses this key, so that you know what stops without it."
    )
    prefix = models.CharField(max_length=KEY_PREFIX_CHARACTERS, editable=False)
    digest = models.CharField(
        max_length=64, unique=True, editable=False, validators=[RegexValidator(r"^[0-9a-f]{64}\Z")]
    )
    may_subscribe = models.BooleanField(
        default=True, help_text="Whether it may open a WebSocket and read over REST."
    )
    may_publish = models.BooleanField(default=False, help_text="Whether it may publish events.")
    allowed_topics = models.JSONField(
        default=list,
        blank=True,
        help_text="Patterns, in canonical form, outside of which the key hears nothing; none for no such limit.",
    )
    expires_at = models.DateTimeField("expires", null=True, blank=True, help_text="Empty for never.")
    revoked_at = models.DateTimeField("revoked", null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, blank=True, editable=False)
    last_used_address = models.CharField("from", max_length=64, blank=True, editable=False)
    last_used_client = models.CharField("by", max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)
    replaces = models.OneToOneField(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="replaced_by",
        help_text="The key that was rotated into this one.",
    )

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "access key"

    def __str__(self) -> str:
        return f"{self.prefix}… {self.label}"

    def clean(self) -> None:
        if not self.may_subscribe and not self.may_publish:
            raise ValidationError("A key that may neither subscribe nor publish is good for nothing.")
        if self.agent is not None and self.customer_id and self.agent.customer_id != self.customer_id:
            raise ValidationError({"agent": "This agent belongs to another customer than the key."})

    def make_secret(self) -> str:
        """Give the key a new secret, which is returned and not kept. The caller saves the key."""
        secret = KEY_MARK + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(KEY_RANDOM_CHARACTERS))
        self.set_secret(secret)
        return secret

    def set_secret(self, secret: str) -> None:
        """Make `secret` the key's secret. The caller saves the key."""
        self.prefix = secret[:KEY_PREFIX_CHARACTERS]
        self.digest = digest_of(secret)

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class AccessChanges(models.Model):
    """One row that counts the changes of keys, agents, customers and logins: a check that finds none costs nothing."""

    count = models.BigIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return f"{self.count} changes"


def digest_of(secret: str) -> str:
    """What is stored of an access key: SHA-256, in hex. A key is random, so it needs no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def agents_serving(queues: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """The ids of the active agents who serve each of these (customer id, queue id); unknown queues are missing."""
    wanted = set(queues)
    ids = []
    for _, queue_id in wanted:
        try:
            ids.append(uuid.UUID(queue_id))
        except ValueError:
            continue  # A platform whose queue ids are no UUIDs has none of them here.
    serving: dict[tuple[str, str], list[str]] = {}
    rows = (
        Agent.objects.filter(queues__in=ids, is_active=True)
        .order_by("id")
        .values_list("queues__customer_id", "queues__id", "id", "customer_id")
    )
    for customer_id, queue_id, agent_id, agents_customer_id in rows:
        key = (str(customer_id), str(queue_id))
        if key in wanted and customer_id == agents_customer_id:
            serving.setdefault(key, []).append(str(agent_id))
    return serving


def customers_of(agent_ids: Iterable[str]) -> dict[str, str]:
    """The customer ids of these agents; unknown agents are missing."""
    rows = Agent.objects.filter(pk__in=list(agent_ids)).values_list("id", "customer_id")
    return {str(agent_id): str(customer_id) for agent_id, customer_id in rows}


class GatewayProcess(models.Model):
    """A server process that holds sockets. A crashed one vanishes by itself: nobody renews its lease."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, editable=False)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    lease_ends_at = models.DateTimeField(editable=False)
    connections = models.PositiveIntegerField(default=0, editable=False)
    figures = models.TextField(
        default="{}",
        editable=False,
        help_text="JSON: what moves all the time, by connection; `roster.Figures`.",
    )
    state = models.TextField(
        default="{}", editable=False, help_text="JSON: how it does; `process_state.ProcessState`."
    )

    def __str__(self) -> str:
        return self.name


class LiveConnection(models.Model):
    """An open socket of some process: who holds it and what it hears. Its figures are in its process's row."""

    id = models.UUIDField(primary_key=True, editable=False)
    process = models.ForeignKey(
        GatewayProcess, on_delete=models.CASCADE, editable=False, related_name="live_connections"
    )
    customer_id = models.UUIDField(editable=False, db_index=True)
    agent_id = models.UUIDField(null=True, editable=False)
    key_id = models.UUIDField(null=True, editable=False, db_index=True)
    credential = models.CharField(max_length=60, editable=False)
    is_platform_staff = models.BooleanField(editable=False)
    address = models.CharField(max_length=64, blank=True, editable=False)
    client = models.CharField(max_length=200, blank=True, editable=False)
    topics = models.TextField(blank=True, editable=False, help_text="One a line, the first of them.")
    topic_count = models.PositiveIntegerField(default=0, editable=False)
    opened_at = models.DateTimeField("since", editable=False)

    class Meta:
        ordering = ["-opened_at", "id"]
        verbose_name = "live connection"

    def __str__(self) -> str:
        return f"{self.credential} from {self.address}"


class CloseOrder(models.Model):
    """A connection, or all of an access key, are to be closed, by whichever processes have them."""

    change = models.BigIntegerField(db_index=True, help_text="`AccessChanges.count` from which on it stands.")
    connection_id = models.UUIDField(null=True)
    key_id = models.UUIDField(null=True)
    word = models.CharField(max_length=120)
    given_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.word


class LoginTries(models.Model):
    """How much is left of what somebody may try to log in; no row: all of it."""

    key = models.CharField(max_length=64, primary_key=True, editable=False)
    full_at = models.DateTimeField(editable=False, db_index=True)

    def __str__(self) -> str:
        return f"{self.key[:8]}… until {self.full_at:%H:%M:%S}"


class OptOut(models.Model):
    """Somebody who wrote STOP to a customer: no message may go to the number until it writes START."""

    customer_id = models.UUIDField(editable=False)
    number = models.CharField(max_length=128, editable=False)
    since = models.DateTimeField(editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer_id", "number"], name="one_opt_out_a_number")]

    def __str__(self) -> str:
        return self.number


class AuditAction(models.TextChoices):
    """What the audit log tells of."""

    CONNECT = "connect"
    REFUSE = "refuse"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    AUTHENTICATE = "authenticate"
    DISCONNECT = "disconnect"
    CLOSE = "close"
    LIVE = "live"
    PRUNE = "prune"


class AuditVerdict(models.TextChoices):
    """How it ended."""

    GRANTED = "granted"
    REFUSED = "refused"
    ENDED = "ended"


class AuditRecord(models.Model):
    """Who asked for what, and the answer with its rule. Names are copied: a record outlives whom it tells of."""

    at = models.DateTimeField("time", default=timezone.now, editable=False, db_index=True)
    action = models.CharField(max_length=12, choices=AuditAction, editable=False)
    verdict = models.CharField(max_length=8, choices=AuditVerdict, editable=False)
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
        help_text="Where it holds in the events: topics are heard after it, or were up to it.",
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
        # Each with the order of the list, so that a filtered list is read from its newest row and no further.
        indexes = [
            models.Index(fields=["customer_id", "-id"], name="audit_customer"),
            models.Index(fields=["agent_id", "-id"], name="audit_agent"),
            models.Index(fields=["rule", "-id"], name="audit_rule"),
            models.Index(fields=["credential", "-id"], name="audit_credential"),
            models.Index(fields=["-id"], condition=models.Q(verdict="refused"), name="audit_refused"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.verdict} {self.topic}"


FIRST_DIGEST = "0" * 64
"""The digest before the first record of the audit log."""


class AuditChain(models.Model):
    """One row: the last link of the audit log's chain, and the last one that was removed as too old.

    Its lock makes the order of rows the order of the chain, whichever processes write. One chain for all of them: there
    is one number and one digest to note outside, and each process stores what waits together in one commit, so that it
    takes the lock a few times a second at most.
    """

    position = models.BigIntegerField(default=0, editable=False)
    digest = models.CharField(max_length=64, default=FIRST_DIGEST, editable=False)
    floor_position = models.BigIntegerField(default=0, editable=False)
    floor_digest = models.CharField(max_length=64, default=FIRST_DIGEST, editable=False)

    def __str__(self) -> str:
        return f"{self.position} audit records"
