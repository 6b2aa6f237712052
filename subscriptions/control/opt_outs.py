"""Opt-outs: numbers to which a customer may send no messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from rest_framework.serializers import CharField, DateTimeField, Serializer

from events.domain.event import format_timestamp
from events.domain.phone_number import canonical_number
from subscriptions.accounts.changes import differences
from subscriptions.control.controller import Controller, FieldProblem, Missing, Refused
from subscriptions.control.resource import Outcome, Resource, Stored, checked
from subscriptions.control.tenants import owner, save_values
from subscriptions.models import AuditAction, OptOut
from subscriptions.platform.opt_outs import MAX_NUMBER


class ManagedOptOut(Serializer[Any]):
    customer_id = owner()
    number = CharField(read_only=True, help_text="The number in E.164.")
    since = DateTimeField(required=False, help_text="When it opted out; without it, now.")


class OptOuts(Resource):
    """Opt-outs by number; a customer has each number once."""

    name = "opt-outs"
    model = OptOut
    serializer = ManagedOptOut

    def shown(self, row: OptOut) -> dict[str, Any]:
        return {
            "customer_id": str(row.customer_id),
            "number": row.number,
            "since": format_timestamp(row.since),
        }

    def find_number(self, controller: Controller, number: str, customer_id: str | None) -> OptOut:
        """Return the opt-out of a number in any spelling.

        Raises:
            Missing: The customer has no opt-out of this number.
            Refused: The customer is not named, or is none that the controller reaches.
        """
        customer = controller.customer({"customer_id": customer_id})
        spellings = {canonical_number(number, customer.region), canonical_number(number)}
        row: OptOut | None = (
            self.rows(controller).filter(customer_id=customer.pk, number__in=spellings).first()
        )
        if row is None:
            raise Missing
        return row

    def put(self, controller: Controller, pk: str, content: Mapping[str, Any]) -> Stored:
        """Opt a number out, `pk` in any spelling, or change since when it has."""
        with controller.change():
            customer = controller.customer(checked(self.serializer, content, partial=True))
            number = canonical_number(pk, customer.region)
            if not 0 < len(number) <= MAX_NUMBER or not number.lstrip("+").isdigit():
                raise Refused(FieldProblem("number", "write a number such as +15551234567"))
            row = OptOut.objects.filter(customer_id=customer.pk, number=number).first()
            if row is not None:
                return self._changed(controller, row, content, partial=True)
            values = checked(self.serializer, content, partial=True)
            row = OptOut(customer_id=customer.pk, number=number, since=values.get("since") or timezone.now())
            row.save()
            self._record(controller, AuditAction.ADD, row, differences({}, self.recorded(row)))
            return Stored(row, Outcome.CREATED)

    def store(self, controller: Controller, row: OptOut, values: dict[str, Any], *, is_new: bool) -> None:
        save_values(row, values, is_new=is_new)

    def delete_number(self, controller: Controller, number: str, customer_id: str | None) -> None:
        """Opt a number in again.

        Raises:
            Missing: It has not opted out, for this controller.
            Refused: The customer is not named, or is none that the controller reaches.
        """
        with controller.change():
            self._delete(controller, self.find_number(controller, number, customer_id))

    def described(self, row: OptOut) -> str:
        # Operators who may not read messages see the audit log.
        return ""

    def recorded(self, row: OptOut) -> dict[str, Any]:
        return {"since": format_timestamp(row.since)}
