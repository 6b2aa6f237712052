"""The admin's filters of live connections: by access key, by kind of credential, and by pace."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest

from events.admin.scope import as_uuid
from subscriptions.models import AccessKey, LiveConnection
from subscriptions.presence.registry import behind


class KeyFilter(admin.SimpleListFilter):
    """The connections of one access key; comes with the link from the key."""

    title = "access key"
    parameter_name = "key"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if (value := self.value()) is None:
            return []
        if (key_id := as_uuid(value)) is None:
            raise IncorrectLookupParameters(f"{value} is no key's id")
        keys = model_admin.admin_site.get_model_admin(AccessKey).get_queryset(request)
        key = keys.filter(pk=key_id).first()
        return [(value, str(key) if key else "unknown")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LiveConnection]) -> QuerySet[LiveConnection]:
        value = self.value()
        return queryset if value is None else queryset.filter(key_id=as_uuid(value))


class CredentialFilter(admin.SimpleListFilter):
    title = "credential"
    parameter_name = "credential"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("key", "Access keys"), ("token", "Tokens of people")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LiveConnection]) -> QuerySet[LiveConnection]:
        match self.value():
            case "key":
                return queryset.filter(key_id__isnull=False)
            case "token":
                return queryset.filter(key_id=None)
        return queryset


class PaceFilter(admin.SimpleListFilter):
    title = "pace"
    parameter_name = "pace"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("behind", "Behind")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LiveConnection]) -> QuerySet[LiveConnection]:
        return queryset.filter(pk__in=behind()) if self.value() == "behind" else queryset
