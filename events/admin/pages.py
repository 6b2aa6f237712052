"""Admin pages of events, resource states and logs, which are read-only."""

# Long because the pages of three models share their columns.

from __future__ import annotations

import json
import uuid
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from events.admin.filters import CustomerFilter, TimeFilter, ValueFilter
from events.admin.records import RecordAdmin, customer_of, is_number
from events.admin.scope import as_uuid, pill
from events.database.stored_times import CLOCK_DIFFERENCE, first_number
from events.domain.cursor import Position
from events.domain.event import topics_of
from events.domain.phone_number import canonical_number
from events.domain.strict_json import encode
from events.domain.topics import known_resources
from events.hooks import directory, operator_of
from events.models import CustomerLog, Event, ResourceState, split_agents

MAX_AGENTS = 5
"""Agents of the same name whose rows a search finds."""

MAX_LOGS = 100
"""Logs in which a search looks for the id of a resource; with more, it needs the filter by customer."""


class StoredFilter(TimeFilter):
    field = "stored_at"
    title = gettext_lazy("time stored (UTC)")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if (customer_id := customer_of(request)) is None:
            return super().queryset(request, queryset)
        # Numbers have an index for each customer, times have not: PostgreSQL chose that of all customers' times. So the
        # exact times are those of an expression.
        queryset = queryset.alias(stored=Coalesce("stored_at", "timestamp"))
        start, end = self.bounds
        if start is not None:
            first = first_number(customer_id, start - CLOCK_DIFFERENCE)
            queryset = queryset.filter(seq__gte=first, stored__gte=start)
        if end is not None:
            last = first_number(customer_id, end + CLOCK_DIFFERENCE)
            queryset = queryset.filter(seq__lt=last, stored__lte=end)
        return queryset


class ResourceFilter(ValueFilter):
    field = parameter_name = "resource"
    title = gettext_lazy("resource")


class TypeFilter(ValueFilter):
    field = parameter_name = "event_type"
    title = gettext_lazy("type")


class DataAdmin(RecordAdmin):
    """Pages of records with the data of an event and the agents that it concerns."""

    number_fields: tuple[str, ...] = ("body",)
    """Fields with telephone numbers in E.164."""

    def found_by(self, term: str) -> Q:
        """Return the condition for rows with a term.

        It is a text of the data, a number in any spelling, or the name or id of an agent.
        """
        found = super().found_by(term)
        for text in {term, encode(term)[1:-1]}:
            found |= Q(body__icontains=text)
        for number in _spellings(term):
            for field in self.number_fields:
                found |= Q(**{f"{field}__contains": f'"{number}"'})
        wanted = as_uuid(term)
        agents = [wanted] if wanted is not None else directory().agents_named(term)[:MAX_AGENTS]
        for agent_id in agents:
            found |= Q(agent_ids__contains=str(agent_id))
        return found

    def exact_matches(self, request: HttpRequest, term: str) -> list[Q]:
        customer_id = customer_of(request)
        customers: list[uuid.UUID] = [customer_id] if customer_id else []
        if customer_id is None:
            customers = list(CustomerLog.objects.values_list("pk", flat=True)[: MAX_LOGS + 1])
        if len(customers) > MAX_LOGS:
            return super().exact_matches(request, term)
        known = known_resources(settings.EVENTS_EXTRA_RESOURCES)
        of_resource = Q(customer_id__in=customers, resource__in=known, resource_id=term)
        return [*super().exact_matches(request, term), of_resource]

    @admin.display(description=gettext_lazy("agents"))
    def agents(self, row: Event | ResourceState) -> SafeString | str:
        """Return links to the agents that the row concerns; strangers are shown without a name."""
        ids = [agent_id for text in split_agents(row.agent_ids) if (agent_id := as_uuid(text)) is not None]
        names = directory().agent_names(ids)
        shown = [
            format_html(
                '<a href="{}">{}</a>', directory().agent_url(agent_id), names[row.customer_id, agent_id]
            )
            if (row.customer_id, agent_id) in names
            else format_html("<code>{}</code>", agent_id)
            for agent_id in ids
        ]
        return format_html_join("", "{}<br>", ((each,) for each in shown)) if shown else "–"

    @admin.display(description=gettext_lazy("data"))
    def data(self, row: Event | ResourceState) -> SafeString:
        try:
            shown = json.dumps(json.loads(row.body), indent=2, ensure_ascii=False)
        except ValueError:
            shown = row.body
        return format_html('<pre class="json">{}</pre>', shown)


@admin.register(Event)
class EventAdmin(DataAdmin):
    change_form_template = "admin/events/event/record.html"
    list_display = ["stored_at", "customer", "event_type", "resource_id", "seq"]
    list_filter = [CustomerFilter, StoredFilter, ResourceFilter, TypeFilter]
    search_fields = ["resource_id"]
    search_help_text = gettext_lazy(
        "Telephone number in any spelling, name, text or id; event type, customer or agent"
    )
    empty_text = gettext_lazy(
        "They come from a platform that publishes with an access key: the documentation shows how."
    )
    number_fields = ("tags", "body")
    exact_fields = ["id", "customer_id"]
    part_fields = ["event_type", "resource_id"]
    fields = [
        "event_type",
        "customer",
        "resource",
        "resource_id",
        "timestamp",
        "stored_at",
        "id",
        "cursor",
        "topics",
        "agents",
        "data",
        "idempotency_key",
    ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        operator, event = operator_of(request), kwargs["obj"]
        # Who sees no numbers may search for no digits but those of a UUID.
        is_searchable = operator is None or not operator.masks_numbers or as_uuid(event.resource_id)
        return super().render_change_form(
            request, {**context, "is_searchable": bool(is_searchable)}, *args, **kwargs
        )

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        # Each of the two orders has an index.
        return ["-stored_at", "-seq"] if customer_of(request) is None else ["-seq"]

    @admin.display(description=gettext_lazy("cursor"))
    def cursor(self, event: Event) -> str:
        epoch = CustomerLog.objects.filter(pk=event.customer_id).values_list("epoch", flat=True).first()
        return (
            str(Position(epoch, event.seq))
            if epoch
            else gettext("number {number} of a log that was deleted").format(number=localize(event.seq))
        )

    @admin.display(description=gettext_lazy("topics"))
    def topics(self, event: Event) -> SafeString:
        topics = topics_of(
            str(event.customer_id), event.resource, event.resource_id, split_agents(event.agent_ids)
        )
        return format_html_join("", "<code>{}</code><br>", ((topic,) for topic in topics))


def _spellings(term: str) -> set[str]:
    """Return the number in E.164, as each region in use understands it."""
    if not is_number(term):
        return set()
    return {canonical_number(term, region) for region in ("", *directory().regions())}


class LiveFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", gettext("Live")), ("no", gettext("Ended"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(live=self.value() == "yes") if self.value() in ("yes", "no") else queryset


@admin.register(ResourceState)
class ResourceStateAdmin(DataAdmin):
    list_display = [
        "resource",
        "resource_id",
        "place_of",
        "customer",
        "life",
        "event_type",
        "updated_at",
    ]
    empty_text = gettext_lazy("They follow from the events that are published.")
    list_filter = [CustomerFilter, LiveFilter, ResourceFilter]
    search_fields = ["resource_id"]
    search_help_text = gettext_lazy("Telephone number in any spelling, name, text or id; customer or agent")
    ordering = ["-pk"]
    exact_fields = ["customer_id"]
    part_fields = ["resource_id", "member_id"]
    fields = [
        "resource",
        "resource_id",
        "place_of",
        "customer",
        "life",
        "event_type",
        "seq",
        "since",
        "updated_at",
        "agents",
        "data",
    ]

    def has_index(self, spec: Any) -> bool:
        # Few are live, and those have an index of their own.
        return isinstance(spec, LiveFilter) and spec.value() == "yes"

    @admin.display(description=gettext_lazy("call in it"))
    def place_of(self, state: ResourceState) -> str:
        return state.member_id or "–"

    @admin.display(description=gettext_lazy("state"))
    def life(self, state: ResourceState) -> SafeString:
        return pill(gettext("live"), "good") if state.live else pill(gettext("ended"), "quiet")


@admin.register(CustomerLog)
class CustomerLogAdmin(RecordAdmin):
    list_display = ["customer_id", "customer", "log_epoch", "last_seq", "pruned"]
    empty_text = gettext_lazy("A customer gets one with its first event.")
    list_display_links = ["customer_id"]
    list_filter = [CustomerFilter]
    search_fields = ["epoch"]
    search_help_text = gettext_lazy("Name or id of a customer, or epoch")
    ordering = ["pk"]
    exact_fields = ["customer_id"]
    part_fields = ["epoch"]
    fields = ["customer", "customer_id", "log_epoch", "last_seq", "pruned"]

    @admin.display(description=gettext_lazy("id of the log (epoch)"))
    def log_epoch(self, log: CustomerLog) -> str:
        return log.epoch

    @admin.display(description=gettext_lazy("pruned up to number"))
    def pruned(self, log: CustomerLog) -> int:
        return log.floor
