"""Admin pages of rows that belong to one customer, which is chosen first."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django import forms
from django.contrib.admin.utils import get_deleted_objects
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy

from events.admin.filters import CustomerFilter
from events.admin.scope import ScopedAdmin, as_uuid
from events.hooks import Operator, operator_of
from subscriptions.admin.confirmation import ConfirmingAdmin
from subscriptions.admin.importing import ImportingAdmin
from subscriptions.models import Agent, Customer

_JOIN_NAME = capfirst(str(Agent.queues.through._meta.verbose_name))


class RowSelect(AutocompleteSelect):
    """A select of rows with completion, which shows nothing for a value that is not an id."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        return super().optgroups(name, [each for each in value if as_uuid(str(each))], attrs)


class OperatorForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form with the operator who uses it and the customer of its row."""

    operator: Operator
    customer: Customer
    user: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.customer = self.customer

    def agents_offered(self) -> QuerySet[Agent]:
        """Return the customer's agents whom this operator may choose."""
        agents = self.customer.agents.order_by("name")
        return agents if self.operator.is_platform else agents.exclude(pk__in=Agent.objects.of_the_platform())


class OfCustomerAdmin(ImportingAdmin, ConfirmingAdmin):
    """Pages of rows of one customer, which cannot be changed: its id is part of topics."""

    list_select_related = ["customer"]
    list_filter: ClassVar[list[Any]] = [CustomerFilter]
    list_per_page = 50

    def get_form(
        self, request: HttpRequest, obj: Any | None = None, change: bool = False, **kwargs: Any
    ) -> type[OperatorForm]:
        form = cast(type[OperatorForm], super().get_form(request, obj, change=change, **kwargs))
        form.operator = cast(Operator, operator_of(request))
        form.customer = obj.customer if obj is not None else cast(Customer, self._chosen_customer(request))
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
        """Return the customer that the URL names, or the only one, or `None`."""
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
                    self._customers(request), widget=RowSelect(field, self.admin_site)
                )
            },
        )()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Add {what}").format(what=self.opts.verbose_name),
            "form": form,
            "media": self.media + form.media,
            "any_customer": self._customers(request).exists(),
        }
        return TemplateResponse(request, "admin/choose_customer.html", context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[str], Any]:
        return deleted_together(self, request, objs)

    def owner(self, row: Any) -> SafeString:
        """Return a link to the row's customer."""
        url = reverse("admin:subscriptions_customer_change", args=[row.customer_id])
        return format_html('<a href="{}">{}</a>', url, row.customer)

    owner.short_description = gettext_lazy("customer")  # type: ignore[attr-defined]
    owner.admin_order_field = "customer__name"  # type: ignore[attr-defined]


def is_platform(request: HttpRequest) -> bool:
    """Return whether the operator runs the platform, and so may see its own agents."""
    operator = operator_of(request)
    return operator is not None and operator.is_platform


def sees_numbers(request: HttpRequest) -> bool:
    """Return whether the operator sees telephone numbers.

    Others manage no accounts and keys: by one of their own making they would see what is masked for them.
    """
    operator = operator_of(request)
    return operator is not None and not operator.masks_numbers


def id_field(request: HttpRequest, row: Any | None) -> list[str]:
    """Return the field of a row's id, which only platform staff choose for a new row.

    Others could occupy the id that the platform gives to another customer's row, or learn that it exists.
    """
    return ["id"] if row is not None or is_platform(request) else []


def deleted_together(
    model_admin: ScopedAdmin, request: HttpRequest, rows: Any
) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
    """Return Django's `get_deleted_objects` for operators who may delete dependent rows."""
    taken, counts, perms_needed, protected = get_deleted_objects(rows, request, model_admin.admin_site)
    if all(model_admin.has_delete_permission(request, row) for row in rows):
        perms_needed = set()
    counts.pop(str(Agent.queues.through._meta.verbose_name_plural), None)
    return _without_joins(taken), counts, perms_needed, protected


def _without_joins(listed: list[Any]) -> list[Any]:
    """Leave out rows that only join agents and queues, which mean nothing to operators."""
    return [
        _without_joins(each) if isinstance(each, list) else each
        for each in listed
        if isinstance(each, list) or not str(each).startswith(_JOIN_NAME)
    ]
