"""Which rows an operator sees in the admin, and the pages of read-only records."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from events.hooks import directory, operator_of
from events.redaction import redact_secrets

MAX_COUNTED = 10_000
"""Rows of a large table that a list counts and pages through at most."""


class DeclaredChangeList(ChangeList):
    """A list that accepts only its search and its declared filters.

    Django's own accepts any look-up of the model's fields in the URL. One by a regular expression would block the whole
    process on SQLite, where Python evaluates it.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        """Return the filters in use.

        Raises:
            IncorrectLookupParameters: The URL has a parameter that no filter declares. Django then redirects to the
                whole list.
        """
        filters = super().get_filters(request)
        if undeclared := filters[2]:
            raise IncorrectLookupParameters(f"There is no filter by {', '.join(undeclared)}")
        return filters


def refuse_secrets(value: object) -> None:
    """Raise ValidationError for a text with a credential, which the pages would show."""
    if isinstance(value, str) and redact_secrets(value) != value:
        raise ValidationError("This contains a credential, which would be shown here: remove it.")


class DeclaredAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages with a `DeclaredChangeList`, whose forms take no credential in readable fields."""

    def get_form(
        self, request: HttpRequest, obj: Any | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        for field in form.base_fields.values():
            is_secret = isinstance(field.widget, forms.PasswordInput)
            if (
                isinstance(field, forms.CharField)
                and not is_secret
                and refuse_secrets not in field.validators
            ):
                field.validators.append(refuse_secrets)
        return form

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DeclaredChangeList


class ScopedAdmin(DeclaredAdmin):
    """Pages, lists and actions with only the rows of customers that the operator sees."""

    customer_path = "customer_id"
    """The field with the id of the row's customer."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        operator = operator_of(request)
        if operator is None:
            return rows.none()
        if operator.customer_id is None:
            return rows
        return rows.filter(**{self.customer_path: operator.customer_id})

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> list[str]:
        # An id cannot be changed: it is part of topics and stored events.
        return [*self.readonly_fields, "id"] if obj is not None else list(self.readonly_fields)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def reaches(self, request: HttpRequest, row: Any) -> bool:
        """Return whether the operator may see this row."""
        operator = operator_of(request)
        return operator is not None and operator.sees(getattr(row, self.customer_path))

    def may_change(self, request: HttpRequest, row: Any | None) -> bool:
        """Return whether the operator may change this row, or rows in general if `row` is `None`.

        The operator's role is checked as well.
        """
        return True

    def may_delete(self, request: HttpRequest, row: Any | None) -> bool:
        return self.may_change(request, row)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._allows(request, None, super().has_module_permission(request))

    def has_view_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return self._allows(request, obj, super().has_view_permission(request, obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_change(request, None) and self._allows(
            request, None, super().has_add_permission(request)
        )

    def has_change_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return self.may_change(request, obj) and self._allows(
            request, obj, super().has_change_permission(request, obj)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return self.may_delete(request, obj) and self._allows(
            request, obj, super().has_delete_permission(request, obj)
        )

    def _allows(self, request: HttpRequest, row: Any | None, permitted: bool) -> bool:
        operator = operator_of(request)
        if operator is None or (row is not None and not self.reaches(request, row)):
            return False
        return operator.may_by_role or permitted


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """A paginator that counts only MAX_COUNTED rows: counting a large table takes too long."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        count: int = rows.order_by()[:MAX_COUNTED].count()
        return count


class NamedChangeList(DeclaredChangeList):
    """A list that reads the names behind its rows' ids in one query for each kind."""

    result_list: Any
    model_admin: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        self.model_admin.name_rows(self.result_list)
        self.is_capped = self.result_count >= MAX_COUNTED


class RecordAdmin(ScopedAdmin):
    """Pages of read-only rows that the gateway wrote, in large tables."""

    actions: Any = None
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    sortable_by = ()
    change_form_template = "admin/record.html"

    exact_fields: Sequence[str] = ()
    """Fields that a search for a UUID compares."""
    part_fields: Sequence[str] = ()
    """Text fields that a search looks into."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NamedChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.name_rows([row])
        return row

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        for term in search_term.replace("\0", " ").split()[:10]:
            queryset = queryset.filter(self.found_by(term))
        return queryset, False

    def found_by(self, term: str) -> Q:
        """Return the condition for rows that one term of a search finds."""
        found = Q(customer_id__in=directory().customers_named(term))
        if (wanted := as_uuid(term)) is not None:
            for field in self.exact_fields:
                found |= Q(**{field: wanted})
        for field in self.part_fields:
            found |= Q(**{f"{field}__icontains": term})
        return found

    def name_rows(self, rows: Iterable[Any]) -> None:
        """Set each row's `customer_name`, to "" if its customer is unknown."""
        rows = list(rows)
        names = directory().customer_names({row.customer_id for row in rows if row.customer_id is not None})
        for row in rows:
            row.customer_name = names.get(row.customer_id, "")

    @admin.display(description="customer")
    def customer(self, row: Any) -> str | SafeString | None:
        if row.customer_id is None:
            return None
        if not row.customer_name:
            return str(row.customer_id)
        return format_html(
            '<a href="{}">{}</a>', directory().customer_url(row.customer_id), row.customer_name
        )


def as_uuid(text: str) -> uuid.UUID | None:
    """Parse a UUID; return `None` if the text is invalid."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def pill(text: str, kind: str) -> SafeString:
    """Return a coloured label; `kind` is good, bad, warn or quiet."""
    return format_html('<span class="pill pill-{}">{}</span>', kind, text)
