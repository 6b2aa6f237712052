"""Admin actions with a confirmation page, in lists and as buttons on a row's page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import localize
from django.utils.translation import gettext, gettext_lazy

from events.admin.scope import ScopedAdmin
from subscriptions.auth.client_info import storable

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MAX_ROWS = 200
"""Rows that one action accepts, so that the confirmation page stays readable."""

MAX_REASON_CHARACTERS = 80
REASON_LABEL = gettext_lazy(
    "Reason for the clients (optional); it is recorded in the audit log with your name"
)

CLOSING_CONSEQUENCE = gettext_lazy(
    "The clients receive the message that an operator closed their connections, and do not reconnect automatically. "
    "The credentials stay valid, so clients can connect again. To keep a program out, revoke its access key."
)


class ConfirmingAdmin(ScopedAdmin):
    """Pages with actions that have to be confirmed, also as buttons on a row's page."""

    change_form_template = "admin/change_form_with_actions.html"
    object_actions: tuple[str, ...] = ()
    """The actions that have a button on the page of a row."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        offered = self.get_actions(request) if row is not None else {}
        context["object_actions"] = [
            (name, label) for name, label in self.offered_actions(request, row) if name in offered
        ]
        context["checkbox_name"] = ACTION_CHECKBOX_NAME
        return super().render_change_form(request, context, *args, **kwargs)

    def acts_on(self, request: HttpRequest, row: Any) -> bool:
        """Return whether this operator may use actions on the row."""
        return self.has_change_permission(request, row)

    def offered_actions(self, request: HttpRequest, row: Any | None) -> list[tuple[str, str]]:
        """Return the names and labels of the buttons on the page of this row."""
        if row is None or not self.acts_on(request, row):
            return []
        return [(name, getattr(type(self), name).short_description) for name in self.object_actions]

    def changeable(self, request: HttpRequest, rows: QuerySet[Any]) -> list[Any]:
        """Return the rows on which this operator may use actions."""
        return [row for row in rows if self.acts_on(request, row)]

    def to_list(self) -> HttpResponseRedirect:
        """Redirect to the list."""
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))


def confirmed(
    description: StrOrPromise,
    *,
    question: StrOrPromise,
    consequence: StrOrPromise,
    permissions: Sequence[str] = ("change",),
    reason_label: StrOrPromise = "",
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse | None]]:
    """Turn a method of a ConfirmingAdmin into an action that runs after a confirmation page.

    The method receives the request and the list of rows. With `reason_label` the page has an input field for a reason,
    which `reason_of` returns.
    """

    def decorate(perform: Callable[..., HttpResponse]) -> Callable[..., HttpResponse | None]:
        @admin.action(description=description, permissions=permissions)
        @wraps(perform)
        def action(self: ConfirmingAdmin, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
            chosen = self.changeable(request, rows[: MAX_ROWS + 1])
            if len(chosen) > MAX_ROWS:
                text = gettext("Select at most {count} rows. Nothing was changed.").format(
                    count=localize(MAX_ROWS)
                )
                self.message_user(request, text, messages.ERROR)
                return None
            if not chosen:
                text = gettext("None of the selected rows can be changed any more. Nothing was changed.")
                self.message_user(request, text, messages.WARNING)
                return None
            if request.POST.get("confirmed"):
                return perform(self, request, chosen)
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": question,
                "consequence": consequence,
                "rows": chosen,
                "action": perform.__name__,
                "checkbox_name": ACTION_CHECKBOX_NAME,
                "reason_label": reason_label,
                "max_reason_characters": MAX_REASON_CHARACTERS,
                "media": self.media,
            }
            return TemplateResponse(request, "admin/confirm_action.html", context)

        return action

    return decorate


def reason_of(request: HttpRequest) -> str:
    """Return the reason that the operator entered, as one line of printable text, or ""."""
    text = "".join(c if c.isprintable() else " " for c in request.POST.get("reason", ""))
    return storable(" ".join(text.split()), MAX_REASON_CHARACTERS)
