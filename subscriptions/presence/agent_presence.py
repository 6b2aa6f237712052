"""The presence of agents: whether a connection with a token of their own is open.

Connections at all processes count. A loss counts after the customer's grace period, so that a reconnect causes no
event. One process at a time carries the rounds out; the row of an agent changes in the transaction that stores its
event, so that each change is published once.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from events.domain.event import Draft, format_timestamp
from events.domain.event_parser import read_event
from events.log.publish import publish
from subscriptions.models import (
    Agent,
    AgentPresence,
    AgentRole,
    Customer,
    LiveConnection,
)
from subscriptions.presence.registry import live

logger = logging.getLogger(__name__)

MOST_CHANGES = 500
"""The most events of one round: the next one follows soon."""


class _Superseded(Exception):
    """The agent's row or connections have changed since the round found them."""


class _Appeared(NamedTuple):
    agent_id: uuid.UUID
    customer_id: uuid.UUID
    since: datetime


def update_presence() -> None:
    """Publish which agents are connected now, and which have been lost."""
    _note_absences()
    _forget_short_absences()
    for appeared in _appeared():
        publish_presence(appeared.agent_id, connected=True, since=appeared.since)
    for row in _lost():
        assert row.absent_since is not None  # noqa: S101
        publish_presence(row.agent_id, connected=False, since=row.absent_since)


def connections_of_agents() -> QuerySet[LiveConnection]:
    """Return the open connections with tokens of agents, not with access keys."""
    return live(LiveConnection.objects.filter(agent_id__isnull=False, key_id=None)).order_by()


def is_connected() -> Exists:
    """Return the condition that the agent of a row is connected."""
    return Exists(connections_of_agents().filter(agent_id=OuterRef("agent_id")))


def _note_absences() -> None:
    gone = AgentPresence.objects.filter(~is_connected(), absent_since=None)
    AgentPresence.objects.filter(pk__in=list(gone.values_list("pk", flat=True)), absent_since=None).update(
        absent_since=Now()
    )


def _forget_short_absences() -> None:
    back = AgentPresence.objects.filter(is_connected(), absent_since__isnull=False, is_lost=False)
    AgentPresence.objects.filter(pk__in=list(back.values_list("pk", flat=True)), is_lost=False).update(
        absent_since=None
    )


def _appeared() -> list[_Appeared]:
    """Return the agents who are connected without having been published so."""
    present = AgentPresence.objects.filter(agent_id=OuterRef("agent_id"), is_lost=False)
    found = (
        connections_of_agents()
        .filter(~Exists(present))
        .values("agent_id", "customer_id")
        .annotate(since=Min("opened_at"))
    )
    rows = {each["agent_id"]: each for each in found[:MOST_CHANGES] if each["agent_id"] is not None}
    # Managers and admins who only look are not at a desk.
    at_desks = Agent.objects.filter(Q(role=AgentRole.AGENT) | Q(queues__isnull=False), pk__in=rows)
    return [
        _Appeared(pk, customer_id, rows[pk]["since"])
        for pk, customer_id in at_desks.distinct().order_by().values_list("pk", "customer_id")
        if customer_id == rows[pk]["customer_id"]
    ]


def _lost() -> list[AgentPresence]:
    """Return the agents who have been absent for longer than the grace period."""
    absent = AgentPresence.objects.filter(absent_since__isnull=False, is_lost=False).annotate(now=Now())
    rows = list(absent.order_by("absent_since")[:MOST_CHANGES])
    graces = dict(
        Customer.objects.filter(pk__in={row.customer_id for row in rows}).values_list(
            "pk", "presence_grace_seconds"
        )
    )
    return [
        row
        for row in rows
        if row.absent_since is not None
        and row.now - row.absent_since >= timedelta(seconds=graces.get(row.customer_id, 0))
    ]


def publish_presence(agent_id: uuid.UUID, *, connected: bool, since: datetime) -> None:
    """Publish that an agent is connected or lost, unless this is no longer so, or published."""
    agent = Agent.objects.select_related("customer").filter(pk=agent_id).first()
    if agent is None:
        AgentPresence.objects.filter(pk=agent_id).delete()
        return
    try:
        publish(
            [_draft(agent, connected=connected, since=since)],
            check=lambda: _store(agent, connected=connected, since=since),
        )
    except _Superseded:
        logger.debug("The presence of %s has changed meanwhile", agent_id)


def _store(agent: Agent, *, connected: bool, since: datetime) -> None:
    """Change the row of the agent, in the transaction of the event.

    Raises:
        _Superseded: Another process has published the change, or the connections have changed.
    """
    rows = AgentPresence.objects.filter(pk=agent.pk)
    if connected:
        if rows.filter(is_lost=False).exists():
            raise _Superseded
        rows.delete()
        AgentPresence.objects.create(agent_id=agent.pk, customer_id=agent.customer_id, since=since)
    # Not the same moment: SQLite compares texts, and its own clock has milliseconds.
    elif not rows.filter(~is_connected(), absent_since__lte=since, is_lost=False).update(is_lost=True):
        raise _Superseded


def _draft(agent: Agent, *, connected: bool, since: datetime) -> Draft:
    data = {
        "id": str(agent.pk),
        "agent_id": str(agent.pk),
        "customer_id": str(agent.customer_id),
        "name": agent.name,
        "connected": connected,
        "since": format_timestamp(since),
    }
    return read_event(
        {
            "event_type": "agent.presence",
            "data": data,
            "idempotency_key": f"presence:{agent.pk}:{connected}:{format_timestamp(since)}",
        },
        customer_id=str(agent.customer_id),
        resources={"agent"},
        max_bytes=2**16,
    )
