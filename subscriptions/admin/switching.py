"""Admin pages of rows that are switched off and on: customers and agents."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import localize
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from events.admin.scope import ScopedAdmin, pill
from subscriptions.auth.access_version import bump


class SwitchableAdmin(ScopedAdmin):
    """Pages of a model with `is_active`; credentials of inactive rows are refused."""

    delete_confirmation_template = "admin/subscriptions/delete_confirmation.html"

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        # A deletion takes other rows along, which have to be reviewed for each row by itself.
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description=gettext_lazy("Switch off: refuse all credentials"), permissions=["change"])
    def switch_off(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.switch(request, rows, on=False)

    @admin.action(description=gettext_lazy("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.switch(request, rows, on=True)

    def switch(self, request: HttpRequest, rows: QuerySet[Any], *, on: bool) -> None:
        """Switch those of the rows that this operator may change."""
        changed = [row for row in rows.filter(is_active=not on) if self.has_change_permission(request, row)]
        self.model._default_manager.filter(pk__in=[row.pk for row in changed]).update(is_active=on)
        bump()
        for row in changed:
            self.log_change(request, row, "Switched on." if on else "Switched off.")
        kind = self.opts.verbose_name if len(changed) == 1 else self.opts.verbose_name_plural
        text = gettext("Switched on: {what}.") if on else gettext("Switched off: {what}.")
        self.message_user(request, text.format(what=f"{localize(len(changed))} {kind}"), messages.SUCCESS)

    @admin.display(description=gettext_lazy("state"), ordering="is_active")
    def standing(self, row: Any) -> SafeString:
        return pill(gettext("active"), "good") if row.is_active else pill(gettext("switched off"), "bad")
