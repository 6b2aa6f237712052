"""The credential or command that controls, and what it may reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import transaction

from subscriptions.accounts.changes import Actor, Changes, audit_record, current_actor
from subscriptions.audit.store import append
from subscriptions.auth.tokens import identity_of_agent
from subscriptions.models import Agent, AuditRecord, Customer
from subscriptions.protocol.permissions import Identity

OPERATOR_RULE = "by-operator"


class FieldProblem(NamedTuple):
    """Why a field is refused, and what is right."""

    field: str
    message: str


class Refused(Exception):
    """A change is refused; `problems` has a reason for each field."""

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__("; ".join(f"{each.field}: {each.message}" for each in problems))
        self.problems: Sequence[FieldProblem] = problems


class NotPermitted(Exception):
    """The credential may not do this at all; the message says which may."""


class Missing(Exception):
    """There is no such row for this credential."""


@dataclass
class Controller:
    """The credential that controls.

    `identity` is `None` for a command on the machine, which may do everything.
    """

    identity: Identity | None
    rule: str = ""
    """The rule of the audit records; "" for that of a command or a client."""
    _actor: Actor = field(default_factory=current_actor)
    _records: list[AuditRecord] = field(default_factory=list)
    _depth: int = 0

    def __post_init__(self) -> None:
        if self.identity is not None and not self.identity.may_control:
            raise NotPermitted(
                "This credential may not control: use a token of an admin or of platform staff, or an access key with "
                "the permission to control"
            )

    @classmethod
    def of_operator(cls, user: Any) -> Controller:
        """Return what an operator of the admin controls.

        Raises:
            NotPermitted: The operator is neither a superuser, platform staff nor an admin.
        """
        if user.is_superuser:
            return cls(None)
        agent = Agent.objects.select_related("customer", "user").filter(user_id=user.pk).first()
        if agent is None:
            raise NotPermitted("Rows are imported by platform staff and by the admins of customers")
        return cls(identity_of_agent(agent), OPERATOR_RULE)

    @property
    def is_platform(self) -> bool:
        """Whether all customers are reached."""
        return self.identity is None or self.identity.is_platform_staff

    @property
    def customer_id(self) -> str | None:
        """The only customer that is reached, `None` for all."""
        return None if self.identity is None or self.is_platform else self.identity.customer_id

    @property
    def is_narrowed(self) -> bool:
        """Whether the credential receives less than its role or customer does."""
        identity = self.identity
        return identity is not None and (
            identity.allowed_topics is not None
            or identity.filter is not None
            or identity.masks_numbers
            or not identity.may_subscribe
        )

    @property
    def may_publish(self) -> bool:
        return self.identity is None or self.identity.may_publish

    @property
    def agent_id(self) -> str | None:
        return None if self.identity is None else self.identity.agent_id

    def require_platform(self) -> None:
        """Refuse a credential of one customer.

        Raises:
            NotPermitted: It is one.
        """
        if not self.is_platform:
            raise NotPermitted("Customers are managed by platform staff: your credential is of one customer")

    def customer(self, values: Mapping[str, Any]) -> Customer:
        """Return the customer of a new row: the one that is named, or the credential's own.

        Raises:
            Refused: It is missing, or none that this credential reaches.
        """
        named = values.get("customer_id")
        if named is None and self.customer_id is None:
            raise Refused(FieldProblem("customer_id", "name the customer: your credential reaches all"))
        pk = str(named or self.customer_id)
        found = Customer.objects.filter(pk=pk).first() if self.customer_id in (None, pk) else None
        if found is None:
            raise Refused(FieldProblem("customer_id", "there is no such customer for you"))
        return found

    @contextmanager
    def change(self) -> Iterator[None]:
        """Store the changes of the block and their audit records in one transaction.

        Blocks may be nested: the records are stored at the end of the outermost.
        """
        self._depth += 1
        try:
            with transaction.atomic():
                yield
                if self._depth == 1:
                    append(self._records)
        finally:
            self._depth -= 1
            if not self._depth:
                self._records.clear()

    def record(
        self, action: str, subject: str, customer_id: Any, detail: str, changes: Changes | None
    ) -> None:
        """Record a change at the end of the block."""
        rule = self.rule or (OPERATOR_RULE if self.identity is None else "by-client")
        self._records.append(
            audit_record(
                self._actor,
                action,
                subject,
                customer_id=customer_id,
                rule=rule,
                detail=detail,
                changes=changes,
            )
        )
