"""The admin's pages of access keys: making one, the single showing of its secret, revoking, rotating."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.views.decorators.debug import sensitive_variables

from events.admin.filters import CustomerFilter
from events.admin.scope import pill
from events.operators import operator_of
from subscriptions.access_keys import CannotRotate, KeyStatus, revoke, rotate, status_of
from subscriptions.admin.key_form import AccessKeyForm, expiry_in_words
from subscriptions.admin.key_status_filter import StatusFilter
from subscriptions.admin.of_customer import OfCustomerAdmin, one_or_many
from subscriptions.admin.snippets import ShownKey
from subscriptions.models import AccessKey, Agent

_PILLS = {
    KeyStatus.ACTIVE: "good",
    KeyStatus.UNUSED: "warn",
    KeyStatus.EXPIRED: "quiet",
    KeyStatus.REVOKED: "bad",
}


@admin.register(AccessKey)
class AccessKeyAdmin(OfCustomerAdmin):
    form = AccessKeyForm
    list_display = ["label", "key", "status", "speaks_for", "rights", "last_used", "expires"]
    list_filter = [CustomerFilter, StatusFilter, "may_publish", "may_subscribe"]
    list_select_related = ["customer", "agent"]
    search_fields = ["label", "prefix", "customer__name", "agent__name"]
    search_help_text = "A label, the beginning of a key, or the name of a customer or agent"
    actions = ["revoke_keys", "rotate_keys"]
    object_actions = ("rotate_keys", "revoke_keys")
    readonly_fields = [
        "owner",
        "for_agent",
        "key",
        "status",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
        "replaces",
        "rotated_into",
    ]

    def get_fieldsets(self, request: HttpRequest, obj: AccessKey | None = None) -> list[Any]:
        rights = ["may_subscribe", "may_publish"]
        if obj is None:
            return [
                (None, {"fields": ["owner", "label", "agent"]}),
                ("What it may do", {"fields": rights}),
                ("How long", {"fields": ["expiry", "expires_on", "made_as"]}),
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
            "last_used_at",
            *(name for name, told in past.items() if told),
        ]
        return [
            (None, {"fields": ["label", "owner", "for_agent", *facts]}),
            ("What it may do", {"fields": rights}),
            ("How long", {"fields": ["expiry", "expires_on"] if writes else ["expires_at"]}),
        ]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return db_field.formfield(**kwargs)  # Without the buttons beside it that would leave the form.

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessKey]:
        keys = super().get_queryset(request).select_related("customer", "agent__user", "replaced_by")
        operator = operator_of(request)
        if operator is None or not operator.is_platform:
            keys = keys.exclude(agent__in=Agent.objects.of_the_platform())
        return keys

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [F("revoked_at").desc(nulls_first=True), "-created_at"]

    def reaches(self, request: HttpRequest, row: AccessKey) -> bool:
        operator = operator_of(request)
        return super().reaches(request, row) and (
            row.agent is None
            or not row.agent.is_of_the_platform
            or (operator is not None and operator.is_platform)
        )

    def may_change(self, request: HttpRequest, row: AccessKey | None) -> bool:
        return row is None or row.revoked_at is None

    def may_delete(self, request: HttpRequest, row: AccessKey | None) -> bool:
        """Revoking is the way: a deleted key's records could not be told from those of a key that never was."""
        return False

    def save_model(self, request: HttpRequest, obj: AccessKey, form: AccessKeyForm, change: bool) -> None:
        if not change:
            # Kept on the request alone, for the one page that shows it.
            request._shown_keys = [self._shown(request, obj, obj.make_secret())]  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: AccessKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._show(request, request._shown_keys, title="The new access key")  # type: ignore[attr-defined]

    def _shown(self, request: HttpRequest, key: AccessKey, secret: str) -> ShownKey:
        return ShownKey(key, secret, request.build_absolute_uri("/"))

    def _show(self, request: HttpRequest, shown: list[ShownKey], *, title: str) -> TemplateResponse:
        """Show secrets, in the answer itself: a redirect would carry them through a cookie or the session."""
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
        # A secret that is shown once wants its page to itself.
        context["show_save_and_add_another"] = False
        if kwargs.get("add"):
            context["show_save_and_continue"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke_keys(self, request: HttpRequest, keys: QuerySet[AccessKey]) -> HttpResponse | None:
        def perform(chosen: list[AccessKey]) -> HttpResponse:
            now = timezone.now()
            revoked = [key for key in chosen if revoke(key, now)]
            for key in revoked:
                self.log_change(request, key, "Revoked.")
            self.message_user(request, f"Revoked: {one_or_many(len(revoked), 'key')}.", messages.SUCCESS)
            return self.to_list()

        return self.confirmed(
            request,
            keys,
            action="revoke_keys",
            question="Revoke these access keys?",
            consequence=(
                "They are refused from now on, and this cannot be undone. To replace a key without an interruption, "
                "rotate it instead."
            ),
            perform=perform,
        )

    @admin.action(description="Rotate", permissions=["change", "add"])
    def rotate_keys(self, request: HttpRequest, keys: QuerySet[AccessKey]) -> HttpResponse | None:
        @sensitive_variables()
        def perform(chosen: list[AccessKey]) -> HttpResponse:
            now = timezone.now()
            shown = []
            for old in chosen:
                try:
                    new, secret = rotate(old, now)
                except CannotRotate as error:
                    self.message_user(request, f"{error}.", messages.ERROR)
                    continue
                self.log_change(request, old, f"Rotated into {new}.")
                self.log_addition(request, new, f"Made by rotating {old}.")
                shown.append(self._shown(request, new, secret))
            return self._show(request, shown, title="Rotated access keys") if shown else self.to_list()

        return self.confirmed(
            request,
            keys,
            action="rotate_keys",
            question="Rotate these access keys?",
            consequence=(
                "Each gets a successor with the same label, owner, rights and length of life, whose secret is shown "
                "once, on the next page. The old key works for 24 hours more, so that you can put the new one in its "
                "place without an interruption."
            ),
            perform=perform,
        )

    @admin.display(description="key", ordering="prefix")
    def key(self, key: AccessKey) -> str:
        return f"{key.prefix}…"

    @admin.display(description="status")
    def status(self, key: AccessKey) -> SafeString:
        status = status_of(key, timezone.now())
        return pill(status.value, _PILLS[status])

    @admin.display(description="of", ordering="customer__name")
    def speaks_for(self, key: AccessKey) -> SafeString:
        if key.agent is None:
            return self.owner(key)
        url = reverse("admin:subscriptions_agent_change", args=[key.agent_id])
        return format_html('<a href="{}">{}</a>, {}', url, key.agent.name, self.owner(key))

    @admin.display(description="agent")
    def for_agent(self, key: AccessKey) -> SafeString | str:
        if key.agent is None:
            return "none: it hears everything of the customer"
        url = reverse("admin:subscriptions_agent_change", args=[key.agent_id])
        return format_html('<a href="{}">{}</a>: it hears what this agent hears', url, key.agent.name)

    @admin.display(description="last used", ordering="last_used_at")
    def last_used(self, key: AccessKey) -> SafeString | None:
        if key.last_used_at is None:
            return None
        moment = f"{key.last_used_at:%Y-%m-%d %H:%M} UTC"
        return format_html('<span title="{}">{} ago</span>', moment, timesince(key.last_used_at, depth=1))

    @admin.display(description="may")
    def rights(self, key: AccessKey) -> str:
        rights = [
            word for word, held in (("subscribe", key.may_subscribe), ("publish", key.may_publish)) if held
        ]
        return ", ".join(rights)

    @admin.display(description="rotated into")
    def rotated_into(self, key: AccessKey) -> SafeString:
        url = reverse("admin:subscriptions_accesskey_change", args=[key.replaced_by.pk])
        return format_html('<a href="{}">{}</a>', url, key.replaced_by)

    @admin.display(description="expires", ordering="expires_at")
    def expires(self, key: AccessKey) -> SafeString | str:
        if key.expires_at is None:
            return "never"
        return format_html('<span title="{}">{}</span>', expiry_in_words(key), key.expires_at.date())
