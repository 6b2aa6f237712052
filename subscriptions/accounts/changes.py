"""Audit records of what a person or program did: who, from where, and before and after."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from subscriptions.audit.store import append, canonical
from subscriptions.auth.client_info import ClientInfo, storable
from subscriptions.models import NO_CONNECTION, Agent, AuditAction, AuditRecord, AuditVerdict, Customer
from subscriptions.protocol.permissions import Identity

MAX_VALUE_CHARACTERS = 300
MAX_DETAIL_CHARACTERS = 300
MAX_SUBJECT_CHARACTERS = 260
MAX_CREDENTIAL_CHARACTERS = 60

UNRECORDED_FIELDS = frozenset(
    {
        *("password", "digest", "last_login", "last_used_at", "last_used_address", "last_used_client"),
        *("status", "status_changed_at"),
    }
)
"""Secrets, what changes without a person's doing, and statuses, which have records of their own."""

_USER_FIELDS = ("username", "is_staff", "is_active")

Changes = Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or program that does something, and its address.

    `customer_id` and `agent_id` are `None` if it has none.
    """

    name: str
    customer_id: Any = None
    agent_id: Any = None
    client_info: ClientInfo = field(default_factory=ClientInfo)


def client_info_of(request: HttpRequest) -> ClientInfo:
    """Return the address and the User-Agent of a request."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return ClientInfo.of(request.META.get("REMOTE_ADDR") or "", headers)


current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)
"""The HTTP request that this thread carries out; set by the middleware of the request log."""


def current_actor() -> Actor:
    """Return who sent the current request, or the command that runs on the machine."""
    request = current_request.get()
    if request is None:
        return Actor(f"manage.py by {getpass.getuser()}")
    # REST framework puts the identity there; `request.user` of the admin is a lazy object around the user.
    user = request.__dict__.get("user")
    client_info = client_info_of(request)
    if type(user) is Identity:
        return Actor(user.credential, user.customer_id, user.agent_id, client_info)
    if user is not None and user.is_authenticated:
        return actor_of_user(user, client_info)
    return Actor("", client_info=client_info)


def actor_of_user(user: Any, client_info: ClientInfo) -> Actor:
    """Return a user of the admin or of the log-in as an actor."""
    found = Agent.objects.filter(user_id=user.pk).values("pk", "customer_id").first()
    agent: Mapping[str, Any] = found or {}
    return Actor(f"user {user.get_username()}", agent.get("customer_id"), agent.get("pk"), client_info)


def operator_and_address(request: HttpRequest) -> str:
    """Return the user name and address of an operator.

    For the detail of a record that has the name and address of another client.
    """
    return f"{request.user.get_username()} from {client_info_of(request).address}"


def subject_of(row: Model) -> str:
    """Return the name of a row in the audit log: its model and id."""
    return f"{row._meta.model_name}:{row.pk}"


def customer_of(row: Any) -> Any:
    """Return the id of the customer that a row belongs to, or `None`."""
    if isinstance(row, Customer):
        return row.pk
    if (customer_id := getattr(row, "customer_id", None)) is not None:
        return customer_id
    if not hasattr(row, "get_username"):
        return None
    return Agent.objects.filter(user_id=row.pk).values_list("customer_id", flat=True).first()


def record(
    actor: Actor,
    action: str,
    subject: str,
    *,
    customer_id: Any = None,
    verdict: str = AuditVerdict.GRANTED,
    rule: str = "by-operator",
    detail: str = "",
    changes: Changes | None = None,
    count: int = 1,
) -> None:
    """Append one record to the audit log, in the transaction of the change if there is one.

    `subject` is what was changed, `customer_id` whose it is if not the actor's own.
    """
    record = audit_record(
        actor, action, subject, customer_id=customer_id, rule=rule, detail=detail, changes=changes
    )
    record.verdict, record.count = verdict, count
    append([record])


def audit_record(
    actor: Actor,
    action: str,
    subject: str,
    *,
    customer_id: Any = None,
    rule: str = "by-operator",
    detail: str = "",
    changes: Changes | None = None,
) -> AuditRecord:
    """Build the record of something that was granted, without storing it."""
    return AuditRecord(
        action=action,
        verdict=AuditVerdict.GRANTED,
        topic=storable(subject, MAX_SUBJECT_CHARACTERS),
        rule=rule,
        detail=storable(detail, MAX_DETAIL_CHARACTERS),
        customer_id=customer_id or actor.customer_id,
        agent_id=actor.agent_id,
        credential=storable(actor.name, MAX_CREDENTIAL_CHARACTERS),
        address=actor.client_info.address,
        client=actor.client_info.client,
        connection_id=NO_CONNECTION,
        changes=_as_json(changes) if changes else "",
    )


def record_status(agent: Agent, before: str, chosen: str, *, rule: str) -> None:
    """Record that a person chose an agent's status."""
    record(
        current_actor(),
        AuditAction.CHANGE,
        subject_of(agent),
        customer_id=agent.customer_id,
        rule=rule,
        changes={"status": (before, chosen)},
    )


def snapshot(row: Any) -> dict[str, Any]:
    """Return the values of a stored row without secrets.

    Many-to-many relations are sorted ids.
    """
    values: dict[str, Any] = {
        each.name: _plain(each.value_from_object(row))
        for each in row._meta.concrete_fields
        if each.name not in UNRECORDED_FIELDS and not each.primary_key
    }
    for relation in row._meta.many_to_many:
        values[relation.name] = sorted(str(each.pk) for each in getattr(row, relation.name).all())
    if isinstance(row, Agent):
        values |= {name: _plain(getattr(row.user, name)) for name in _USER_FIELDS}
    return values


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the values that differ, each before and after; `None` where there is none."""
    names: Iterable[str] = dict.fromkeys([*before, *after])
    return {
        name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str | list) else canonical(value)


def _as_json(changes: Changes) -> str:
    bounded = {name: [_bounded(before), _bounded(after)] for name, (before, after) in changes.items()}
    return json.dumps(bounded, ensure_ascii=False)


def _bounded(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return storable(text, MAX_VALUE_CHARACTERS)
