"""Admin pages of access keys: creating, revoking and rotating them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_variables

from events.admin.filters import CustomerFilter
from subscriptions.accounts.changes import operator_and_address
from subscriptions.accounts.link_origin import link_origin
from subscriptions.admin.access_keys.columns import KeyColumns, StatusFilter
from subscriptions.admin.access_keys.form import RATES, AccessKeyForm, DisplayForm, KeyForm
from subscriptions.admin.access_keys.snippets import ShownKey
from subscriptions.admin.confirmation import (
    CLOSING_CONSEQUENCE,
    REASON_LABEL,
    confirmed,
    reason_of,
)
from subscriptions.admin.customer_scoped import OfCustomerAdmin, OperatorForm, is_platform, sees_numbers
from subscriptions.auth.access_keys import CannotRotate, revoke, rotate
from subscriptions.connections.close_orders import close_all_of_key
from subscriptions.models import AccessKey, Agent, KeyKind, LiveConnection
from subscriptions.presence.registry import live


def _is_display(request: HttpRequest, key: AccessKey | None) -> bool:
    return key.is_display if key is not None else request.GET.get("kind") == KeyKind.DISPLAY


@admin.register(AccessKey)
class AccessKeyAdmin(KeyColumns, OfCustomerAdmin):
    form = AccessKeyForm
    change_list_template = "admin/subscriptions/accesskey/change_list.html"
    empty_text = gettext_lazy("With one a program publishes events, or receives them.")
    list_display = ["label_and_key", "status", "speaks_for", "rights", "last_used", "open_sockets", "expires"]
    list_filter = [CustomerFilter, StatusFilter, "kind", "may_publish", "may_subscribe"]
    list_select_related = ["customer", "agent"]
    search_fields = ["label", "prefix", "customer__name", "agent__name"]
    search_help_text = gettext_lazy("Label or prefix of a key, or name of a customer or agent")
    actions = ["revoke_keys", "rotate_keys", "close_sockets"]
    object_actions = ("close_sockets", "rotate_keys", "revoke_keys")
    readonly_fields = [
        "owner",
        "for_agent",
        "key",
        "status",
        "created_at",
        "last_use",
        "open_sockets",
        "allowed",
        "shows",
        "expires_at",
        "revoked_at",
        "replaces",
        "rotated_into",
    ]

    def get_fieldsets(self, request: HttpRequest, obj: AccessKey | None = None) -> list[Any]:
        rights = ["may_subscribe", "may_publish", "may_control", "masks_numbers"]
        validity = (gettext("Validity"), {"fields": ["expiry", "expires_on", "made_as"]})
        if _is_display(request, obj) and obj is None:
            return [(None, {"fields": ["owner", "label", "queues"]}), validity]
        if obj is None:
            return [
                (None, {"fields": ["owner", "label", "agent"]}),
                (gettext("Permissions"), {"fields": [*rights, "allowed_topics", "filter"]}),
                (gettext("Rates"), {"fields": RATES}),
                validity,
            ]
        writes = self.has_change_permission(request, obj)
        past = {
            "revoked_at": obj.revoked_at,
            "replaces": obj.replaces_id,
            "rotated_into": hasattr(obj, "replaced_by"),
        }
        facts = [
            "key",
            "status",
            "created_at",
            "last_use",
            "open_sockets",
            *(name for name, is_set in past.items() if is_set),
        ]
        validity = (gettext("Validity"), {"fields": ["expiry", "expires_on"] if writes else ["expires_at"]})
        if obj.is_display:
            return [(None, {"fields": ["label", "owner", "queues" if writes else "shows", *facts]}), validity]
        return [
            (None, {"fields": ["label", "owner", "for_agent", *facts]}),
            (
                gettext("Permissions"),
                {"fields": [*rights, "allowed_topics" if writes else "allowed", "filter"]},
            ),
            (gettext("Rates"), {"fields": RATES}),
            validity,
        ]

    def get_form(
        self, request: HttpRequest, obj: AccessKey | None = None, change: bool = False, **kwargs: Any
    ) -> type[OperatorForm]:
        if _is_display(request, obj):
            kwargs["form"] = DisplayForm
        return super().get_form(request, obj, change=change, **kwargs)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = {"title": gettext("Add wallboard link")} if _is_display(request, None) else {}
        return super().add_view(request, form_url, {**(extra_context or {}), **title})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # Without the related widget, whose buttons would leave the form.
        return (
            db_field.formfield()
            if db_field.name == "agent"
            else super().formfield_for_dbfield(db_field, request, **kwargs)
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessKey]:
        keys = super().get_queryset(request).select_related("customer", "agent__user", "replaced_by")
        if not is_platform(request):
            keys = keys.exclude(agent__in=Agent.objects.of_the_platform())
        sockets = live(LiveConnection.objects.filter(key_id=OuterRef("pk"))).order_by()
        count = sockets.values("key_id").annotate(count=Count("pk")).values("count")
        annotated: QuerySet[AccessKey] = keys.annotate(socket_count=Coalesce(Subquery(count), 0))
        return annotated

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [F("revoked_at").desc(nulls_first=True), "-created_at"]

    def reaches(self, request: HttpRequest, row: AccessKey) -> bool:
        return super().reaches(request, row) and (
            row.agent is None or not row.agent.is_of_the_platform or is_platform(request)
        )

    def may_change(self, request: HttpRequest, row: AccessKey | None) -> bool:
        return sees_numbers(request) and (row is None or row.revoked_at is None)

    def may_delete(self, request: HttpRequest, row: AccessKey | None) -> bool:
        """Keys are revoked instead: audit records must not name a key that does not exist."""
        return False

    def save_model(self, request: HttpRequest, obj: AccessKey, form: KeyForm, change: bool) -> None:
        if not change:
            # The secret is kept on the request only, for the response that shows it.
            request._shown_keys = [self._shown(request, obj, obj.make_secret())]  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: AccessKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        title = gettext("New wallboard link") if obj.is_display else gettext("New access key")
        return self._show(request, request._shown_keys, title=title)  # type: ignore[attr-defined]

    def _shown(self, request: HttpRequest, key: AccessKey, secret: str) -> ShownKey:
        return ShownKey(key, secret, link_origin(request))

    def _show(self, request: HttpRequest, shown: list[ShownKey], *, title: str) -> TemplateResponse:
        """Show secrets in the response itself: a redirect would store them in the session."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "shown": shown,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/subscriptions/accesskey/secret.html", context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # Saving leads to the page that shows the secret once.
        context["show_save_and_add_another"] = False
        if kwargs.get("add"):
            context["show_save_and_continue"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    @confirmed(
        gettext_lazy("Revoke"),
        question=gettext_lazy("Revoke these access keys?"),
        consequence=gettext_lazy(
            "The keys are refused from now on. This cannot be undone. To replace a key without an interruption, "
            "rotate it instead."
        ),
    )
    def revoke_keys(self, request: HttpRequest, keys: list[AccessKey]) -> HttpResponse:
        now = timezone.now()
        revoked = [key for key in keys if revoke(key, now)]
        for key in revoked:
            self.log_change(request, key, "Revoked.")
        text = ngettext("Revoked: {count} key.", "Revoked: {count} keys.", len(revoked))
        self.message_user(request, text.format(count=localize(len(revoked))), messages.SUCCESS)
        return self.to_list()

    @confirmed(
        gettext_lazy("Rotate"),
        question=gettext_lazy("Rotate these access keys?"),
        consequence=gettext_lazy(
            "Each key gets a successor with the same label, customer, permissions and lifetime. Its secret is shown "
            "once, on the next page. The old key stays valid for 24 hours, so that you can replace it without an "
            "interruption."
        ),
        permissions=("change", "add"),
    )
    @sensitive_variables()
    def rotate_keys(self, request: HttpRequest, keys: list[AccessKey]) -> HttpResponse:
        now = timezone.now()
        shown = []
        for old in keys:
            try:
                new, secret = rotate(old, now)
            except CannotRotate as error:
                self.message_user(request, f"{error}.", messages.ERROR)
                continue
            self.log_change(request, old, f"Rotated into {new}.")
            self.log_addition(request, new, f"Created by rotating {old}.")
            shown.append(self._shown(request, new, secret))
        return self._show(request, shown, title=gettext("Rotated access keys")) if shown else self.to_list()

    @confirmed(
        gettext_lazy("Close connections"),
        question=gettext_lazy("Close all connections of these access keys?"),
        consequence=CLOSING_CONSEQUENCE,
        reason_label=REASON_LABEL,
    )
    def close_sockets(self, request: HttpRequest, keys: list[AccessKey]) -> HttpResponse:
        for key in keys:
            close_all_of_key(key, by=operator_and_address(request), reason=reason_of(request))
            # Only Django's history: the order has a record in the audit log already.
            admin.ModelAdmin.log_change(self, request, key, "Closed all connections.")
        text = ngettext(
            "Closing all connections of {count} key.", "Closing all connections of {count} keys.", len(keys)
        )
        self.message_user(request, text.format(count=localize(len(keys))), messages.SUCCESS)
        return self.to_list()
