"""The admin's page of the audit log: to search and to look at, never to change."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from events.admin.filters import CustomerFilter, TimeFilter
from events.admin.scope import RecordAdmin, pill
from subscriptions.models import KEY_MARK, KEY_PREFIX_CHARACTERS, AuditRecord, AuditVerdict
from subscriptions.operators import directory
from subscriptions.rules import EXPLANATIONS, explain

_UUID_END = re.compile(r"(?<=\b[0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_PILLS = {AuditVerdict.GRANTED: "good", AuditVerdict.REFUSED: "bad", AuditVerdict.ENDED: "quiet"}


class AtFilter(TimeFilter):
    field = "at"


class RuleFilter(admin.SimpleListFilter):
    """By rule. All that there are: a rule that is asked for may have occurred long ago."""

    title = "rule"
    parameter_name = "rule"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = self.value()
        return [
            (rule, rule) for rule in sorted({*EXPLANATIONS, *([chosen] if chosen else [])}, key=str.lower)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditRecord]) -> QuerySet[AuditRecord]:
        value = self.value()
        return queryset if value is None else queryset.filter(rule=value.replace("\0", ""))


@admin.register(AuditRecord)
class AuditRecordAdmin(RecordAdmin):
    list_display = ["at", "what", "short_topic", "who", "origin"]
    list_filter = [CustomerFilter, AtFilter, "verdict", "action", RuleFilter]
    search_fields = ["topic"]
    search_help_text = (
        "A customer's or agent's name or id, a key's beginning, a topic, address or connection id"
    )
    exact_fields = ["customer_id", "agent_id", "connection_id"]
    part_fields = ["topic", "credential", "address"]
    fields = [
        "at",
        "action",
        "colored_verdict",
        "topic",
        "rule",
        "meaning",
        "detail",
        "customer",
        "agent",
        "credential",
        "address",
        "client",
        "connection",
    ]
    readonly_fields = ["colored_verdict", "meaning", "customer", "agent", "connection"]

    def found_by(self, word: str) -> Q:
        if word.startswith(KEY_MARK) and word.isascii():
            # Whoever pastes a whole key wants what was done with it; only its beginning is stored, or sent on.
            stored = f"key {word[:KEY_PREFIX_CHARACTERS]}"
            whole = len(word) >= KEY_PREFIX_CHARACTERS
            return Q(credential=stored) if whole else Q(credential__startswith=stored)
        return super().found_by(word) | Q(agent_id__in=directory.agents_named(word))

    def name_rows(self, rows: Iterable[AuditRecord]) -> None:
        rows = list(rows)
        super().name_rows(rows)
        names = directory.agent_names({row.agent_id for row in rows if row.agent_id is not None})
        for row in rows:
            row.agent_name = names.get((row.customer_id, row.agent_id), "")

    @admin.display(description="verdict")
    def colored_verdict(self, record: AuditRecord) -> SafeString:
        return pill(record.get_verdict_display().lower(), _PILLS.get(record.verdict, "quiet"))

    @admin.display(description="what")
    def what(self, record: AuditRecord) -> SafeString:
        return format_html(
            '{} {}<br><span class="quiet" title="{}">{}</span>',
            record.get_action_display(),
            self.colored_verdict(record),
            explain(record.rule),
            record.rule,
        )

    @admin.display(description="topic")
    def short_topic(self, record: AuditRecord) -> SafeString | None:
        """The topic with the beginning of its UUIDs, and whole for who points at it."""
        if not record.topic:
            return None
        short = _UUID_END.sub("…", record.topic)
        return format_html('<code title="{}">{}</code>', record.topic, short)

    @admin.display(description="who")
    def who(self, record: AuditRecord) -> SafeString:
        names = [name for name in (self.agent(record), self.customer(record)) if name]
        shown = format_html_join(", ", "{}", ((name,) for name in names)) or "not known"
        return format_html('{}<br><span class="quiet">{}</span>', shown, record.credential)

    @admin.display(description="from")
    def origin(self, record: AuditRecord) -> SafeString:
        return format_html(
            "{}<br>{}", record.address, self._connection_link(record, str(record.connection_id)[:8])
        )

    @admin.display(description="that is")
    def meaning(self, record: AuditRecord) -> str:
        return explain(record.rule)

    @admin.display(description="agent")
    def agent(self, record: Any) -> SafeString | str | None:
        if record.agent_id is None:
            return None
        if not record.agent_name:
            return record.agent_id
        return format_html('<a href="{}">{}</a>', directory.agent_url(record.agent_id), record.agent_name)

    @admin.display(description="connection")
    def connection(self, record: AuditRecord) -> SafeString:
        return self._connection_link(record, str(record.connection_id))

    def _connection_link(self, record: AuditRecord, shown: str) -> SafeString:
        url = reverse("admin:subscriptions_auditrecord_changelist")
        words = f"All records of connection {record.connection_id}"
        return format_html('<a href="{}?q={}" title="{}">{}</a>', url, record.connection_id, words, shown)
