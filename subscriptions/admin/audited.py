"""Audit records of what operators change in the admin pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from subscriptions.accounts.changes import (
    Changes,
    current_actor,
    customer_of,
    differences,
    record,
    snapshot,
    subject_of,
)
from subscriptions.control.resource import taken_along
from subscriptions.models import AuditAction


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages that record each change in the audit log, with the values.

    Each entry of Django's own admin log has a record. The site makes all registered pages such pages: a page cannot
    change something without a record.
    """

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            request._before = (subject_of(obj), _stored(obj))  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _record(AuditAction.ADD, obj, message, differences({}, _stored(obj)))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        subject, before = getattr(request, "_before", ("", {}))
        changes = differences(before, _stored(obj)) if subject == subject_of(obj) else {}
        _record(AuditAction.CHANGE, obj, message, changes)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            _record(AuditAction.DELETE, obj, taken_along(obj), differences(_stored(obj), {}))
        return super().log_deletions(request, queryset)


def _stored(obj: Any) -> dict[str, Any]:
    """Return the row as it is stored: the form has changed the object already."""
    return snapshot(type(obj)._base_manager.get(pk=obj.pk))


def _record(action: str, obj: Any, message: Any, changes: Changes) -> None:
    # A text is that of an action; of a form it is the list of changed fields, whose values are known here.
    detail = f"{obj}: {message}" if isinstance(message, str) and message else str(obj)
    record(
        current_actor(), action, subject_of(obj), customer_id=customer_of(obj), detail=detail, changes=changes
    )
