"""The admin pages of the audit log, which are read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from events.admin.filters import CustomerFilter
from events.admin.scope import as_uuid, pill
from subscriptions.admin.agent_records import AgentRecordAdmin, shortened
from subscriptions.admin.audit.csv_export import export
from subscriptions.admin.audit.explain_page import address_of_explain, explain_page
from subscriptions.admin.audit.filters import (
    AgentFilter,
    AtFilter,
    KeyFilter,
    RuleFilter,
    TopicFilter,
    credential_of_key,
    is_whole_prefix,
)
from subscriptions.audit.rule_texts import text_of
from subscriptions.audit.store import has_valid_seal
from subscriptions.models import (
    KEY_MARK,
    KEY_PREFIX_CHARACTERS,
    NO_CONNECTION,
    AccessKey,
    Agent,
    AuditRecord,
    AuditVerdict,
)

_PILLS: dict[str, str] = {
    AuditVerdict.GRANTED: "good",
    AuditVerdict.REFUSED: "bad",
    AuditVerdict.ENDED: "quiet",
}


@admin.register(AuditRecord)
class AuditRecordAdmin(AgentRecordAdmin):
    change_form_template = "admin/subscriptions/auditrecord/record.html"
    counted_as = gettext_lazy("audit records")
    empty_text = gettext_lazy("Each connection, subscription, refusal and change is recorded.")
    list_display = ["at", "what", "short_topic", "who", "origin"]
    list_filter = [
        *(CustomerFilter, AgentFilter, KeyFilter, TopicFilter, AtFilter),
        *("verdict", "action", RuleFilter),
    ]
    search_fields = ["topic"]
    search_help_text = gettext_lazy(
        "Name or id of a customer or agent, prefix of a key, topic, address or connection id"
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
        "changes",
        "count",
        "customer",
        "agent",
        "credential",
        "address",
        "client",
        "connection",
        "cursor",
        "position",
        "seal",
    ]

    def get_urls(self) -> list[Any]:
        pages = (("explain", self.explain_view), ("export", self.export_view))
        return [
            *(
                path(f"{name}/", self.admin_site.admin_view(view), name=f"subscriptions_auditrecord_{name}")
                for name, view in pages
            ),
            *super().get_urls(),
        ]

    def explain_view(self, request: HttpRequest) -> HttpResponse:
        return explain_page(request, self)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Export the whole list, as it is filtered and searched."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        changelist: Any = self.get_changelist_instance(request)
        return export(changelist.get_queryset(request, is_bounded=False), self)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        record = self.get_object(request, object_id)
        explain_url = self._explain_url(request, record) if record is not None else ""
        return super().change_view(
            request, object_id, form_url, {"explain_url": explain_url, **(extra_context or {})}
        )

    def _explain_url(self, request: HttpRequest, record: Any) -> str:
        """Return the URL that explains the record's topic for its key or agent, or ""."""
        keys = self.admin_site.get_model_admin(AccessKey).get_queryset(request)
        prefix = record.credential.removeprefix("key ")
        receiver: Any = keys.filter(customer_id=record.customer_id, prefix=prefix).first()
        if receiver is None:
            agents = self.admin_site.get_model_admin(Agent).get_queryset(request)
            receiver = agents.filter(customer_id=record.customer_id, pk=record.agent_id).first()
        return "" if receiver is None else address_of_explain(receiver, record.topic)

    def has_index(self, spec: Any) -> bool:
        match spec:
            case RuleFilter():
                return True
            case KeyFilter():
                return len(spec.term.removeprefix(KEY_MARK)) >= KEY_PREFIX_CHARACTERS - len(KEY_MARK)
            case AgentFilter():
                return as_uuid(spec.term) is not None
        return bool(spec.used_parameters.get("verdict__exact") == [AuditVerdict.REFUSED.value])

    def exact_matches(self, request: HttpRequest, term: str) -> list[Q]:
        if is_whole_prefix(term):
            return [credential_of_key(term)]
        return super().exact_matches(request, term)

    def found_by(self, term: str) -> Q:
        if term.startswith(KEY_MARK) and term.isascii():
            # A whole key may be pasted; only its prefix is used.
            return credential_of_key(term)
        return super().found_by(term)

    @admin.display(description=gettext_lazy("verdict"))
    def colored_verdict(self, record: AuditRecord) -> SafeString:
        return pill(record.get_verdict_display().lower(), _PILLS.get(record.verdict, "quiet"))

    @admin.display(description=gettext_lazy("action"))
    def what(self, record: AuditRecord) -> SafeString:
        return format_html(
            '{} {}{}<br><span class="quiet" title="{}">{}</span>',
            record.get_action_display(),
            self.colored_verdict(record),
            f" × {localize(record.count)}" if record.count > 1 else "",
            text_of(record.rule),
            record.rule,
        )

    @admin.display(description=gettext_lazy("topic"))
    def short_topic(self, record: AuditRecord) -> SafeString | None:
        """Return the topic with shortened UUIDs, and the whole topic as its title."""
        if not record.topic:
            return None
        return format_html('<code title="{}">{}</code>', record.topic, shortened(record.topic))

    @admin.display(description=gettext_lazy("holder"))
    def who(self, record: AuditRecord) -> SafeString:
        names = [name for name in (self.agent(record), self.customer(record)) if name]
        shown = format_html_join(", ", "{}", ((name,) for name in names)) or gettext("unknown")
        return format_html('{}<br><span class="quiet">{}</span>', shown, record.credential)

    @admin.display(description=gettext_lazy("from"))
    def origin(self, record: AuditRecord) -> SafeString:
        return format_html(
            "{}<br>{}", record.address, self._connection_link(record, str(record.connection_id)[:8])
        )

    @admin.display(description=gettext_lazy("meaning"))
    def meaning(self, record: AuditRecord) -> str:
        return text_of(record.rule)

    @admin.display(description=gettext_lazy("integrity"))
    def seal(self, record: AuditRecord) -> SafeString | str:
        """Return the digest, and whether it fits its place in the chain."""
        if record.position is None:
            return pill(gettext("not part of the chain: inserted"), "bad")
        if not has_valid_seal(record):
            return format_html(
                "<code>{}</code> {}", record.digest, pill(gettext("the record was changed"), "bad")
            )
        return format_html("<code>{}</code>", record.digest)

    @admin.display(description=gettext_lazy("connection"))
    def connection(self, record: AuditRecord) -> SafeString:
        return self._connection_link(record, str(record.connection_id))

    def _connection_link(self, record: AuditRecord, shown: str) -> SafeString:
        if record.connection_id == NO_CONNECTION:
            return SafeString("–")
        url = reverse("admin:subscriptions_auditrecord_changelist")
        title = gettext("All records of connection {id}").format(id=record.connection_id)
        return format_html('<a href="{}?q={}" title="{}">{}</a>', url, record.connection_id, title, shown)
