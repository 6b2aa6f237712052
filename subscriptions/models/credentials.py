"""Access keys, the version of all permissions, and the rate limits of logins."""

from __future__ import annotations

import hashlib
import secrets
import string
import uuid
from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from events.domain.topics import ANY, SUMMARY_RESOURCE, customer_topic
from subscriptions.models.tenants import Agent, AgentRole, Customer

KEY_MARK = "vb_"
KEY_RANDOM_CHARACTERS = 32
KEY_PREFIX_CHARACTERS = 11
"""Of a key's 35 characters these are stored in plain text, to name the key: `vb_` and eight more."""
CONTROLLING_ROLES = (AgentRole.ADMIN, AgentRole.STAFF)
"""Roles whose tokens, and keys with that permission, may use the control API."""
_KEY_ALPHABET = string.ascii_letters + string.digits


def digest_of(secret: str) -> str:
    """The stored form of an access key: SHA-256 in hex. Keys are random and need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class KeyKind(models.TextChoices):
    """What an access key is for.

    A key of a display reads the figures of queues, and nothing else.
    """

    PROGRAM = "program", gettext_lazy("Program")
    DISPLAY = "display", gettext_lazy("Wallboard")


def display_topics(customer_id: object, queue_ids: Iterable[object]) -> list[str]:
    """Return the topics of a display that shows these queues; without any, of all."""
    names = sorted(map(str, queue_ids)) or [ANY]
    return [customer_topic(str(customer_id), SUMMARY_RESOURCE, name) for name in names]


class AccessKey(models.Model):
    """A credential of a program or a wallboard.

    Only its hash is stored: the secret is shown once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="access_keys")
    agent = models.ForeignKey(
        Agent,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="access_keys",
        help_text="With an agent, the key receives what that agent receives. Without, everything of the customer.",
    )
    kind = models.CharField(
        gettext_lazy("kind"),
        max_length=8,
        choices=KeyKind,
        default=KeyKind.PROGRAM,
        db_default=KeyKind.PROGRAM,
        editable=False,
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
    may_control = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether it may manage queues, agents, access keys and opt-outs over REST; with platform staff as "
        "its agent, of all customers.",
    )
    masks_numbers = models.BooleanField(
        "masked numbers",
        default=False,
        db_default=False,
        help_text="Whether it sees of every telephone number the country code and the last two digits alone, as do the "
        "tokens that it makes.",
    )
    allowed_topics = models.JSONField(
        default=list,
        blank=True,
        help_text="Patterns, in canonical form, outside of which the key receives and publishes nothing; "
        "empty for none.",
    )
    filter = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="A filter on tags as canonical JSON: the key reads nothing that it does not match; empty for none.",
    )
    events_per_second = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Events that it may publish a second. 0 for no limit but its customer's.",
    )
    kilobytes_per_second = models.PositiveIntegerField(
        "kB per second",
        null=True,
        blank=True,
        help_text="Data that it may publish a second. 0 for no limit but its customer's.",
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
        if self.is_display and (self.agent_id or self.may_publish or self.may_control or self.filter):
            raise ValidationError(
                gettext_lazy(
                    "The key of a wallboard has no agent and no filter, and may neither publish nor control."
                )
            )
        if not (self.may_subscribe or self.may_publish or self.may_control):
            raise ValidationError(
                gettext("A key that may neither subscribe nor publish nor control is good for nothing.")
            )
        if self.may_control and self.agent is not None and self.agent.role not in CONTROLLING_ROLES:
            raise ValidationError(
                {
                    "may_control": gettext(
                        "Only a key of the whole customer, an admin or platform staff can control."
                    )
                }
            )
        if self.agent is not None and self.customer_id and self.agent.customer_id != self.customer_id:
            raise ValidationError({"agent": gettext("This agent belongs to another customer than the key.")})

    @property
    def is_display(self) -> bool:
        return self.kind == KeyKind.DISPLAY

    @property
    def queue_ids(self) -> list[str]:
        """The queues whose figures a display shows; empty for all."""
        if not self.is_display:
            return []
        names = (topic.rpartition(":")[2] for topic in self.allowed_topics)
        return [name for name in names if name != ANY]

    def make_secret(self) -> str:
        """Set a new random secret, and return it. It does not save the key."""
        secret = KEY_MARK + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(KEY_RANDOM_CHARACTERS))
        self.set_secret(secret)
        return secret

    def set_secret(self, secret: str) -> None:
        """Set the key's secret. It does not save the key."""
        self.prefix = secret[:KEY_PREFIX_CHARACTERS]
        self.digest = digest_of(secret)

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class AccessChanges(models.Model):
    """The access version: one row that counts changes of keys, agents, customers and logins."""

    count = models.BigIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return f"{self.count} changes"


class EndedToken(models.Model):
    """A token that was ended by its holder, until it would have expired."""

    id = models.CharField(max_length=64, primary_key=True, editable=False)
    ends_at = models.DateTimeField(editable=False, db_index=True)

    def __str__(self) -> str:
        return f"{self.id[:8]}… until {self.ends_at:%Y-%m-%d}"


class LoginTries(models.Model):
    """A rate limit of logins, which is full without a row.

    Or an address from which a user has logged in, which is known until `full_at`.
    """

    key = models.CharField(max_length=64, primary_key=True, editable=False)
    full_at = models.DateTimeField(editable=False, db_index=True)

    def __str__(self) -> str:
        return f"{self.key[:8]}… until {self.full_at:%H:%M:%S}"
