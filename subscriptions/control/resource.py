"""One kind of managed row: reading, creating or replacing, changing and deleting it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from django.contrib.admin.utils import NestedObjects
from django.db import IntegrityError
from django.db.models import Model, QuerySet
from django.utils.translation import override
from rest_framework.serializers import Serializer

from events.domain.topics import did_you_mean, is_canonical_uuid, is_nil_uuid
from subscriptions.accounts.changes import customer_of, differences, snapshot, subject_of
from subscriptions.control.controller import Controller, FieldProblem, Missing, Refused
from subscriptions.models import AuditAction


class Outcome(StrEnum):
    """What a change did."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Stored(NamedTuple):
    """A stored row. `secret` is that of a new access key, else `None`."""

    row: Any
    outcome: Outcome
    secret: str | None = None


class Resource:
    """A kind of row. A subclass names its model, its fields and its filters, and stores a row."""

    name: ClassVar[str]
    model: ClassVar[Any]
    serializer: ClassVar[type[Serializer[Any]]]
    filters: ClassVar[Mapping[str, str]] = {"customer_id": "customer_id"}
    """Query parameters of the list, and the lookups that they stand for."""

    def rows(self, controller: Controller) -> QuerySet[Any]:
        """Return the rows that the controller reaches."""
        rows: QuerySet[Any] = self.model.objects.all()
        return rows if controller.customer_id is None else rows.filter(customer_id=controller.customer_id)

    def shown(self, row: Any) -> dict[str, Any]:
        """Return the row for JSON, without secrets."""
        raise NotImplementedError

    def shown_once(self, row: Any, secret: str, origin: str) -> dict[str, Any]:
        """Return the secret of a new row for JSON.

        `origin` is the gateway's URL with a slash at its end.
        """
        return {"secret": secret}

    def store(self, controller: Controller, row: Any, values: dict[str, Any], *, is_new: bool) -> str | None:
        """Check the values, set them on the row and save it; return the secret of a new key.

        Raises:
            Refused: A value is refused. Nothing was stored then.
        """
        raise NotImplementedError

    def find(self, controller: Controller, pk: str) -> Any:
        """Return one row.

        Raises:
            Missing: No row within the controller's reach has this id.
        """
        row = self.rows(controller).filter(pk=pk).first() if is_canonical_uuid(pk) else None
        if row is None:
            raise Missing
        return row

    def put(self, controller: Controller, pk: str, content: Mapping[str, Any]) -> Stored:
        """Create the row with this id, or replace all its values.

        Raises:
            Refused: A value is refused.
            Missing: The row is of another customer.
        """
        if not is_canonical_uuid(pk) or is_nil_uuid(pk):
            raise Refused(FieldProblem("id", "write the platform's id, a UUID in lower case with dashes"))
        try:
            return self._put(controller, pk, content)
        except IntegrityError:
            # Another request created it at the same moment: the second try finds the row.
            return self._put(controller, pk, content)

    def _put(self, controller: Controller, pk: str, content: Mapping[str, Any]) -> Stored:
        with controller.change():
            row = self.rows(controller).filter(pk=pk).first()
            if row is not None:
                return self._changed(controller, row, content, partial=False)
            if self.model.objects.filter(pk=pk).exists():
                raise Missing
            return self.create(controller, content, pk)

    def create(self, controller: Controller, content: Mapping[str, Any], pk: str | None = None) -> Stored:
        """Create a row, with this id if there is one.

        Raises:
            Refused: A value is refused.
        """
        with controller.change():
            row = self.model(pk=self.model._meta.pk.to_python(pk)) if pk else self.model()
            secret = self.store(controller, row, checked(self.serializer, content), is_new=True)
            self._record(controller, AuditAction.ADD, row, differences({}, self.recorded(row)))
            return Stored(row, Outcome.CREATED, secret)

    def patch(self, controller: Controller, pk: str, content: Mapping[str, Any]) -> Stored:
        """Change some values of a row.

        Raises:
            Refused: A value is refused.
            Missing: There is no such row for this controller.
        """
        with controller.change():
            return self._changed(controller, self.find(controller, pk), content, partial=True)

    def _changed(
        self, controller: Controller, row: Any, content: Mapping[str, Any], *, partial: bool
    ) -> Stored:
        values, before = checked(self.serializer, content, partial=partial), self.recorded(row)
        named = values.pop("customer_id", None)
        if named is not None and named != row.customer_id:
            raise Refused(FieldProblem("customer_id", "a row cannot move to another customer: delete it"))
        self.store(controller, row, values, is_new=False)
        changes = differences(before, self.recorded(row))
        if changes:
            self._record(controller, AuditAction.CHANGE, row, changes)
        return Stored(row, Outcome.CHANGED if changes else Outcome.UNCHANGED)

    def delete(self, controller: Controller, pk: str) -> None:
        """Delete a row, with all that belongs to it.

        Raises:
            Missing: There is no such row for this controller.
        """
        with controller.change():
            self._delete(controller, self.find(controller, pk))

    def _delete(self, controller: Controller, row: Any) -> None:
        detail = ": ".join(filter(None, (self.described(row), taken_along(row))))
        changes = differences(self.recorded(row), {})
        controller.record(AuditAction.DELETE, subject_of(row), customer_of(row), detail, changes)
        row.delete()

    def described(self, row: Any) -> str:
        """Return the name of the row in the audit log."""
        return str(row)

    def recorded(self, row: Any) -> dict[str, Any]:
        """Return the stored values for the audit log."""
        return snapshot(row)

    def _record(self, controller: Controller, action: str, row: Any, changes: Any) -> None:
        controller.record(action, subject_of(row), customer_of(row), self.described(row), changes)


def checked(
    serializer_class: type[Serializer[Any]], content: Mapping[str, Any], *, partial: bool = False
) -> dict[str, Any]:
    """Return the values of a request by its serializer.

    Raises:
        Refused: A field is unknown, missing or invalid.
    """
    serializer = serializer_class(data=dict(content), partial=partial)
    writable = [name for name, each in serializer.fields.items() if not each.read_only]
    problems = [
        FieldProblem(
            name[:64], f"unknown field: there are {', '.join(writable)}{did_you_mean(name, writable)}"
        )
        for name in content
        if name not in writable
    ]
    if not serializer.is_valid():
        problems += _problems("", serializer.errors)
    if problems:
        raise Refused(*problems[:100])
    return dict(serializer.validated_data)


def _problems(path: str, found: Any) -> list[FieldProblem]:
    if isinstance(found, Mapping):
        return [
            each
            for name, inner in found.items()
            for each in _problems(f"{path}.{name}" if path else str(name), inner)
        ]
    if isinstance(found, list) and any(isinstance(each, dict | list) for each in found):
        return [
            each
            for place, inner in enumerate(found)
            for each in _problems(f"{path}[{place}]", inner)
            if inner
        ]
    return [FieldProblem(path, " ".join(map(str, found if isinstance(found, list) else [found])))]


def taken_along(row: Model) -> str:
    """Return the number of the other rows that a deletion takes along, by kind, or ""."""
    collector: Any = NestedObjects(using=row._state.db or "default")
    collector.collect([row])
    counts = {
        model._meta: len(rows) - (model is type(row))
        for model, rows in collector.model_objs.items()
        # Rows that only join two others mean nothing to operators.
        if not model._meta.auto_created
    }
    with override("en"):  # The audit log is in English, whatever the operator reads.
        kinds = [
            f"{count} {names.verbose_name if count == 1 else names.verbose_name_plural}"
            for names, count in counts.items()
            if count
        ]
    return f"deleted together with {', '.join(kinds)}" if kinds else ""
