"""Actions of the admin that ask once more before they act, in lists and as buttons on the page of a single row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from events.admin.scope import ScopedAdmin

MAX_ROWS = 200
"""Rows that one action takes: what is confirmed must be readable."""

MAX_REASON_CHARACTERS = 80
REASON_LABEL = "Your word to the clients, if you like; it goes into the audit log, with your name, as well"


class ConfirmingAdmin(ScopedAdmin):
    """Rows that actions are done to; each action names those that it may be done to."""

    change_form_template = "admin/change_form_with_actions.html"
    object_actions: tuple[str, ...] = ()
    """Those of the list's actions that have a button on the page of a single row."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        offered = self.get_actions(request) if row is not None else {}
        context["object_actions"] = [
            (name, words) for name, words in self.offered_actions(request, row) if name in offered
        ]
        context["checkbox_name"] = ACTION_CHECKBOX_NAME
        return super().render_change_form(request, context, *args, **kwargs)

    def acts_on(self, request: HttpRequest, row: Any) -> bool:
        """Whether this operator's actions may be done to the row."""
        return self.has_change_permission(request, row)

    def offered_actions(self, request: HttpRequest, row: Any | None) -> list[tuple[str, str]]:
        """Names and words of the buttons on the page of this row."""
        if row is None or not self.acts_on(request, row):
            return []
        return [(name, getattr(type(self), name).short_description) for name in self.object_actions]

    def changeable(self, request: HttpRequest, rows: QuerySet[Any]) -> list[Any]:
        """Those of the rows that this operator may do something to."""
        return [row for row in rows if self.acts_on(request, row)]

    def confirmed(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        *,
        action: str,
        question: str,
        consequence: str,
        perform: Callable[[list[Any]], HttpResponse | None],
        reason_label: str = "",
    ) -> HttpResponse | None:
        """Ask once more with what follows, then `perform` the action on the rows that the operator may change.

        With `reason_label`, the operator is asked for some words as well: see `word_of`.
        """
        chosen = self.changeable(request, rows[: MAX_ROWS + 1])
        if len(chosen) > MAX_ROWS:
            self.message_user(
                request, f"Choose at most {MAX_ROWS} at once; nothing was done.", messages.ERROR
            )
            return None
        if not chosen:
            self.message_user(
                request, "None of these can be changed any more; nothing was done.", messages.WARNING
            )
            return None
        if request.POST.get("confirmed"):
            return perform(chosen)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": question,
            "consequence": consequence,
            "rows": chosen,
            "action": action,
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "reason_label": reason_label,
            "max_reason_characters": MAX_REASON_CHARACTERS,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/confirm_action.html", context)

    def to_list(self) -> HttpResponseRedirect:
        """Back to the list."""
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))


def reason_of(request: HttpRequest) -> str:
    """What the operator wrote when confirming: one line of printable text, or nothing."""
    text = "".join(c if c.isprintable() else " " for c in request.POST.get("reason", ""))
    return " ".join(text.split())[:MAX_REASON_CHARACTERS]


def one_or_many(count: int, word: str) -> str:
    """`1 key`, `2 keys`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
