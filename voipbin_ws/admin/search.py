"""The admin's one search: the first rows that each list finds for a text.

Each list searches as its own page does, within the same bounds and for the same operator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.sites import AdminSite
from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import localize
from django.utils.text import capfirst
from django.utils.translation import gettext

from events.admin.scope import RefusedQuery, require_short_search
from events.models import Event, ResourceState
from events.quantities import moment_text
from subscriptions.admin.calls.call_page import address_of_call, call_of
from subscriptions.models import AccessKey, Agent, AuditRecord, Customer, LiveConnection, Queue

MODELS = (Customer, Agent, Queue, AccessKey, ResourceState, Event, LiveConnection, AuditRecord)
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Found:
    """One result: its name, what is known of it, and its page."""

    name: str
    note: str
    url: str


@dataclass(slots=True)
class Group:
    """The results of one kind; `more` is the address of the list with all of them, or ""."""

    title: str
    results: list[Found] = field(default_factory=list)
    more: str = ""
    note: str = ""


def search_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show what the query finds."""
    if set(request.GET) - {SEARCH_VAR}:
        raise RefusedQuery(gettext("The search has only the parameter q"))
    query = request.GET.get(SEARCH_VAR, "").replace("\0", " ").strip()
    require_short_search(query)
    context = {
        **site.each_context(request),
        "title": gettext("Search"),
        "query": query,
        "groups": _groups(request, site) if query else [],
    }
    return TemplateResponse(request, "admin/search.html", context)


def _groups(request: HttpRequest, site: AdminSite) -> list[Group]:
    groups: list[Group] = []
    calls: dict[tuple[str, str], Found] = {}
    for model in MODELS:
        pages = site.get_model_admin(model)
        if not pages.has_view_permission(request):
            continue
        found = pages.get_changelist_instance(request)
        group = Group(pages_title(pages))
        for row in found.result_list:
            if (call := _call(row)) is not None:
                calls.setdefault((call.name, call.note), call)
            if len(group.results) < SHOWN:
                group.results.append(_result(row))
        if len(found.result_list) > SHOWN:
            group.more = f"{_list_of(model)}?{urlencode({SEARCH_VAR: request.GET[SEARCH_VAR]})}"
        if searched := getattr(found, "searched", None):
            group.note = gettext("Only the newest {count} were searched.").format(count=localize(searched))
        if group.results:
            groups.append(group)
    if calls:
        groups.insert(0, Group(gettext("Calls"), list(calls.values())[:SHOWN]))
    return groups


def pages_title(pages: Any) -> str:
    """Return the title of a list, as its page has it."""
    return str(capfirst(pages.opts.verbose_name_plural))


def _list_of(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _call(row: Any) -> Found | None:
    """Return the call that a state or event is about."""
    if not isinstance(row, Event | ResourceState):
        return None
    call_id = row.member_id if isinstance(row, ResourceState) and row.member_id else ""
    call_id = call_id or call_of(row.resource, row.resource_id, row.body)
    if not call_id:
        return None
    return Found(call_id, getattr(row, "customer_name", ""), address_of_call(row.customer_id, call_id))


def _result(row: Any) -> Found:
    match row:
        case Event():
            name, note = row.event_type, f"{row.resource_id} · {moment_text(row.stored_at)}"
        case ResourceState():
            state = gettext("live") if row.live else gettext("ended")
            name, note = f"{row.resource} {row.resource_id}", f"{state} · {row.event_type}"
        case Agent():
            name, note = row.name, f"{row.get_role_display()} · {row.user.get_username()} · {row.customer}"
        case Queue():
            name, note = row.name, str(row.customer)
        case AccessKey():
            name, note = f"{row.label} ({row.prefix}…)", str(row.customer)
        case AuditRecord():
            name, note = (
                f"{row.get_action_display()} {row.topic}",
                f"{row.credential} · {moment_text(row.at)}",
            )
        case LiveConnection():
            name, note = row.credential, f"{row.address} · {moment_text(row.opened_at)}"
        case _:
            name, note = str(row), str(row.pk)
    return Found(
        name, note, reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    )
