"""The columns and the status filter of access keys in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext

from events.admin.scope import pill
from events.quantities import moment_text
from subscriptions.admin.access_keys.form import expiry_text
from subscriptions.auth.access_keys import KeyStatus, status_of
from subscriptions.models import AccessKey, Queue

CLIENT_SHOWN = 30
"""Characters of the client's name in the list."""

_PILLS = {
    KeyStatus.ACTIVE: "good",
    KeyStatus.UNUSED: "warn",
    KeyStatus.EXPIRED: "quiet",
    KeyStatus.REVOKED: "bad",
}

STATUS_NAMES = {
    KeyStatus.ACTIVE: gettext_lazy("active"),
    KeyStatus.UNUSED: gettext_lazy("never used"),
    KeyStatus.EXPIRED: gettext_lazy("expired"),
    KeyStatus.REVOKED: gettext_lazy("revoked"),
}


class StatusFilter(admin.SimpleListFilter):
    """By status, as a query for what `access_keys.status_of` computes."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.name.lower(), str(STATUS_NAMES[status]).capitalize()) for status in KeyStatus]

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


class KeyColumns:
    """A mixin with the columns of a key; the admin class has the column `owner`."""

    owner: Callable[[AccessKey], SafeString]

    @admin.display(description=gettext_lazy("key"), ordering="prefix")
    def key(self, key: AccessKey) -> str:
        return f"{key.prefix}…"

    @admin.display(description=gettext_lazy("key"), ordering="label")
    def label_and_key(self, key: AccessKey) -> SafeString:
        return format_html('{}<br><span class="quiet">{}…</span>', key.label, key.prefix)

    @admin.display(description=gettext_lazy("status"))
    def status(self, key: AccessKey) -> SafeString:
        status = status_of(key, timezone.now())
        return pill(str(STATUS_NAMES[status]), _PILLS[status])

    @admin.display(description=gettext_lazy("holder"), ordering="customer__name")
    def speaks_for(self, key: AccessKey) -> SafeString:
        if key.agent is None:
            return self.owner(key)
        url = reverse("admin:subscriptions_agent_change", args=[key.agent_id])
        return format_html('<a href="{}">{}</a>, {}', url, key.agent.name, self.owner(key))

    @admin.display(description=gettext_lazy("agent"))
    def for_agent(self, key: AccessKey) -> SafeString | str:
        if key.agent is None:
            return gettext("– (key of the whole customer)")
        url = reverse("admin:subscriptions_agent_change", args=[key.agent_id])
        return format_html(
            '<a href="{}">{}</a>: {}', url, key.agent.name, gettext("has the permissions of this agent")
        )

    @admin.display(description=gettext_lazy("last used"), ordering="last_used_at")
    def last_used(self, key: AccessKey) -> SafeString | None:
        if key.last_used_at is None:
            return None
        moment = moment_text(key.last_used_at)
        client = key.last_used_client
        if len(client) > CLIENT_SHOWN:
            client = f"{client[: CLIENT_SHOWN - 2]}…"
        return format_html(
            '<span title="{}">{}</span><br><span class="quiet" title="{}">{}<br>{}</span>',
            moment,
            naturaltime(key.last_used_at),
            key.last_used_client,
            key.last_used_address,
            client,
        )

    @admin.display(description=gettext_lazy("last used"))
    def last_use(self, key: AccessKey) -> SafeString | str:
        if key.last_used_at is None:
            return gettext("never")
        moment = moment_text(key.last_used_at)
        places = [place for place in (key.last_used_address, key.last_used_client) if place]
        return format_html("{}{}", moment, format_html_join("", ", {}", ((place,) for place in places)))

    @admin.display(description=gettext_lazy("connections"), ordering="socket_count")
    def open_sockets(self, key: Any) -> SafeString | str:
        if not key.socket_count:
            return "–"
        url = reverse("admin:subscriptions_liveconnection_changelist")
        return format_html('<a href="{}?key={}">{}</a>', url, key.pk, key.socket_count)

    @admin.display(description=gettext_lazy("allowed topics"))
    def allowed(self, key: AccessKey) -> SafeString | str:
        if not key.allowed_topics:
            return gettext("no limit")
        return format_html_join("", "<code>{}</code><br>", ((topic,) for topic in key.allowed_topics))

    @admin.display(description=gettext_lazy("shows"))
    def shows(self, key: AccessKey) -> str:
        """Return the queues of a wallboard."""
        names = Queue.objects.filter(pk__in=key.queue_ids).order_by("name").values_list("name", flat=True)
        return ", ".join(names) if key.queue_ids else gettext("all queues")

    @admin.display(description=gettext_lazy("permissions"))
    def rights(self, key: AccessKey) -> str:
        if key.is_display:
            count = len(key.queue_ids)
            queues = ngettext("{count} queue", "{count} queues", count).format(count=localize(count))
            return gettext("wallboard of {queues}").format(queues=queues if count else gettext("all queues"))
        count = len(key.allowed_topics)
        limits = (
            [ngettext("{count} topic", "{count} topics", count).format(count=localize(count))]
            if count
            else []
        )
        limits += [gettext("filter")] if key.filter else []
        limits += [gettext("masked numbers")] if key.masks_numbers else []
        narrowed = f" ({', '.join(limits)})" if limits else ""
        held = (
            (gettext("subscribe") + narrowed, key.may_subscribe),
            (gettext("publish"), key.may_publish),
            (gettext("control"), key.may_control),
        )
        return ", ".join(right for right, is_held in held if is_held)

    @admin.display(description=gettext_lazy("rotated into"))
    def rotated_into(self, key: AccessKey) -> SafeString:
        url = reverse("admin:subscriptions_accesskey_change", args=[key.replaced_by.pk])
        return format_html('<a href="{}">{}</a>', url, key.replaced_by)

    @admin.display(description=gettext_lazy("expires"), ordering="expires_at")
    def expires(self, key: AccessKey) -> SafeString | str:
        if key.expires_at is None:
            return gettext("never")
        return format_html('<span title="{}">{}</span>', expiry_text(key), key.expires_at.date())
