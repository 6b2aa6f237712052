"""The admin page of one call: all its events, and who received each of them."""

# Long because the page of a call is read as a whole, from its events to their recipients.

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import Max, Min, Q, QuerySet, Value
from django.db.models.functions import StrIndex
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from events.admin.scope import RefusedQuery, as_uuid
from events.domain.strict_json import encode
from events.hooks import directory, operator_of
from events.models import Event, ResourceState, split_agents
from events.quantities import moment_text
from subscriptions.admin.audit.explain_page import address_of_explain
from subscriptions.admin.audit.sentences import conclusion_of
from subscriptions.explain.evidence import explain, subject_of_agent, subject_of_key
from subscriptions.explain.lookup import stored
from subscriptions.explain.report import Outcome
from subscriptions.models import AccessKey, Agent, AgentRole, Customer

ADDRESS = "admin:events_resourcestate_call"
MAX_EVENTS = 500
MAX_AGENTS = 8
MAX_KEYS = 6
"""Receivers for whom the delivery of an event is explained at once."""

NUMBERS_AROUND = 1000
"""Numbers of the log before and after a call's own events in which others can name it."""

MAX_NUMBERS = 100_000
"""Numbers of the log that are searched: a long call in a busy log has more around it."""

_OUTCOMES = {
    Outcome.YES: (gettext_lazy("delivered"), "good"),
    Outcome.NO: (gettext_lazy("not delivered"), "bad"),
    Outcome.UNKNOWN: (gettext_lazy("not known"), "warn"),
    Outcome.SKIPPED: (gettext_lazy("not delivered"), "quiet"),
}
_SAID = ("status", "direction", "reason", "hangup_reason", "queue_name", "agent_name", "disposition", "note")
"""Fields of the data that tell in a line what has happened."""


@dataclass(frozen=True, slots=True)
class Line:
    """One event of the timeline. `seconds` are since the first event."""

    event: Event
    seconds: float
    said: str
    agents: list[tuple[str, str]]
    """The names of the agents whom it concerns, and the address that explains its delivery to each."""
    is_chosen: bool
    url: str
    recipients_url: str


def address_of_call(customer_id: object, call_id: str, event_id: object = None) -> str:
    """Return the URL of a call's page, with the recipients of one event."""
    query = {"customer": str(customer_id), "call": call_id, **({"event": str(event_id)} if event_id else {})}
    return f"{reverse(ADDRESS)}?{urlencode(query)}"


def call_of(resource: str, resource_id: str, body: str) -> str:
    """Return the call that an event or a state is about, or ""."""
    if resource == "call":
        return resource_id
    try:
        call_id = json.loads(body).get("call_id")
    except (ValueError, AttributeError):
        return ""
    return call_id if isinstance(call_id, str) else ""


def call_page(request: HttpRequest, states: Any) -> HttpResponse:
    """Show the call that the query names. `states` is the admin of resource states."""
    operator = operator_of(request)
    if operator is None or not states.has_view_permission(request):
        raise PermissionDenied
    customer_id, call_id = as_uuid(request.GET.get("customer", "")), request.GET.get("call", "")
    if customer_id is None or not call_id or len(call_id) > 128 or "\0" in call_id:
        raise RefusedQuery("Name a call: ?customer=<its customer's id>&call=<its id>")
    if not operator.sees(customer_id):
        raise Http404
    events, is_cut = _events_of(customer_id, call_id)
    if not events:
        raise Http404
    chosen = as_uuid(request.GET.get("event", ""))
    lines = _timeline(events, call_id, chosen)
    state = ResourceState.objects.filter(
        customer_id=customer_id, resource="call", resource_id=call_id
    ).first()
    event = next((line.event for line in lines if line.is_chosen), None)
    context = {
        **states.admin_site.each_context(request),
        "opts": states.opts,
        "title": gettext("Call"),
        "call_id": call_id,
        "facts": _facts(state, customer_id, events),
        "state": state,
        "lines": lines,
        "is_cut": is_cut,
        "event": event,
        "recipients": _recipients(event) if event else [],
        "media": states.media,
    }
    return TemplateResponse(request, "admin/events/resourcestate/call.html", context)


def _events_of(customer_id: uuid.UUID, call_id: str) -> tuple[list[Event], bool]:
    """Return the call's events, oldest first, and whether some are left out.

    They include those of other resources that name the call.
    """
    of_customer = Event.objects.filter(customer_id=customer_id)
    own = of_customer.filter(resource="call", resource_id=call_id)
    ends = own.aggregate(first=Min("seq"), last=Max("seq"))
    if ends["first"] is None:
        return [], False
    first, last = ends["first"] - NUMBERS_AROUND, ends["last"] + NUMBERS_AROUND
    is_long = last - first > MAX_NUMBERS
    named = StrIndex("body", Value(f'_id": {encode(call_id)}'))
    around: QuerySet[Event] = of_customer.filter(seq__gte=first, seq__lte=min(last, first + MAX_NUMBERS))
    others = around.alias(named=named).filter(~Q(resource="call"), named__gt=0)
    rows = [*own.order_by("seq")[: MAX_EVENTS + 1], *others.order_by("seq")[: MAX_EVENTS + 1]]
    rows.sort(key=lambda event: event.seq)
    return rows[:MAX_EVENTS], is_long or len(rows) > MAX_EVENTS


def _timeline(events: list[Event], call_id: str, chosen: uuid.UUID | None) -> list[Line]:
    ids = {
        agent_id for event in events for agent_id in map(as_uuid, split_agents(event.agent_ids)) if agent_id
    }
    names = directory().agent_names(ids)
    known = Agent.objects.in_bulk([agent_id for _, agent_id in names])
    begin = min(event.timestamp for event in events)
    lines = []
    for event in events:
        agents = [
            (name, address_of_explain(known[agent_id], str(event.pk)))
            for agent_id in map(as_uuid, split_agents(event.agent_ids))
            if agent_id and agent_id in known and (name := names.get((event.customer_id, agent_id)))
        ]
        lines.append(
            Line(
                event=event,
                seconds=(event.timestamp - begin).total_seconds(),
                said=_said(event.body),
                agents=agents,
                is_chosen=event.pk == chosen,
                url=reverse("admin:events_event_change", args=[event.pk]),
                recipients_url=address_of_call(event.customer_id, call_id, event.pk),
            )
        )
    return lines


def _data(body: str) -> Mapping[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _said(body: str) -> str:
    """Return what the data tells in a line."""
    data = _data(body)
    return ", ".join(
        value[:80] for name in _SAID if isinstance(value := data.get(name), str) and value.strip()
    )


def _facts(
    state: ResourceState | None, customer_id: uuid.UUID, events: list[Event]
) -> list[tuple[str, object]]:
    data = _data(state.body if state else events[-1].body)
    customer = Customer.objects.filter(pk=customer_id).first()
    begin, end = events[0].timestamp, events[-1].timestamp
    return [
        (gettext("Customer"), customer or customer_id),
        (gettext("From"), _party(data.get("source"))),
        (gettext("To"), _party(data.get("destination"))),
        (gettext("Direction"), data.get("direction") or gettext("not known")),
        (gettext("State"), gettext("live") if state and state.live else gettext("ended")),
        (gettext("Began"), moment_text(begin)),
        (
            gettext("Last event"),
            gettext("{time}, after {duration}").format(
                time=moment_text(end), duration=_duration((end - begin).total_seconds())
            ),
        ),
    ]


def _party(address: object) -> str:
    if not isinstance(address, dict):
        return str(address or gettext("not known"))
    name, target = address.get("target_name") or "", address.get("target") or ""
    return " ".join(filter(None, (str(name), str(target)))) or gettext("not known")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _recipients(event: Event) -> list[Mapping[str, Any]]:
    """Explain the delivery of an event to those who could receive it."""
    found = stored(event)
    shown: list[Mapping[str, Any]] = []
    for receiver in _receivers(event):
        subject = subject_of_agent(receiver) if isinstance(receiver, Agent) else subject_of_key(receiver)
        explanation = explain(subject, found)
        label, kind = _OUTCOMES[explanation.outcome]
        shown.append(
            {
                "name": receiver.name if isinstance(receiver, Agent) else receiver.label,
                "sort": receiver.get_role_display() if isinstance(receiver, Agent) else gettext("Access key"),
                "label": label,
                "kind": kind,
                "reason": conclusion_of(explanation),
                "url": address_of_explain(receiver, str(event.pk)),
            }
        )
    return shown


def _receivers(event: Event) -> Iterable[Agent | AccessKey]:
    """Return the agents whom the event concerns, managers, and keys that may subscribe."""
    concerned = [agent_id for agent_id in map(as_uuid, split_agents(event.agent_ids)) if agent_id]
    agents = Agent.objects.select_related("customer", "user").filter(customer_id=event.customer_id)
    own = agents.filter(Q(pk__in=concerned) | Q(role__in=[AgentRole.MANAGER, AgentRole.ADMIN]))
    keys = AccessKey.objects.select_related("customer", "agent").filter(
        customer_id=event.customer_id, may_subscribe=True, revoked_at=None
    )
    # Those whom it concerns come first.
    ordered = sorted(own[:MAX_AGENTS], key=lambda agent: (agent.pk not in concerned, agent.name))
    found: list[Agent | AccessKey] = [*ordered, *keys.exclude(agent__role=AgentRole.STAFF)[:MAX_KEYS]]
    return found
