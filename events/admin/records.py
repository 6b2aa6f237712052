"""The pages of read-only rows in large tables, whose lists read a bounded number of rows."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import localize
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from events.admin.scope import DeclaredChangeList, ScopedAdmin, as_uuid
from events.hooks import directory, operator_of

MAX_COUNTED = 10_000
"""Rows of a large table that a list counts and pages through at most."""
MAX_SEARCHED = 20_000
"""Rows, the newest ones, that a search or a filter without an index reads at most."""
MAX_TERMS = 10
MIN_NUMBER_DIGITS = 5
_NUMBER = re.compile(r"(?:tel:|sips?:)?[+(]?[\d\s().\-/\u2010-\u2015]+", re.IGNORECASE)
FEW = 1000
"""Rows up to which a query names their keys: the database need not estimate how many they are."""


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """A paginator that counts only MAX_COUNTED rows: counting a large table takes too long."""

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        count: int = rows.order_by()[: MAX_COUNTED + 1].count()
        return count

    @property
    def count(self) -> int:
        return min(self._counted, MAX_COUNTED)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than are counted."""
        return self._counted > MAX_COUNTED


class RecordList(DeclaredChangeList):
    """A list that searches only the newest rows of a set that an index gives in order.

    It reads the names behind its rows' ids in one query for each kind.
    """

    result_list: Any
    model_admin: Any
    capped_at: str | None = None
    """The number of rows that were counted, for people, or `None` if there are no more."""
    searched: str | None = None
    """The number of newest rows that were searched, for people, or `None` if all were."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None, *, is_bounded: bool = True
    ) -> QuerySet[Any]:
        self.filter_specs, self.has_filters, _, _, self.has_active_filters = self.get_filters(request)
        self.clear_all_filters_qs = self.get_query_string(remove=self.get_filters_params())
        active: list[Any] = [spec for spec in self.filter_specs if spec.used_parameters]
        rows, every = self.root_queryset, self.model._default_manager.all()
        for spec in active:
            if spec in self._narrowing(active):
                rows, every = spec.queryset(request, rows), spec.queryset(request, every)
        rows = self.apply_select_related(rows)
        rows = rows.order_by(*self.get_ordering(request, rows))
        others = [spec for spec in active if spec not in self._narrowing(active)]
        exact = list(self._exact_matches(request))
        texts = [term for term in self._terms() if term not in {term for term, _ in exact}]
        if is_bounded and (others or exact or texts):
            found = [spec.queryset(request, every) for spec in others if self.model_admin.has_index(spec)]
            rows = self._bounded(rows, [*found, *(every.filter(condition) for _, condition in exact)])
        for spec in others:
            rows = spec.queryset(request, rows)
        for _, condition in exact:
            rows = rows.filter(condition)
        for term in texts:
            rows = rows.filter(self.model_admin.found_by(term))
        return rows

    @staticmethod
    def _narrowing(specs: Iterable[Any]) -> list[Any]:
        """Return the filters that keep an index in the list's order."""
        return [spec for spec in specs if getattr(spec, "narrows", False)]

    def _terms(self) -> list[str]:
        query = self.query.replace("\0", " ").strip()
        # A telephone number is one term, although it is written with spaces.
        return [query] if is_number(query) else query.split()[:MAX_TERMS]

    def _exact_matches(self, request: HttpRequest) -> Iterator[tuple[str, Q]]:
        """Find the terms of the search that an index finds, with their conditions."""
        for term in self._terms():
            for condition in self.model_admin.exact_matches(request, term):
                if self.root_queryset.order_by().filter(condition).exists():
                    yield term, condition
                    break

    def _bounded(self, rows: QuerySet[Any], found: Iterable[QuerySet[Any]]) -> QuerySet[Any]:
        """Keep the newest rows of the smallest set: all rows, or one that an index has found."""
        order = rows.query.order_by
        sets = [rows, *(each.order_by(*order) for each in found)]
        sizes = [each.values("pk")[: MAX_SEARCHED + 1].count() for each in sets]
        size, smallest = min(zip(sizes, sets, strict=True), key=lambda each: each[0])
        if size > MAX_SEARCHED:
            self.searched = localize(MAX_SEARCHED)
            name = str(order[0])
            field, side = name.removeprefix("-"), "gte" if name.startswith("-") else "lte"
            by_field = smallest.order_by(name).values_list(field, flat=True)
            [last] = by_field[MAX_SEARCHED - 1 : MAX_SEARCHED]
            rows = rows.filter(**{f"{field}__{side}": last})
        if size <= FEW:
            return rows.filter(pk__in=list(smallest.values_list("pk", flat=True)[:FEW]))
        return rows if smallest is sets[0] else rows.filter(pk__in=smallest.values("pk")[:MAX_SEARCHED])

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        self.model_admin.name_rows(self.result_list)
        paginator: Any = self.paginator
        if paginator.is_capped:
            self.capped_at = localize(self.result_count)


class RecordAdmin(ScopedAdmin):
    """Pages of read-only rows that the gateway wrote, in large tables."""

    actions: Any = None
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    paginator = CappedPaginator
    sortable_by = ()
    change_form_template = "admin/record.html"

    exact_fields: Sequence[str] = ()
    """Indexed fields that a search for a UUID compares, if a row has it."""
    part_fields: Sequence[str] = ()
    """Text fields that a search looks into."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RecordList]:
        return RecordList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.name_rows([row])
        return row

    def newest_rows(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the operator or of the chosen customer, newest first."""
        rows = self.get_queryset(request).order_by(*self.get_ordering(request))
        customer_id = customer_of(request)
        return rows if customer_id is None else rows.filter(customer_id=customer_id)

    def has_index(self, spec: Any) -> bool:
        """Return whether an index finds the rows of this filter, in the order of the list."""
        return False

    def exact_matches(self, request: HttpRequest, term: str) -> list[Q]:
        """Return the conditions, each with an index, that may find a term of a search."""
        wanted = as_uuid(term)
        return [] if wanted is None else [Q(**{field: wanted}) for field in self.exact_fields]

    def found_by(self, term: str) -> Q:
        """Return the condition for rows that one term of a search finds."""
        found = Q(customer_id__in=directory().customers_named(term))
        for field in self.part_fields:
            found |= Q(**{f"{field}__icontains": term})
        return found

    def name_rows(self, rows: Iterable[Any]) -> None:
        """Set each row's `customer_name`, to "" if its customer is unknown."""
        rows = list(rows)
        names = directory().customer_names({row.customer_id for row in rows if row.customer_id is not None})
        for row in rows:
            row.customer_name = names.get(row.customer_id, "")

    @admin.display(description=gettext_lazy("customer"))
    def customer(self, row: Any) -> str | SafeString | None:
        if row.customer_id is None:
            return None
        if not row.customer_name:
            return str(row.customer_id)
        return format_html(
            '<a href="{}">{}</a>', directory().customer_url(row.customer_id), row.customer_name
        )


def is_number(text: str) -> bool:
    """Return whether a text can be a telephone number in some spelling."""
    return bool(_NUMBER.fullmatch(text)) and sum(c.isdigit() for c in text) >= MIN_NUMBER_DIGITS


def customer_of(request: HttpRequest) -> uuid.UUID | None:
    """Return the operator's own customer, or the one that the list is filtered by, or `None`."""
    operator = operator_of(request)
    if operator is not None and operator.customer_id is not None:
        return operator.customer_id
    return as_uuid(request.GET.get("customer", ""))
