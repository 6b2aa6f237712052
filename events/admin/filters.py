"""The admin's filters: by customer, by time to the minute, and by the values that occurred lately."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import Q, QuerySet
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
    """By customer, for those who see several; the first by name are listed, the others are found by the search."""

    title = "customer"
    parameter_name = "customer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        operator = operator_of(request)
        if operator is None or operator.customer_id is not None:
            return []
        listed = dict(directory().first_customers(CUSTOMERS_LISTED))
        if (value := self.value()) is not None:
            if (chosen := as_uuid(value)) is None:
                raise IncorrectLookupParameters(f"{value} is no customer's id")
            if chosen not in listed:
                listed[chosen] = directory().customer_names([chosen]).get(chosen, value)
        return [(str(customer_id), name) for customer_id, name in listed.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(customer_id=as_uuid(value))


class FormFilter(admin.ListFilter):
    """A filter whose values are typed into a form, which keeps the list's other parameters."""

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.expected_parameters():
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1].replace("\0", "").strip()
        self.other_parameters: list[tuple[str, str]] = []
        self.without = ""

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        left_out = (*self.expected_parameters(), PAGE_VAR)
        self.other_parameters = [each for each in changelist.params.items() if each[0] not in left_out]
        self.without = changelist.get_query_string(remove=self.expected_parameters())
        return iter(())


class TimeFilter(FormFilter):
    """By time: a period up to now, or from one minute to another, in UTC."""

    template = "admin/time_filter.html"
    title = "time (UTC)"
    field: str

    def expected_parameters(self) -> list[str]:
        return ["period", "from", "until"]

    @property
    def start(self) -> str:
        return self.used_parameters.get("from", "")

    @property
    def end(self) -> str:
        return self.used_parameters.get("until", "")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if period := self.used_parameters.get("period"):
            if period not in PERIODS:
                raise IncorrectLookupParameters(f"{period} is no period")
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
            "query_string": self.without,
            "display": "Any time",
        }
        for name, (words, _) in PERIODS.items():
            yield {
                "selected": self.used_parameters.get("period") == name,
                "query_string": changelist.get_query_string({"period": name}, self.expected_parameters()),
                "display": words,
            }


class WordFilter(FormFilter):
    """By a word that is typed in."""

    template = "admin/word_filter.html"
    parameter_name: str
    hint = ""

    def expected_parameters(self) -> list[str]:
        return [self.parameter_name]

    @property
    def word(self) -> str:
        return self.used_parameters.get(self.parameter_name, "")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(self.found_by(self.word)) if self.word else queryset

    def found_by(self, word: str) -> Q:
        """What a row has to be to be shown."""
        raise NotImplementedError


class LateValuesFilter(admin.SimpleListFilter):
    """By the values of one field that occur among the newest rows: asking all rows of a large table takes too long."""

    field: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = model_admin.get_queryset(request).order_by(*model_admin.get_ordering(request))
        values = newest.values_list(self.field, flat=True)[:ROWS_LOOKED_AT]
        return [(value, value) for value in sorted({*values, *self._chosen()})]

    def _chosen(self) -> Iterable[str]:
        return [value] if (value := self.value()) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(**{self.field: value.replace("\0", "")})


def _moment(text: str) -> dt.datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise IncorrectLookupParameters(f"{text} is no time")
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=dt.UTC)
