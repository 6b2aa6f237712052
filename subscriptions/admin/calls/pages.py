"""The admin pages of events and states, with the call, and the action to end one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.formats import localize
from django.utils.translation import gettext, gettext_lazy, ngettext

from events.admin.pages import EventAdmin, ResourceStateAdmin
from events.hooks import operator_of
from events.log.inferred_ends import Superseded, inferred_end, require_live
from events.log.publish import publish
from events.models import Event, ResourceState
from subscriptions.accounts.changes import current_actor, record
from subscriptions.admin.calls.call_page import address_of_call, call_of, call_page
from subscriptions.admin.confirmation import REASON_LABEL, ConfirmingAdmin, confirmed, reason_of
from subscriptions.models import AuditAction, AuditVerdict

RULE = "ended-by-operator"

admin.site.unregister(ResourceState)
admin.site.unregister(Event)


@admin.register(Event)
class CallEventAdmin(EventAdmin):
    """The pages of events, with a link to the page of their call."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (row := kwargs.get("obj")) is not None:
            call_id = call_of(row.resource, row.resource_id, row.body)
            context["call_url"] = address_of_call(row.customer_id, call_id, row.pk) if call_id else ""
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(ResourceState)
class EndableStateAdmin(ConfirmingAdmin, ResourceStateAdmin):
    actions = ["end_call"]
    object_actions = ("end_call",)

    change_form_template = "admin/events/resourcestate/record.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.call_view)
        return [path("call/", view, name="events_resourcestate_call"), *super().get_urls()]

    def call_view(self, request: HttpRequest) -> HttpResponse:
        return call_page(request, self)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (row := kwargs.get("obj")) is not None:
            call_id = row.member_id or (row.resource_id if row.resource == "call" else "")
            context["call_url"] = address_of_call(row.customer_id, call_id) if call_id else ""
        return super().render_change_form(request, context, *args, **kwargs)

    def acts_on(self, request: HttpRequest, row: ResourceState) -> bool:
        return row.live and bool(row.member_id or row.resource == "call") and self.has_end_permission(request)

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Return whether the operator may end calls, by role or a Django permission."""
        operator = operator_of(request)
        return operator is not None and (
            operator.may_by_role or request.user.has_perm("events.delete_resourcestate")
        )

    @confirmed(
        gettext_lazy("End the call"),
        question=gettext_lazy("End these calls?"),
        consequence=gettext_lazy(
            "The gateway publishes their end to all subscribers. Nothing is hung up on the platform: if the "
            "platform reports a call again, it is live again. Use it for calls whose end was never published."
        ),
        permissions=("end",),
        reason_label=REASON_LABEL,
    )
    def end_call(self, request: HttpRequest, rows: list[ResourceState]) -> HttpResponse:
        """Publish the end of calls, or of their places, and record who did it."""
        reason = reason_of(request)
        ended = sum(self._end(row, request.user.get_username(), reason) for row in rows)
        text = ngettext(
            "The end of {count} call was published.", "The end of {count} calls was published.", ended
        ).format(count=localize(ended))
        if ended < len(rows):
            text += " " + gettext("{count} had ended meanwhile.").format(count=localize(len(rows) - ended))
        self.message_user(request, text, messages.SUCCESS)
        return self.to_list()

    def _end(self, row: ResourceState, by: str, reason: str) -> bool:
        topic = f"customer_id:{row.customer_id}:{row.resource}:{row.resource_id}"
        actor, detail = current_actor(), f"{by}: {reason or 'no reason given'}"

        def check() -> None:
            require_live(row)
            record(
                actor,
                AuditAction.END,
                topic,
                customer_id=row.customer_id,
                verdict=AuditVerdict.ENDED,
                rule=RULE,
                detail=detail,
            )

        ending = f"ended by an operator: {reason}" if reason else "ended by an operator"
        try:
            publish([inferred_end(row, ending)], check=check)
        except Superseded:
            return False
        return True
