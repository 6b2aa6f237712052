"""The admin site: its titles, its access rule, and its index in an order for operators."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import translation
from django.utils.translation import gettext_lazy
from django.views.i18n import JavaScriptCatalog

from events.hooks import operator_of
from subscriptions.accounts.changes import current_actor, record
from subscriptions.models import AuditAction
from voipbin_ws.admin.login_form import AdminLoginForm, OwnPasswordForm
from voipbin_ws.admin.system_status import system_status
from voipbin_ws.languages import django_texts

GROUPS = (
    (
        gettext_lazy("Customers and access"),
        "subscriptions",
        {
            "Customer": gettext_lazy("The tenants of the platform"),
            "Agent": gettext_lazy("People of a customer, with their accounts and permissions"),
            "Queue": gettext_lazy("Where callers wait, and the agents who serve them"),
            "AccessKey": gettext_lazy("Credentials of programs: create, revoke, rotate"),
        },
    ),
    (
        gettext_lazy("Connections"),
        "subscriptions",
        {"LiveConnection": gettext_lazy("Open WebSockets and event streams: owner, topics, lag; close them")},
    ),
    (
        gettext_lazy("Events"),
        "events",
        {
            "Event": gettext_lazy("Everything that was published, as it was sent"),
            "ResourceState": gettext_lazy("The current state of calls, queues and all other resources"),
            "CustomerLog": gettext_lazy("The last event number of each customer"),
        },
    ),
    (
        gettext_lazy("Audit"),
        "subscriptions",
        {
            "AuditRecord": gettext_lazy(
                "Connects, subscriptions and refusals with their rules; Explain shows what a client received"
            )
        },
    ),
    (
        gettext_lazy("Accounts of operators"),
        "auth",
        {
            "User": gettext_lazy("All logins; those of agents are made on the agents' page"),
            "Group": gettext_lazy("Permissions for operators who are neither superusers nor an admin"),
        },
    ),
)
"""Groups of the index: title, linked app, and the description of each model."""


class AdminScriptTexts(JavaScriptCatalog):
    """The texts of the scripts of Django's admin, also those that Django has not translated."""

    packages = ["django.contrib.admin"]

    def get_catalog(self) -> dict[str, Any]:
        own = {text: translation.gettext(text) for text in django_texts.OF_SCRIPTS}
        return super().get_catalog() | own


class GatewayAdminSite(admin.AdminSite):
    site_header = gettext_lazy("VoIPBIN gateway")
    site_title = gettext_lazy("VoIPBIN gateway")
    index_title = gettext_lazy("Operation")
    login_form = AdminLoginForm

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register pages as `AuditedAdmin`, those of Django's own apps also as `DeclaredAdmin`."""
        # Imported here, because events.admin registers pages with this site.
        from events.admin.scope import DeclaredAdmin
        from subscriptions.admin.audited import AuditedAdmin

        parent = admin_class or admin.ModelAdmin
        kinds = () if issubclass(parent, DeclaredAdmin) else (DeclaredAdmin,)
        admin_class = type(parent.__name__, (AuditedAdmin, *kinds, parent), {"__module__": parent.__module__})
        super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[Any]:
        return [path("search/", self.admin_view(self.search), name="search"), *super().get_urls()]

    def i18n_javascript(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return cast(HttpResponse, AdminScriptTexts.as_view()(request))

    def search(self, request: HttpRequest) -> HttpResponse:
        """Show what a text finds in all lists."""
        from voipbin_ws.admin.search import search_page

        return search_page(request, self)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().login(request, extra_context)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if form is not None and (seconds := form.retry_after) is not None:
            response.status_code = 429
            response["Retry-After"] = str(seconds)
        return response

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        # Django's method names its own form.
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            template_name="registration/password_change_form.html",
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return cast(TemplateResponse, view(request))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        if request.method == "POST" and request.user.is_authenticated:
            record(
                current_actor(), AuditAction.LOGOUT, f"user:{request.user.pk}", rule="asked", detail="admin"
            )
        return super().logout(request, extra_context)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        operator = operator_of(request)
        system = None if operator is None else system_status(operator)
        return super().index(request, {"system": system, **(extra_context or {})})

    def has_permission(self, request: HttpRequest) -> bool:
        return operator_of(request) is not None

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        apps = self._build_app_dict(request, app_label)
        listed = []
        for title, label, words in GROUPS:
            known = {model["object_name"]: model for model in apps.get(label, {}).get("models", ())}
            models = [{**known.pop(name), "words": words[name]} for name in words if name in known]
            if models:
                url = models[0]["admin_url"] if len(models) == 1 else apps[label]["app_url"]
                listed.append({**apps[label], "name": title, "app_url": url, "models": models})
        named = {(label, name) for _, label, words in GROUPS for name in words}
        for label, app in apps.items():
            rest = [model for model in app["models"] if (label, model["object_name"]) not in named]
            if rest:
                listed.append({**app, "models": rest})
        return listed
