"""The admin's one place for whose rows an operator sees, and its pages for rows that nobody may change."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from events.hooks import directory, operator_of

MOST_COUNTED = 10_000
"""Rows that a list of a large table counts and pages through; who wants more narrows it."""


class DeclaredChangeList(ChangeList):
    """A list that is narrowed by its search and its declared filters alone.

    Django's takes any look-up of a model's own fields from the address. One by a regular expression stops the whole
    process on SQLite, which has Python evaluate it.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        """Find the filters that are in use.

        Raises:
            IncorrectLookupParameters: the address has a parameter that no filter declares. Django leads such a
                request back to the whole list.
        """
        filters = super().get_filters(request)
        if undeclared := filters[2]:
            raise IncorrectLookupParameters(f"There is no filter by {', '.join(undeclared)}")
        return filters


class DeclaredAdmin(admin.ModelAdmin):
    """Pages whose list is a `DeclaredChangeList`."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DeclaredChangeList


class ScopedAdmin(DeclaredAdmin):
    """Shows an operator the rows of the customers that this operator sees, in lists, forms, actions and addresses."""

    customer_path = "customer_id"
    """The field that holds the id of the customer whose row it is."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        operator = operator_of(request)
        if operator is None:
            return rows.none()
        if operator.customer_id is None:
            return rows
        return rows.filter(**{self.customer_path: operator.customer_id})

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> list[str]:
        # An id is set once: it is part of topics and stored events.
        return [*self.readonly_fields, "id"] if obj is not None else list(self.readonly_fields)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def reaches(self, request: HttpRequest, row: Any) -> bool:
        """Whether the operator may see this row."""
        operator = operator_of(request)
        return operator is not None and operator.sees(getattr(row, self.customer_path))

    def may_change(self, request: HttpRequest, row: Any | None) -> bool:
        """Whether this operator changes such rows (this one, where it is given); beside what the role allows."""
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


class CappedPaginator(Paginator):
    """Counts no further than it pages: counting all rows of a large table takes longer than showing some."""

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[:MOST_COUNTED].count()


class NamedChangeList(DeclaredChangeList):
    """A list whose rows learn the names behind their ids together, in one query for each kind."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        self.model_admin.name_rows(self.result_list)
        self.is_capped = self.result_count >= MOST_COUNTED


class RecordAdmin(ScopedAdmin):
    """Rows that the gateway wrote and nobody may change, superusers included; made for very many of them."""

    actions: Any = None
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    sortable_by: Sequence[str] = ()
    change_form_template = "admin/record.html"

    exact_fields: Sequence[str] = ()
    """UUID fields that a search for a UUID compares."""
    part_fields: Sequence[str] = ()
    """Text fields that a search for anything else looks into."""

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
        for word in search_term.replace("\0", " ").split()[:10]:
            queryset = queryset.filter(self.found_by(word))
        return queryset, False

    def found_by(self, word: str) -> Q:
        """What a row has to be to be found by this word of a search."""
        found = Q(customer_id__in=directory().customers_named(word))
        if (wanted := as_uuid(word)) is not None:
            for field in self.exact_fields:
                found |= Q(**{field: wanted})
        for field in self.part_fields:
            found |= Q(**{f"{field}__icontains": word})
        return found

    def name_rows(self, rows: Iterable[Any]) -> None:
        """Give each row the `customer_name` behind its `customer_id`; empty where no such customer is known."""
        rows = list(rows)
        names = directory().customer_names({row.customer_id for row in rows if row.customer_id is not None})
        for row in rows:
            row.customer_name = names.get(row.customer_id, "")

    @admin.display(description="customer")
    def customer(self, row: Any) -> str | SafeString | None:
        if row.customer_id is None:
            return None
        if not row.customer_name:
            return row.customer_id
        return format_html(
            '<a href="{}">{}</a>', directory().customer_url(row.customer_id), row.customer_name
        )


def as_uuid(text: str) -> uuid.UUID | None:
    """The UUID that `text` is, or none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def pill(text: str, kind: str) -> SafeString:
    """A word in colour: `kind` is good, bad, warn or quiet."""
    return format_html('<span class="pill pill-{}">{}</span>', kind, text)
