"""The admin pages of live connections, in all processes, and closing connections."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext

from events.admin.filters import CustomerFilter
from events.admin.scope import as_uuid, pill
from events.hooks import operator_of
from events.quantities import age_text, moment_text, size_text
from subscriptions.accounts.changes import operator_and_address
from subscriptions.admin.agent_records import AgentRecordAdmin, shortened
from subscriptions.admin.confirmation import (
    CLOSING_CONSEQUENCE,
    REASON_LABEL,
    ConfirmingAdmin,
    confirmed,
    reason_of,
)
from subscriptions.admin.connections.filters import CredentialFilter, KeyFilter, PaceFilter
from subscriptions.admin.customer_scoped import is_platform
from subscriptions.connections.close_orders import close_connections
from subscriptions.delivery.stream_transport import SSE
from subscriptions.models import AccessKey, Agent, CloseOrder, LiveConnection
from subscriptions.presence.pending_changes import NO_STATS
from subscriptions.presence.registry import live, stats_of

TOPICS_SHOWN = 2


@admin.register(LiveConnection)
class LiveConnectionAdmin(ConfirmingAdmin, AgentRecordAdmin):
    change_form_template = "admin/subscriptions/liveconnection/change_form.html"
    change_list_template = "admin/subscriptions/liveconnection/change_list.html"
    empty_text = gettext_lazy("A client appears here as soon as it connects.")
    list_display = ["who", "from_where", "subscriptions", "since", "sent", "waiting", "lag"]
    list_select_related = ["process"]
    list_filter = [CustomerFilter, KeyFilter, CredentialFilter, PaceFilter]
    search_fields = ["topics"]
    search_help_text = gettext_lazy(
        "Name or id of a customer or agent, prefix of a key, address, client, topic or connection id"
    )
    exact_fields = ["id", "customer_id", "agent_id", "key_id"]
    part_fields = ["topics", "credential", "address", "client"]
    actions = ["close_connections"]
    object_actions = ("close_connections",)
    fields = [
        "customer",
        "agent",
        "credential_link",
        "address",
        "client",
        "transport",
        "opened_at",
        "all_topics",
        "sent",
        "waiting",
        "lag",
        "process",
        "records",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LiveConnection]:
        connections = live(super().get_queryset(request))
        if not is_platform(request):
            of_the_platform = Agent.objects.of_the_platform().values("pk")
            connections = connections.filter(is_platform_staff=False).exclude(
                agent_id__isnull=False, agent_id__in=of_the_platform
            )
        return connections

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = dict(extra_context or {})
        keys: Any = self.admin_site.get_model_admin(AccessKey)
        key_id = as_uuid(request.GET.get(KeyFilter.parameter_name, ""))
        key = keys.get_queryset(request).filter(pk=key_id).first() if key_id else None
        if key is not None and keys.acts_on(request, key):
            url = reverse("admin:subscriptions_accesskey_changelist")
            context["close_key"] = {"key": key, "url": url, "checkbox_name": ACTION_CHECKBOX_NAME}
        return super().changelist_view(request, context)

    def reaches(self, request: HttpRequest, row: LiveConnection) -> bool:
        return super().reaches(request, row) and self.get_queryset(request).filter(pk=row.pk).exists()

    def acts_on(self, request: HttpRequest, row: LiveConnection) -> bool:
        return self.has_close_permission(request)

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Return whether the operator may close connections, by role or a Django permission."""
        operator = operator_of(request)
        return operator is not None and (
            operator.may_by_role or request.user.has_perm("subscriptions.delete_liveconnection")
        )

    def name_rows(self, rows: Iterable[Any]) -> None:
        rows = list(rows)
        super().name_rows(rows)
        keys = dict(
            AccessKey.objects.filter(pk__in=[row.key_id for row in rows if row.key_id]).values_list(
                "pk", "label"
            )
        )
        stats = stats_of(rows)
        closing = set(
            CloseOrder.objects.filter(connection_id__in=[row.pk for row in rows]).values_list(
                "connection_id", flat=True
            )
        )
        for row in rows:
            row.key_label = keys.get(row.key_id, "")
            row.stats = stats.get(row.pk, NO_STATS)
            row.is_closing = row.pk in closing

    @confirmed(
        gettext_lazy("Close connection"),
        question=gettext_lazy("Close these connections?"),
        consequence=CLOSING_CONSEQUENCE,
        permissions=("close",),
        reason_label=REASON_LABEL,
    )
    def close_connections(self, request: HttpRequest, rows: list[LiveConnection]) -> HttpResponse:
        close_connections(rows, by=operator_and_address(request), reason=reason_of(request))
        text = ngettext("Closing {count} connection.", "Closing {count} connections.", len(rows))
        self.message_user(request, text.format(count=localize(len(rows))), messages.SUCCESS)
        return self.to_list()

    @admin.display(description=gettext_lazy("holder"), ordering="customer_id")
    def who(self, row: Any) -> SafeString:
        names = [name for name in (row.agent_name, row.customer_name) if name] or [str(row.customer_id)]
        closing = format_html(" {}", pill(gettext("closing"), "warn")) if row.is_closing else ""
        return format_html(
            '{}{}<br><span class="quiet">{}</span>',
            ", ".join(names),
            closing,
            row.key_label or row.credential,
        )

    @admin.display(description=gettext_lazy("from"))
    def from_where(self, row: LiveConnection) -> SafeString:
        stream = f" · {gettext('event stream')}" if row.transport == SSE else ""
        client = row.client if len(row.client) <= 40 else f"{row.client[:38]}…"
        return format_html(
            '{}<br><span class="quiet" title="{}">{}{}</span>',
            row.address or "–",
            row.client,
            client,
            stream,
        )

    @admin.display(description=gettext_lazy("topics"))
    def subscriptions(self, row: LiveConnection) -> SafeString | str:
        topics = row.topics.split("\n")[:TOPICS_SHOWN] if row.topics else []
        own = re.compile(f"(?<=^customer_id:){row.customer_id}|(?<=^agent_id:){row.agent_id}")
        shown = format_html_join(
            "",
            '<code title="{}">{}</code><br>',
            ((topic, shortened(own.sub("…", topic))) for topic in topics),
        )
        if more := row.topic_count - len(topics):
            return format_html(
                '{}<span class="quiet">{}</span>',
                shown,
                gettext("and {count} more").format(count=localize(more)),
            )
        return shown or gettext("none yet")

    @admin.display(description=gettext_lazy("since"), ordering="opened_at")
    def since(self, row: LiveConnection) -> SafeString:
        moment = moment_text(row.opened_at)
        return format_html('<span title="{}">{}</span>', moment, age_text(timezone.now() - row.opened_at))

    @admin.display(description=gettext_lazy("sent"))
    def sent(self, row: Any) -> str:
        return str(localize(row.stats.sent_events))

    @admin.display(description=gettext_lazy("queued"))
    def waiting(self, row: Any) -> SafeString | str:
        if not row.stats.queued_bytes:
            return "–"
        shown = size_text(row.stats.queued_bytes)
        seconds = row.stats.stalled_seconds
        return (
            pill(gettext("{what}, for {seconds} s").format(what=shown, seconds=localize(seconds)), "bad")
            if seconds > 1
            else shown
        )

    @admin.display(description=gettext_lazy("lag"))
    def lag(self, row: Any) -> SafeString | str:
        if not row.stats.lag_events:
            return gettext("none")
        count = row.stats.lag_events
        events = ngettext("{count} event", "{count} events", count).format(count=localize(count))
        return pill(
            gettext("{what}, for {seconds} s").format(
                what=events, seconds=localize(row.stats.stalled_seconds)
            ),
            "warn",
        )

    @admin.display(description=gettext_lazy("credential"))
    def credential_link(self, row: Any) -> SafeString | str:
        if row.key_id is None:
            return str(row.credential)
        url = reverse("admin:subscriptions_accesskey_change", args=[row.key_id])
        return format_html('<a href="{}">{}… {}</a>', url, row.credential, row.key_label)

    @admin.display(description=gettext_lazy("topics"))
    def all_topics(self, row: LiveConnection) -> SafeString | str:
        topics = row.topics.split("\n") if row.topics else []
        shown = format_html_join("", "<code>{}</code><br>", ((topic,) for topic in topics))
        if more := row.topic_count - len(topics):
            return format_html("{}{}", shown, gettext("and {count} more").format(count=localize(more)))
        return shown or gettext("none yet")

    @admin.display(description=gettext_lazy("audit log"))
    def records(self, row: LiveConnection) -> SafeString:
        url = reverse("admin:subscriptions_auditrecord_changelist")
        return format_html('<a href="{}?q={}">{}</a>', url, row.pk, gettext("Records of this connection"))
