"""The REST view of summaries: `/v1.0/summary`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from rest_framework import status
from rest_framework.fields import BooleanField, CharField, IntegerField
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import field, operation, parameter
from events.api.responses import past_errors, reading_errors, visible_to
from events.api.schemas import NOW, OF_CUSTOMER, PAGE_ERRORS, TIME
from events.domain.event import format_timestamp
from events.domain.topics import ANY
from events.domain.visibility import Visible
from events.reading.parameters import Parameters
from events.reading.summaries import build_past, summaries
from events.summary.agent_times import KINDS
from events.summary.customer_summary import Summary
from events.summary.figures import TARGET_NAMES, queue_figures, queue_ids, total_figures
from events.summary.fold import SummaryFold

_PERCENT = {"type": ["number", "null"], "minimum": 0, "maximum": 100}
_SECONDS = {"type": ["number", "null"], "minimum": 0}
_MAYBE_TIME = {**TIME, "type": ["string", "null"]}
_COUNTS = {
    "answered": {"type": "integer"},
    "answered_in_time": {"type": "integer"},
    "abandoned": {"type": "integer"},
    "short_abandoned": {"type": "integer"},
    "service_level": _PERCENT,
    "asa_seconds": _SECONDS,
    "aht_seconds": _SECONDS,
}
_AGENTS = {"type": "object", "properties": {name: {"type": "integer"} for name in KINDS}}
_BUCKET = {
    "type": "object",
    "properties": {
        "at": TIME,
        **_COUNTS,
        "waiting": {"type": "integer"},
        "longest_wait_seconds": {"type": "integer"},
        "talking": {"type": "integer"},
        "available": {"type": "integer"},
    },
    "required": ["at"],
}


class Figures(Serializer[Any]):
    """The figures of a queue or of all: now, in the last hour, and since midnight."""

    waiting = IntegerField(help_text="The callers who wait now.")
    longest_wait_since = field(_MAYBE_TIME, "Since when the first of them has waited.")
    talking = IntegerField(help_text="The callers who talk with an agent now.")
    answered = IntegerField(help_text="Callers who were answered in the last hour.")
    answered_in_time = IntegerField(help_text="Those of them within `targets.target_seconds`.")
    abandoned = IntegerField(help_text="Callers who gave up, without the next.")
    short_abandoned = IntegerField(help_text="Callers who gave up before `targets.short_abandon_seconds`.")
    service_level = field(
        _PERCENT, "`answered_in_time` ÷ (`answered` + `abandoned`) in per cent; `null` without callers."
    )
    asa_seconds = field(_SECONDS, "How long the answered waited, on average (average speed of answer).")
    aht_seconds = field(
        _SECONDS, "How long the calls lasted that were answered and are over (average handle time)."
    )
    occupancy = field(
        _PERCENT, "The agents' busy time ÷ their busy and available time, in the last hour, in per cent."
    )
    targets = field(
        {"type": "object", "properties": {name: {"type": "integer"} for name in TARGET_NAMES}},
        "The targets that apply.",
    )
    is_breached = BooleanField(help_text="Whether the target is missed: after `sla.breached`.")
    breached_since = field(_MAYBE_TIME, "Since when it is missed.")
    today = field({"type": "object", "properties": _COUNTS}, "The same counts since midnight.")
    buckets = field(
        {"type": "array", "items": _BUCKET},
        "Five minutes each since midnight, by the time at which each begins. `waiting`, `longest_wait_seconds`, "
        "`talking` and `available` are those of that time. What is zero or unknown is missing.",
    )


class QueueFigures(Figures):
    """The figures of one queue."""

    queue_id = CharField()
    agents = field(
        _AGENTS,
        "The queue's agents by the kind of their status; only if all agents are visible.",
        required=False,
    )
    name = CharField(allow_null=True, help_text="`null` for a queue that only the platform knows.")


class SummaryOfCustomer(Serializer[Any]):
    """The figures of a customer."""

    cursor = CharField(help_text="Where the figures hold: they count the events up to this one. Opaque.")
    now = NOW
    time_zone = CharField(help_text="The customer's time zone, in which a day begins.")
    total = Figures(allow_null=True, help_text="All queues; `null` for a credential that may not see all.")
    queues = QueueFigures(many=True, help_text="The queues whose events the credential may read.")
    agents = field(
        {**_AGENTS, "type": ["object", "null"]},
        "The agents by the kind of their status; `null` for a credential that may not see all agents.",
    )


class SummaryView(APIView):
    """`/v1.0/summary`."""

    is_for_displays = True

    @operation(
        "getSummary",
        "Reading",
        {200: ("The figures.", SummaryOfCustomer)},
        [
            parameter("at", TIME, "A past moment, instead of now. Write it with `Z`."),
            OF_CUSTOMER,
        ],
        errors=PAGE_ERRORS,
    )
    def get(self, request: Request) -> Response:
        """Read the figures of queues and agents.

        Counted by the gateway from the log: now, in the last hour, and since the customer's midnight. The topics
        `customer_id:<id>:summary:<queue id or all>` send them with each change. With `at`, they are those of a past
        moment, judged by the present targets: `now` is that moment.
        """
        with reading_errors():
            parameters = Parameters(dict(request.query_params.lists()), ("at", "customer_id"))
            customer_id = parameters.uuid("customer_id")
            at = parameters.past_moment("at", timezone.now())
            parameters.finish()
            visible = visible_to(request, customer_id)
        if visible.filter is not None and visible.summary_queues is None:
            raise ApiError(
                status.HTTP_403_FORBIDDEN,
                "Summaries count all events of a queue, and this access key has a filter: use one without",
            )
        with past_errors():
            content = (
                summaries.read(
                    visible.customer_id, lambda summary: content_for(visible, summary, time.time())
                )
                if at is None
                else content_for(visible, build_past(visible.customer_id, at), at.timestamp())
            )
        return Response(content, headers={"Cache-Control": "no-store"})


def content_for(visible: Visible, summary: Summary, now: float) -> Mapping[str, Any]:
    """Return what a client may see of a customer's summary, as JSON.

    `now` is the time of the figures, in seconds since 1970.
    """
    fold = summary.fold
    profile = fold.profile
    total = total_figures(fold, now)
    agents = total.pop("agents")
    if not (
        sees_agents := visible.counts_agents or (visible.is_whole("agent") and visible.summary_queues is None)
    ):
        for bucket in total["buckets"]:
            bucket.pop("available", None)
    wanted = [
        each
        for each in queue_ids(fold)
        if visible.shows_summary(each, profile.queues[each].agent_ids if each in profile.queues else ())
    ]
    return {
        "cursor": str(summary.position),
        "now": format_timestamp(datetime.fromtimestamp(now, UTC)),
        "time_zone": str(profile.time_zone),
        "total": total if visible.shows_summary(ANY) else None,
        "queues": [_queue(fold, each, now, sees_agents=sees_agents) for each in wanted],
        # A display of some queues counts their agents only.
        "agents": agents
        if sees_agents and (not visible.counts_agents or visible.shows_summary(ANY))
        else None,
    }


def _queue(fold: SummaryFold, queue_id: str, now: float, *, sees_agents: bool) -> dict[str, Any]:
    figures = queue_figures(fold, queue_id, now)
    return figures if sees_agents else {name: value for name, value in figures.items() if name != "agents"}
