"""Access keys: none has more rights than the credential that makes it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    ListField,
    Serializer,
    UUIDField,
)

from events.api.operation import field
from events.domain.event import format_timestamp
from events.domain.strict_json import decode
from subscriptions.accounts.changes import differences
from subscriptions.auth.access_keys import CannotRotate, KeyStatus, revoke, rotate, status_of
from subscriptions.control.controller import Controller, FieldProblem, Refused
from subscriptions.control.displays import qr_code, set_display, wallboard_link
from subscriptions.control.resource import Outcome, Resource, Stored
from subscriptions.control.rights import agent_of, require_within, set_canonical_limits
from subscriptions.control.tenants import MAX_NAME, owner, quota
from subscriptions.models import AccessKey, Agent, AuditAction, KeyKind

MAX_DISPLAY_QUEUES = 100


def topic_limits() -> ListField:
    """Return the field of the topics that limit a credential."""
    text = "Patterns that limit it; empty for no limit."
    return ListField(child=CharField(max_length=260), default=list, help_text=text)


def filter_limit() -> Any:
    """Return the field of the filter that limits a credential."""
    schema = {"type": "object", "additionalProperties": True}
    return field(schema, "A filter that limits what it reads, or `null`.", allow_null=True, default=None)


class ManagedKey(Serializer[Any]):
    id = UUIDField(read_only=True)
    customer_id = owner()
    kind = ChoiceField(
        KeyKind.values,
        default=KeyKind.PROGRAM.value,
        help_text="`display`: the key of a wallboard, which reads the figures of `queue_ids` and nothing else.",
    )
    queue_ids = ListField(
        child=UUIDField(),
        default=list,
        max_length=MAX_DISPLAY_QUEUES,
        help_text="Only with `display`: the queues that the wallboard shows; empty for all.",
    )
    agent_id = UUIDField(
        allow_null=True,
        default=None,
        help_text="With an agent, the key receives what that agent receives; `null`: everything of the customer.",
    )
    label = CharField(  # type: ignore[assignment]  # REST framework has a property of this name.
        max_length=MAX_NAME, help_text="What uses the key."
    )
    may_subscribe = BooleanField(default=True)
    may_publish = BooleanField(default=False)
    may_control = BooleanField(default=False)
    masks_numbers = BooleanField(
        default=False, help_text="Whether it sees masked telephone numbers, as do the tokens that it makes."
    )
    allowed_topics = topic_limits()
    filter = filter_limit()
    events_per_second = quota("Events that it may publish a second")
    kilobytes_per_second = quota("Data that it may publish a second, in kB")
    expires_at = DateTimeField(allow_null=True, default=None, help_text="`null` for never.")
    prefix = CharField(read_only=True, help_text="The beginning of the secret, which names the key.")
    status = ChoiceField([each.value for each in KeyStatus], read_only=True)
    created_at = DateTimeField(read_only=True)
    last_used_at = DateTimeField(read_only=True, allow_null=True)
    revoked_at = DateTimeField(read_only=True, allow_null=True)
    replaces = UUIDField(
        read_only=True, allow_null=True, help_text="The key that was rotated into this one, or `null`."
    )


class AccessKeys(Resource):
    """Access keys, which are revoked instead of deleted: audit records name them."""

    name = "access-keys"
    model = AccessKey
    serializer = ManagedKey
    filters = {
        "customer_id": "customer_id",
        "agent_id": "agent_id",
        "kind": "kind",
        "label": "label",
        "prefix": "prefix",
        "may_publish": "may_publish",
        "may_subscribe": "may_subscribe",
        "may_control": "may_control",
        "masks_numbers": "masks_numbers",
    }

    def rows(self, controller: Controller) -> QuerySet[Any]:
        keys = super().rows(controller).select_related("customer", "agent__user")
        return keys if controller.is_platform else keys.exclude(agent__in=Agent.objects.of_the_platform())

    def shown(self, row: AccessKey) -> dict[str, Any]:
        def moment(value: Any) -> str | None:
            return None if value is None else format_timestamp(value)

        return {
            "id": str(row.pk),
            "customer_id": str(row.customer_id),
            "agent_id": str(row.agent_id) if row.agent_id else None,
            "kind": row.kind,
            "queue_ids": row.queue_ids,
            "label": row.label,
            "may_subscribe": row.may_subscribe,
            "may_publish": row.may_publish,
            "may_control": row.may_control,
            "masks_numbers": row.masks_numbers,
            "allowed_topics": row.allowed_topics,
            "filter": decode(row.filter) if row.filter else None,
            "events_per_second": row.events_per_second,
            "kilobytes_per_second": row.kilobytes_per_second,
            "expires_at": moment(row.expires_at),
            "prefix": row.prefix,
            "status": status_of(row, timezone.now()).value,
            "created_at": moment(row.created_at),
            "last_used_at": moment(row.last_used_at),
            "revoked_at": moment(row.revoked_at),
            "replaces": str(row.replaces_id) if row.replaces_id else None,
        }

    @sensitive_variables()
    def shown_once(self, row: AccessKey, secret: str, origin: str) -> dict[str, Any]:
        content = super().shown_once(row, secret, origin)
        if row.is_display:
            link = wallboard_link(secret, origin)
            content |= {"link": link, "qr_code": qr_code(link)}
        return content

    @sensitive_variables("secret")
    def store(
        self, controller: Controller, row: AccessKey, values: dict[str, Any], *, is_new: bool
    ) -> str | None:
        if row.revoked_at is not None:
            raise Refused(FieldProblem("id", "this key is revoked: make a new one"))
        if is_new:
            row.customer = controller.customer(values)
            values.pop("customer_id", None)
        if "agent_id" in values:
            agent = self._agent(controller, row, values.pop("agent_id"), is_new=is_new)
            if is_new:
                row.agent = agent
        set_display(row, values, is_new=is_new)
        set_canonical_limits(values)
        before = {name: getattr(row, name) for name in values}
        for name, value in values.items():
            setattr(row, name, value)
        try:
            row.clean()
        except ValidationError as error:
            named = error.message_dict if hasattr(error, "error_dict") else {_wrong(row): error.messages}
            raise Refused(*(FieldProblem(name, " ".join(texts)) for name, texts in named.items())) from None
        require_within(controller, row)
        secret = row.make_secret() if is_new else None
        if is_new:
            row.save(force_insert=True)
        elif before != values:
            row.save(update_fields=list(values))
        return secret

    def _agent(self, controller: Controller, row: AccessKey, pk: Any, *, is_new: bool) -> Agent | None:
        if not is_new:
            if pk != row.agent_id:
                raise Refused(FieldProblem("agent_id", "a key keeps its agent: make a new key"))
            return row.agent
        return None if pk is None else agent_of(controller, row.customer, pk)

    def rotate(self, controller: Controller, pk: str, overlap: dt.timedelta) -> Stored:
        """Create a successor with the same rights; the key stays valid for `overlap` at most.

        Raises:
            Refused: The key cannot be rotated, or has more rights than the controller.
            Missing: There is no such key for this controller.
        """
        with controller.change():
            old = self.find(controller, pk)
            require_within(controller, old)
            before = self.recorded(old)
            try:
                new, secret = rotate(old, timezone.now(), overlap)
            except CannotRotate as error:
                raise Refused(FieldProblem("id", str(error))) from None
            old.refresh_from_db()
            changes = self._differences(before, old)
            subject, customer_id = f"accesskey:{old.pk}", old.customer_id
            controller.record(
                AuditAction.CHANGE, subject, customer_id, f"{old}: Rotated into {new}.", changes
            )
            controller.record(
                AuditAction.ADD,
                f"accesskey:{new.pk}",
                customer_id,
                f"{new}: Created by rotating {old}.",
                self._differences({}, new),
            )
            return Stored(new, Outcome.CREATED, secret)

    def delete(self, controller: Controller, pk: str) -> None:
        """Revoke the key; a revoked one stays as it is."""
        with controller.change():
            key = self.find(controller, pk)
            before = self.recorded(key)
            if revoke(key, timezone.now()):
                key.refresh_from_db()
                changes = self._differences(before, key)
                detail = f"{key}: Revoked."
                controller.record(AuditAction.CHANGE, f"accesskey:{key.pk}", key.customer_id, detail, changes)

    def _differences(self, before: dict[str, Any], row: AccessKey) -> dict[str, tuple[Any, Any]]:
        return differences(before, self.recorded(row))


def _wrong(row: AccessKey) -> str:
    """Return the field that makes the key as a whole invalid."""
    of_programs = ("agent_id", "may_publish", "may_control", "filter") if row.is_display else ()
    return next((name for name in of_programs if getattr(row, name)), "may_subscribe")
