"""The admin's filters: by customer, linked row, time, text, and the values of a field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import Model, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.db.models.lookups import Exact
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.translation import gettext, gettext_lazy

from events.admin.scope import as_uuid
from events.hooks import directory, operator_of

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

CUSTOMERS_LISTED = 30
ROWS_LOOKED_AT = 2000

PERIODS = {
    "15m": (gettext_lazy("Last 15 minutes"), dt.timedelta(minutes=15)),
    "1h": (gettext_lazy("Last hour"), dt.timedelta(hours=1)),
    "24h": (gettext_lazy("Last 24 hours"), dt.timedelta(hours=24)),
    "7d": (gettext_lazy("Last 7 days"), dt.timedelta(days=7)),
    "30d": (gettext_lazy("Last 30 days"), dt.timedelta(days=30)),
}


class CustomerFilter(admin.SimpleListFilter):
    """By customer, for operators who see several; the first ones by name are listed."""

    narrows = True

    title = gettext_lazy("customer")
    parameter_name = "customer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        operator = operator_of(request)
        if operator is None or operator.customer_id is not None:
            return []
        listed = dict(directory().first_customers(CUSTOMERS_LISTED))
        if (value := self.value()) is not None:
            if (chosen := as_uuid(value)) is None:
                raise IncorrectLookupParameters(
                    gettext("{value} is not the id of a customer").format(value=value)
                )
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
            raise IncorrectLookupParameters(gettext("{value} is not such an id").format(value=value))
        rows = model_admin.admin_site.get_model_admin(self.row_model).get_queryset(request)
        row = rows.filter(pk=row_id).first()
        return [(value, str(row) if row else gettext("unknown"))]

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
    title = gettext_lazy("time (UTC)")
    narrows = True
    field: str
    parameters = ("period", "from", "until")

    @property
    def start(self) -> str:
        return str(self.used_parameters.get("from", ""))

    @property
    def end(self) -> str:
        return str(self.used_parameters.get("until", ""))

    @cached_property
    def bounds(self) -> tuple[dt.datetime | None, dt.datetime | None]:
        """The first and the last moment to list.

        Raises:
            IncorrectLookupParameters: One of the parameters is no time or period.
        """
        starts = [_moment(self.start)] if self.start else []
        if period := self.used_parameters.get("period"):
            if period not in PERIODS:
                raise IncorrectLookupParameters
            starts.append(timezone.now() - PERIODS[period][1])
        return max(starts, default=None), _moment(self.end) if self.end else None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        start, end = self.bounds
        if start is not None:
            queryset = queryset.filter(**{f"{self.field}__gte": start})
        if end is not None:
            queryset = queryset.filter(**{f"{self.field}__lte": end})
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        yield from super().choices(changelist)
        yield {
            "selected": not self.used_parameters,
            "query_string": self.query_without,
            "display": gettext("Any time"),
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
    hint: StrOrPromise = ""

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
    is_indexed = False
    """Whether the field has an index in the order of the list."""

    def values(self, request: HttpRequest, model_admin: Any) -> Iterable[str]:
        """Return the values to list."""
        values: Iterable[str] = model_admin.newest_rows(request).values_list(self.field, flat=True)
        return values[:ROWS_LOOKED_AT]  # type: ignore[index,no-any-return]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = [value] if (value := self.value()) else []
        listed = sorted({*self.values(request, model_admin), *chosen}, key=str.lower)
        return [(value, value) for value in listed]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        wanted = value.replace("\0", "")
        if self.is_indexed:
            return queryset.filter(**{self.field: wanted})
        # An expression, for which the database cannot choose an index in another order than the list's.
        as_text = Concat(self.field, Value(""))
        return queryset.filter(Exact(as_text, wanted))


def _moment(text: str) -> dt.datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    # Databases and arithmetic fail at the ends of the calendar.
    if moment is None or not 1900 < moment.year < 9000:
        raise IncorrectLookupParameters
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=dt.UTC)
