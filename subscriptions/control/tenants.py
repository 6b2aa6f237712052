"""Customers, and their queues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    IntegerField,
    JSONField,
    ListField,
    Serializer,
    UUIDField,
)

from events.api.operation import Schema, field
from events.domain.event import format_timestamp
from subscriptions.control.controller import Controller
from subscriptions.control.resource import Resource
from subscriptions.models import MAX_GRACE_SECONDS, MIN_GRACE_SECONDS, Customer, PresencePolicy, Queue
from subscriptions.models.desk_settings import (
    CODE_PATTERN,
    DESK_FIELDS,
    MAX_AWAY_MINUTES,
    MAX_LABEL,
    MAX_REPLY,
    MAX_URL,
    validate_away_reasons,
    validate_crm_url,
    validate_dispositions,
    validate_quick_replies,
)
from subscriptions.models.number_masks import MASKABLE_ROLES, validate_maskable_roles
from subscriptions.models.presence import DEFAULT_GRACE_SECONDS
from subscriptions.models.targets import TARGETS, validate_time_zone
from subscriptions.models.tenants import validate_region

MAX_NAME = 120
MAX_NUMBER = 2**31 - 1
_CODE: Schema = {"type": "string", "pattern": f"^{CODE_PATTERN}$"}
_LABEL: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_LABEL}


class Disposition(Serializer[Any]):
    code = field(_CODE)
    label = field(_LABEL)


class AwayReason(Serializer[Any]):
    code = field(_CODE)
    label = field(_LABEL)
    minutes = field(
        {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_AWAY_MINUTES},
        "Until the expected return; `null` if that is open.",
    )


class QuickReply(Serializer[Any]):
    title = field(_LABEL)
    text = field({"type": "string", "minLength": 1, "maxLength": MAX_REPLY})


QUOTAS = ("events_per_second", "kilobytes_per_second", "stored_megabytes", "max_connections")

NUMBER_MASKS = ("masked_roles", "revealing_roles")

PRESENCE = ("presence_policy", "presence_grace_seconds")


def quota(what: str) -> IntegerField:
    """Return the field of a limit."""
    text = f"{what}; `null` for the default of the settings, 0 for no limit."
    return IntegerField(min_value=0, max_value=MAX_NUMBER, allow_null=True, default=None, help_text=text)


def default_target(name: str) -> IntegerField:
    """Return a customer's field of a target."""
    _, least, most, _, meaning = TARGETS[name]
    text = f"{meaning} For all queues without an own value."
    return IntegerField(min_value=least, max_value=most, default=TARGETS[name].default, help_text=text)


def own_target(name: str) -> IntegerField:
    """Return a queue's field of a target."""
    _, least, most, _, meaning = TARGETS[name]
    text = f"{meaning} `null` for the customer's value."
    return IntegerField(min_value=least, max_value=most, allow_null=True, default=None, help_text=text)


def _desk_entries(entry: type[Serializer[Any]], validate: Callable[[object], None], meaning: str) -> Any:
    """Return the field of a list of a customer's desk settings."""
    kind = extend_schema_field(entry(many=True))(type("DeskEntries", (JSONField,), {}))
    return kind(help_text=meaning, default=list, validators=[validate])


def roles(meaning: str) -> ListField:
    """Return the field of roles of a customer."""
    return ListField(
        child=ChoiceField(MASKABLE_ROLES),
        default=list,
        validators=[validate_maskable_roles],
        max_length=len(MASKABLE_ROLES),
        help_text=meaning,
    )


def owner() -> UUIDField:
    """Return the field of a row's customer."""
    text = "The customer. Without it, that of the credential; it cannot be changed."
    return UUIDField(required=False, help_text=text)


class ManagedCustomer(Serializer[Any]):
    id = UUIDField(read_only=True, help_text="The platform's own id.")
    name = CharField(max_length=MAX_NAME)
    is_active = BooleanField(default=True, help_text="`false`: no credential of it is accepted.")
    region = CharField(
        max_length=2,
        allow_blank=True,
        default="",
        validators=[validate_region],
        help_text="The region of its numbers, such as `US` or `DE` (ISO 3166); empty for none.",
    )
    events_per_second = quota("Events that it may publish a second")
    kilobytes_per_second = quota("Data that it may publish a second, in kB")
    stored_megabytes = quota("Events that it may have stored, in MB")
    max_connections = quota("Connections that it may have open")
    data_check = ChoiceField(
        ["", "report", "refuse"],
        allow_blank=True,
        default="",
        help_text="Whether published data is compared with its event type; empty for no comparison.",
    )
    time_zone = CharField(
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="A name such as `Europe/Berlin` (IANA). Figures of a day begin at its midnight.",
    )
    target_seconds = default_target("target_seconds")
    target_percent = default_target("target_percent")
    wait_alarm_seconds = default_target("wait_alarm_seconds")
    short_abandon_seconds = default_target("short_abandon_seconds")
    wrap_up_seconds = default_target("wrap_up_seconds")
    presence_policy = ChoiceField(
        PresencePolicy.values,
        default=PresencePolicy.KEEP.value,
        help_text="The status of an agent whose own connections have all ended: kept, or set to away or offline.",
    )
    presence_grace_seconds = IntegerField(
        min_value=MIN_GRACE_SECONDS,
        max_value=MAX_GRACE_SECONDS,
        default=DEFAULT_GRACE_SECONDS,
        help_text="How long after its last connection an agent still counts as connected.",
    )
    dispositions = _desk_entries(
        Disposition, validate_dispositions, "How a call can have gone, for agents to choose from after it."
    )
    away_reasons = _desk_entries(
        AwayReason,
        validate_away_reasons,
        "Reasons for being away, with the minutes until the expected return.",
    )
    quick_replies = _desk_entries(
        QuickReply,
        validate_quick_replies,
        "Texts for messages. `{name}`, `{number}` and `{agent}` are replaced.",
    )
    crm_url = CharField(
        max_length=MAX_URL,
        allow_blank=True,
        default="",
        validators=[validate_crm_url],
        help_text="The template of a link to the CRM, with `{number}`, `{call_id}` and `{name}`; empty for none.",
    )
    masked_roles = roles("Roles that see masked telephone numbers.")
    revealing_roles = roles("Those of them that may reveal the numbers of a single call or message.")
    created_at = DateTimeField(read_only=True)


class Customers(Resource):
    """Customers, which only the platform manages."""

    name = "customers"
    model = Customer
    serializer = ManagedCustomer
    filters = {"name": "name", "is_active": "is_active"}

    def rows(self, controller: Controller) -> QuerySet[Any]:
        controller.require_platform()
        return Customer.objects.all()

    def shown(self, row: Customer) -> dict[str, Any]:
        names = ["name", "is_active", "region", *QUOTAS, "data_check"]
        names += ["time_zone", *TARGETS, *PRESENCE, *DESK_FIELDS, *NUMBER_MASKS]
        values = {name: getattr(row, name) for name in names}
        return {"id": str(row.pk), **values, "created_at": format_timestamp(row.created_at)}

    def store(self, controller: Controller, row: Customer, values: dict[str, Any], *, is_new: bool) -> None:
        controller.require_platform()
        save_values(row, values, is_new=is_new)


class ManagedQueue(Serializer[Any]):
    id = UUIDField(read_only=True, help_text="The platform's own id.")
    customer_id = owner()
    name = CharField(max_length=MAX_NAME)
    target_seconds = own_target("target_seconds")
    target_percent = own_target("target_percent")
    wait_alarm_seconds = own_target("wait_alarm_seconds")
    short_abandon_seconds = own_target("short_abandon_seconds")
    wrap_up_seconds = own_target("wrap_up_seconds")


class Queues(Resource):
    """Queues; the agents who serve one are named by the agents."""

    name = "queues"
    model = Queue
    serializer = ManagedQueue
    filters = {"customer_id": "customer_id", "name": "name"}

    def shown(self, row: Queue) -> dict[str, Any]:
        own = {name: getattr(row, name) for name in TARGETS}
        return {"id": str(row.pk), "customer_id": str(row.customer_id), "name": row.name, **own}

    def store(self, controller: Controller, row: Queue, values: dict[str, Any], *, is_new: bool) -> None:
        if is_new:
            row.customer = controller.customer(values)
            values.pop("customer_id", None)
        save_values(row, values, is_new=is_new)


def save_values(row: Any, values: dict[str, Any], *, is_new: bool) -> None:
    """Set these values, and save the row if it is new or one differs."""
    differs = [name for name, value in values.items() if getattr(row, name) != value]
    for name in differs:
        setattr(row, name, values[name])
    if differs or is_new:
        row.save(force_insert=is_new)
