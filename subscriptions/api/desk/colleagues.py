"""To whom calls can be transferred, and what an agent did today."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import READING_ERRORS, operation
from events.api.responses import with_now
from events.api.schemas import OF_CUSTOMER
from events.domain.event import format_timestamp, parse_timestamp
from events.domain.state import State
from events.log.state_fold import state_of
from events.models import ResourceState, split_agents
from subscriptions.api.acting import actor_of, visible_customer
from subscriptions.api.agent_status import agent_for
from subscriptions.api.desk import schemas
from subscriptions.api.desk.calls import duration_of
from subscriptions.api.schemas import AGENT_ID
from subscriptions.models import Agent, AgentRole, Queue
from subscriptions.protocol.permissions import Identity

ROWS_AT_ONCE = 1000
MAX_ROWS = 50_000
"""The most calls of a customer that are looked through for an agent's day."""


class TransferTargetsView(APIView):
    """List to whom calls can be transferred.

    The customer's active agents with their statuses, and its queues. Credentials that may transfer calls may read this:
    an agent sees the names of its colleagues here, and nothing else of them.
    """

    @operation(
        "listTransferTargets",
        "Acting",
        {200: ("The targets.", schemas.TRANSFER_TARGETS)},
        [OF_CUSTOMER],
        errors=READING_ERRORS,
    )
    def get(self, request: Request) -> Response:
        identity = actor_of(request)
        visible = visible_customer(request)
        if visible.allowed is not None and not visible.is_whole("agent"):
            raise ApiError(
                status.HTTP_403_FORBIDDEN,
                "This access key is limited to topics, without those of agents",
            )
        customer_id = visible.customer_id
        agents = Agent.objects.filter(customer_id=customer_id, is_active=True, role=AgentRole.AGENT)
        content = {
            "agents": [
                {"id": str(agent.pk), "name": agent.name, "status": agent.status}
                for agent in agents.order_by("name", "pk")
                if str(agent.pk) != identity.agent_id
            ],
            "queues": [
                {"id": str(queue.pk), "name": queue.name}
                for queue in Queue.objects.filter(customer_id=customer_id).order_by("name", "pk")
            ],
        }
        return Response(with_now(content), headers={"Cache-Control": "no-store"})


class AgentDayView(APIView):
    """Read what an agent did today.

    The calls that ended or went elsewhere since midnight in the customer's time zone.
    """

    @operation(
        "getAgentDay",
        "Reading",
        {200: ("The figures.", schemas.DAY)},
        [AGENT_ID],
        errors=("PERMISSION_DENIED", "NOT_FOUND"),
    )
    def get(self, request: Request, agent_id: str) -> Response:
        agent = agent_for(cast(Identity, request.user), agent_id)
        midnight = _midnight(agent)
        handled = missed = seconds = 0
        for state in _calls_since(agent, midnight):
            phase, at = state.agents.get(str(agent.pk), ("", ""))
            if phase in ("ended", "left") and parse_timestamp(at) >= midnight:
                handled += 1
                seconds += duration_of(state) or 0
            elif phase in ("missed", "abandoned") and parse_timestamp(at) >= midnight:
                missed += 1
        content = {
            "agent_id": str(agent.pk),
            "since": format_timestamp(midnight),
            "handled": handled,
            "missed": missed,
            "talk_seconds": seconds,
        }
        return Response(with_now(content), headers={"Cache-Control": "no-store"})


def _midnight(agent: Agent) -> datetime:
    zone = ZoneInfo(agent.customer.time_zone)
    return timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _calls_since(agent: Agent, midnight: datetime) -> list[State]:
    """Return the states of the agent's calls that began since, or just before.

    They are found along the order in which calls began, which an index has.
    """
    rows: Any = ResourceState.objects.filter(customer_id=agent.customer_id, resource="call")
    found: list[int] = []
    place = None
    for _ in range(MAX_ROWS // ROWS_AT_ONCE):
        left = rows if place is None else rows.filter(pk__lt=place)
        part = list(left.order_by("-pk").values_list("pk", "updated_at", "agent_ids")[:ROWS_AT_ONCE])
        own = str(agent.pk)
        found += [pk for pk, at, agents in part if at >= midnight and own in split_agents(agents)]
        if len(part) < ROWS_AT_ONCE or all(at < midnight for _, at, _ in part):
            break
        place = part[-1][0]
    return [
        state_of(row)
        for first in range(0, len(found), ROWS_AT_ONCE)
        for row in rows.filter(pk__in=found[first : first + ROWS_AT_ONCE])
    ]
