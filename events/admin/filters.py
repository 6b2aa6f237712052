"""The admin's filters: by customer, linked row, time, text, and the values of a field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from events.admin.scope import as_uuid
from events.hooks import directory, operator_of

CUSTOMERS_LISTED = 30
ROWS_LOOKED_AT = 2000

PERIODS = {
    "15m": ("Last 15 minutes", dt.timedelta(minutes=15)),
    "1h": ("Last hour", dt.timedelta(hours=1)),
    "24h": ("Last 24 hours", dt.timedelta(hours=24)),
    "7d": ("Last 7 days", dt.timedelta(days=7)),
    "30d": ("Last 30 days", dt.timedelta(days=30)),
}


class CustomerFilter(admin.SimpleListFilter):
    """By customer, for operators who see several; the first ones by name are listed."""

    title = "customer"
    parameter_name = "customer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        operator = operator_of(request)
        if operator is None or operator.customer_id is not None:
            return []
        listed = dict(directory().first_customers(CUSTOMERS_LISTED))
        if (value := self.value()) is not None:
            if (chosen := as_uuid(value)) is None:
                raise IncorrectLookupParameters(f"{value} is not the id of a customer")
            if chosen not in listed:
                listed[chosen] = directory().customer_names([chosen]).get(chosen, value)
        return [(str(customer_id), name) for customer_id, name in listed.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(customer_id=as_uuid(value))


class LinkFilter(admin.SimpleListFilter):
    """By one row of another model; shown only if the link from that row's page has set it."""

    row_model: type[Model]
    field: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if (value := self.value()) is None:
            return []
        if (row_id := as_uuid(value)) is None:
            raise IncorrectLookupParameters(f"{value} is not the id of a {self.title}")
        rows = model_admin.admin_site.get_model_admin(self.row_model).get_queryset(request)
        row = rows.filter(pk=row_id).first()
        return [(value, str(row) if row else "unknown")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(**{self.field: as_uuid(value)})


class InputFilter(admin.ListFilter):
    """With input fields of its own, whose form repeats the list's other parameters."""

    parameters: tuple[str, ...]

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.parameters:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1].replace("\0", "").strip()
        self.other_parameters: list[tuple[str, str]] = []
        self.query_without = ""

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.parameters)

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        left_out = (*self.parameters, PAGE_VAR)
        self.other_parameters = [each for each in changelist.params.items() if each[0] not in left_out]
        self.query_without = changelist.get_query_string(remove=list(self.parameters))
        return iter(())


class TimeFilter(InputFilter):
    """By time: a period up to now, or between two minutes, in UTC."""

    template = "admin/time_filter.html"
    title = "time (UTC)"
    field: str
    parameters = ("period", "from", "until")

    @property
    def start(self) -> str:
        return str(self.used_parameters.get("from", ""))

    @property
    def end(self) -> str:
        return str(self.used_parameters.get("until", ""))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if period := self.used_parameters.get("period"):
            if period not in PERIODS:
                raise IncorrectLookupParameters(f"{period} is not a period")
            queryset = queryset.filter(**{f"{self.field}__gte": timezone.now() - PERIODS[period][1]})
        if self.start:
            queryset = queryset.filter(**{f"{self.field}__gte": _moment(self.start)})
        if self.end:
            queryset = queryset.filter(**{f"{self.field}__lte": _moment(self.end)})
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        yield from super().choices(changelist)
        yield {
            "selected": not self.used_parameters,
            "query_string": self.query_without,
            "display": "Any time",
        }
        for name, (title, _) in PERIODS.items():
            yield {
                "selected": self.used_parameters.get("period") == name,
                "query_string": changelist.get_query_string({"period": name}, list(self.parameters)),
                "display": title,
            }


class TextFilter(InputFilter):
    """By a term that the operator enters; `parameters` has one name."""

    template = "admin/text_filter.html"
    hint = ""

    @property
    def term(self) -> str:
        return str(self.used_parameters.get(self.parameters[0], ""))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(self.found_by(self.term)) if self.term else queryset

    def found_by(self, term: str) -> Q:
        """Return the condition for rows to be listed."""
        raise NotImplementedError


class ValueFilter(admin.SimpleListFilter):
    """By the values of one field, taken from the newest rows: reading all takes too long."""

    field: str

    def values(self, request: HttpRequest, model_admin: Any) -> Iterable[str]:
        """Return the values to list."""
        newest = model_admin.get_queryset(request).order_by(*model_admin.get_ordering(request))
        values: Iterable[str] = newest.values_list(self.field, flat=True)[:ROWS_LOOKED_AT]
        return values

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = [value] if (value := self.value()) else []
        listed = sorted({*self.values(request, model_admin), *chosen}, key=str.lower)
        return [(value, value) for value in listed]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(**{self.field: value.replace("\0", "")})


def _moment(text: str) -> dt.datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise IncorrectLookupParameters(f"{text} is not a time")
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=dt.UTC)
