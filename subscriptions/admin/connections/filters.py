"""The filters of live connections: by access key, kind of credential, and pace."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from events.admin.filters import LinkFilter
from subscriptions.models import AccessKey, LiveConnection
from subscriptions.presence.registry import lagging


class KeyFilter(LinkFilter):
    parameter_name = "key"
    title = gettext_lazy("access key")
    field = "key_id"
    row_model = AccessKey


class CredentialFilter(admin.SimpleListFilter):
    title = gettext_lazy("credential")
    parameter_name = "credential"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("key", gettext("Access keys")), ("token", gettext("Tokens of agents"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LiveConnection]) -> QuerySet[LiveConnection]:
        match self.value():
            case "key":
                return queryset.filter(key_id__isnull=False)
            case "token":
                return queryset.filter(key_id=None)
        return queryset


class PaceFilter(admin.SimpleListFilter):
    title = gettext_lazy("pace")
    parameter_name = "pace"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("behind", gettext("Lagging"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LiveConnection]) -> QuerySet[LiveConnection]:
        return queryset.filter(pk__in=lagging()) if self.value() == "behind" else queryset
