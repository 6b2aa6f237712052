"""The filters of the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from events.admin.filters import TextFilter, TimeFilter, ValueFilter
from events.admin.scope import as_uuid
from events.database.stored_times import CLOCK_DIFFERENCE
from subscriptions.audit.rule_texts import RULE_TEXTS
from subscriptions.event_hooks.directory import directory
from subscriptions.models import KEY_MARK, KEY_PREFIX_CHARACTERS, AuditRecord


class AtFilter(TimeFilter):
    field = "at"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        queryset = super().queryset(request, queryset)
        # The order of the list is that of ids, and so are its indexes.
        start, end = self.bounds
        ids = AuditRecord.objects.values_list("pk", flat=True)
        if start is not None:
            first = ids.filter(at__gte=start - CLOCK_DIFFERENCE).order_by("at").first()
            queryset = queryset.filter(pk__gte=first) if first is not None else queryset.none()
        if end is not None:
            last = ids.filter(at__lte=end + CLOCK_DIFFERENCE).order_by("-at").first()
            queryset = queryset.filter(pk__lte=last) if last is not None else queryset.none()
        return queryset


class RuleFilter(ValueFilter):
    """By rule. All rules are listed: the one that is searched for may have occurred long ago."""

    field = parameter_name = "rule"
    title = gettext_lazy("rule")
    is_indexed = True

    def values(self, request: HttpRequest, model_admin: Any) -> Iterable[str]:
        return RULE_TEXTS


class AgentFilter(TextFilter):
    parameters = ("agent",)
    title = gettext_lazy("agent")
    hint = gettext_lazy("Name or id")

    def found_by(self, term: str) -> Q:
        agent_id = as_uuid(term)
        return Q(agent_id=agent_id) if agent_id else Q(agent_id__in=directory.agents_named(term))


class KeyFilter(TextFilter):
    parameters = ("key",)
    title = gettext_lazy("access key")
    hint = gettext_lazy("Prefix, vb_…")

    def found_by(self, term: str) -> Q:
        return credential_of_key(term)


class TopicFilter(TextFilter):
    parameters = ("topic",)
    title = gettext_lazy("topic")
    hint = gettext_lazy("Topic or part of it")

    def found_by(self, term: str) -> Q:
        return Q(topic__icontains=term)


def is_whole_prefix(term: str) -> bool:
    """Return whether the term is as much of a key as records have."""
    return term.startswith(KEY_MARK) and term.isascii() and len(term) >= KEY_PREFIX_CHARACTERS


def credential_of_key(term: str) -> Q:
    """Match records by the beginning of a key; of a whole key only its prefix is used."""
    term = term if term.startswith(KEY_MARK) else f"{KEY_MARK}{term}"
    stored = f"key {term[:KEY_PREFIX_CHARACTERS]}"
    return Q(credential=stored) if len(term) >= KEY_PREFIX_CHARACTERS else Q(credential__startswith=stored)
