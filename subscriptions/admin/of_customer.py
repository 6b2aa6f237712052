"""Admin pages of what belongs to one customer: the customer is chosen first, and what is offered is that customer's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import get_deleted_objects
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from events.admin.filters import CustomerFilter
from events.admin.scope import ScopedAdmin, as_uuid
from events.operators import Operator, operator_of
from subscriptions.models import Agent, Customer

_PAIRING = capfirst(Agent.queues.through._meta.verbose_name)
MOST_AT_ONCE = 200
"""Rows that one action takes: what is confirmed must be readable."""


class OperatorForm(forms.ModelForm):
    """A form that knows whose hands it is in, and of which customer its row is."""

    operator: Operator
    customer: Customer
    user: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.customer = self.customer


class OfCustomerAdmin(ScopedAdmin):
    """Rows of one customer. The customer is settled when a row is made and stays: its id is part of every topic."""

    form: type[OperatorForm]
    list_select_related = ["customer"]
    list_filter: list[Any] = [CustomerFilter]
    change_form_template = "admin/change_form_with_actions.html"
    list_per_page = 50
    object_actions: tuple[str, ...] = ()
    """Those of the list's actions that have a button on the page of a single row."""

    def get_form(
        self, request: HttpRequest, obj: Any | None = None, change: bool = False, **kwargs: Any
    ) -> type[OperatorForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.operator = operator_of(request)
        form.customer = obj.customer if obj is not None else self._chosen_customer(request)
        form.user = request.user
        return form

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.has_add_permission(request) and self._chosen_customer(request) is None:
            return self._choose_customer(request)
        return super().add_view(request, form_url, extra_context)

    def _customers(self, request: HttpRequest) -> QuerySet[Customer]:
        operator = operator_of(request)
        if operator is None:
            raise PermissionDenied
        customers = Customer.objects.all()
        return customers if operator.customer_id is None else customers.filter(pk=operator.customer_id)

    def _chosen_customer(self, request: HttpRequest) -> Customer | None:
        """The customer whom the address names, or the only one there is; none: it has to be chosen."""
        customers = self._customers(request)
        chosen = as_uuid(request.GET.get("customer", ""))
        if chosen is not None:
            return customers.filter(pk=chosen).first()
        few = list(customers[:2])
        return few[0] if len(few) == 1 else None

    def _choose_customer(self, request: HttpRequest) -> TemplateResponse:
        field = self.model._meta.get_field("customer")
        form = type(
            "CustomerForm",
            (forms.Form,),
            {
                "customer": forms.ModelChoiceField(
                    self._customers(request), widget=AutocompleteSelect(field, self.admin_site)
                )
            },
        )()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Add {self.opts.verbose_name}",
            "form": form,
            "media": self.media + form.media,
            "any_customer": self._customers(request).exists(),
        }
        return TemplateResponse(request, "admin/choose_customer.html", context)

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

    def offered_actions(self, request: HttpRequest, row: Any | None) -> list[tuple[str, str]]:
        """Names and words of the buttons on the page of this row."""
        if row is None or not self.has_change_permission(request, row):
            return []
        return [(name, getattr(type(self), name).short_description) for name in self.object_actions]

    def changeable(self, request: HttpRequest, rows: QuerySet[Any]) -> list[Any]:
        """Those of the rows that this operator may change."""
        return [row for row in rows if self.has_change_permission(request, row)]

    def confirmed(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        *,
        action: str,
        question: str,
        consequence: str,
        perform: Callable[[list[Any]], HttpResponse | None],
    ) -> HttpResponse | None:
        """Ask once more with what follows, then `perform` the action on the rows that the operator may change."""
        chosen = self.changeable(request, rows[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            self.message_user(
                request, f"Choose at most {MOST_AT_ONCE} at once; nothing was done.", messages.ERROR
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
            "media": self.media,
        }
        return TemplateResponse(request, "admin/confirm_action.html", context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[str], Any]:
        return deleted_together(self, request, objs)

    def owner(self, row: Any) -> SafeString:
        """The row's customer, as a link."""
        url = reverse("admin:subscriptions_customer_change", args=[row.customer_id])
        return format_html('<a href="{}">{}</a>', url, row.customer)

    owner.short_description = "customer"  # type: ignore[attr-defined]
    owner.admin_order_field = "customer__name"  # type: ignore[attr-defined]

    def to_list(self) -> HttpResponseRedirect:
        """Back to the list."""
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))


def deleted_together(
    model_admin: ScopedAdmin, request: HttpRequest, rows: Any
) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
    """As Django's `get_deleted_objects`, for operators who may delete a row with all that belongs to it."""
    taken, counts, perms_needed, protected = get_deleted_objects(rows, request, model_admin.admin_site)
    if all(model_admin.has_delete_permission(request, row) for row in rows):
        perms_needed = set()
    counts.pop(Agent.queues.through._meta.verbose_name_plural, None)
    return _without_pairings(taken), counts, perms_needed, protected


def _without_pairings(listed: list[Any]) -> list[Any]:
    """What a deletion takes along, without the rows that only pair agents with queues: they say nothing to people."""
    return [
        _without_pairings(each) if isinstance(each, list) else each
        for each in listed
        if isinstance(each, list) or not str(each).startswith(_PAIRING)
    ]


def one_or_many(count: int, word: str) -> str:
    """`1 key`, `2 keys`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
