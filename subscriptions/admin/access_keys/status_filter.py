"""The admin's filter of access keys by status, as a query for `access_keys.status_of`."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from subscriptions.auth.access_keys import KeyStatus
from subscriptions.models import AccessKey


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.name.lower(), status.value.capitalize()) for status in KeyStatus]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccessKey]) -> QuerySet[AccessKey]:
        now = timezone.now()
        lasting = Q(expires_at=None) | Q(expires_at__gt=now)
        match self.value():
            case "active":
                return queryset.filter(lasting, revoked_at=None, last_used_at__isnull=False)
            case "unused":
                return queryset.filter(lasting, revoked_at=None, last_used_at=None)
            case "expired":
                return queryset.filter(revoked_at=None, expires_at__lte=now)
            case "revoked":
                return queryset.filter(revoked_at__isnull=False)
        return queryset
