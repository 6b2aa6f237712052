"""The policies for agents whose desktop was lost, and the rounds that apply them.

A policy replaces the status that an agent chose, on the platform too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import NamedTuple

from events.api.errors import ApiError
from events.database.threads import good_connections, in_database_thread
from events.domain.strict_json import encode
from subscriptions.audit.store import append
from subscriptions.models import (
    NO_CONNECTION,
    Agent,
    AgentPresence,
    AgentStatus,
    AuditAction,
    AuditRecord,
    AuditVerdict,
    PresencePolicy,
)
from subscriptions.platform.agent_status import choose_status
from subscriptions.presence.agent_presence import is_connected, update_presence
from subscriptions.presence.lease_tasks import LeaseTask

logger = logging.getLogger(__name__)

RULE = "presence-policy"
CAUSE = "connection_lost"

_REPLACED: Mapping[str, frozenset[str]] = {
    PresencePolicy.AWAY: frozenset({AgentStatus.AVAILABLE}),
    PresencePolicy.OFFLINE: frozenset({AgentStatus.AVAILABLE, AgentStatus.AWAY}),
}
"""The statuses that each policy replaces."""

_BY_CALLS = frozenset({AgentStatus.BUSY, AgentStatus.RINGING})
"""The statuses that follow from calls: what comes after them is replaced."""


class LostAgent(NamedTuple):
    """An agent whose connection was lost, and the status that its customer's policy chooses."""

    agent: Agent
    chosen: str


def presence_rounds(pause_seconds: float) -> LeaseTask:
    """Return the task that publishes `agent.presence` and applies the policies."""
    return LeaseTask("agent-presence", pause_seconds, _round)


async def _round() -> None:
    await in_database_thread(update_presence)
    for lost in await in_database_thread(lost_agents):
        # The platform may be slow to answer, and the threads of the database are few.
        await asyncio.to_thread(_in_thread, lost)


def _in_thread(lost: LostAgent) -> None:
    with good_connections():
        apply_policy(lost)


def lost_agents() -> list[LostAgent]:
    """Return the lost agents whose status their policy replaces now.

    Those whose status is to stay as it is are forgotten.
    """
    rows = list(AgentPresence.objects.filter(is_lost=True).order_by("absent_since"))
    agents = Agent.objects.select_related("customer").in_bulk([row.pk for row in rows])
    done, found = [], []
    for row in rows:
        agent = agents.get(row.pk)
        replaced = _REPLACED.get(agent.customer.presence_policy, frozenset()) if agent else frozenset()
        if agent and agent.status in replaced:
            found.append(LostAgent(agent, agent.customer.presence_policy))
        elif not agent or not replaced or agent.status not in _BY_CALLS:
            done.append(row.pk)
    AgentPresence.objects.filter(pk__in=done, is_lost=True).delete()
    return found


def apply_policy(lost: LostAgent) -> None:
    """Choose the status of the policy; after a failure the next round tries again."""
    agent, chosen = lost
    if not AgentPresence.objects.filter(~is_connected(), pk=agent.pk, is_lost=True).exists():
        return
    before = agent.status
    try:
        choose_status(agent, chosen, set_by=None, cause=CAUSE)
    except ApiError as error:
        logger.warning(
            "The status of agent %s, whose connection was lost, cannot be set: %s",
            agent.pk,
            error.message,
        )
        return
    if before == agent.status:
        return  # The platform changes it after the call.
    append(
        [
            AuditRecord(
                action=AuditAction.CHANGE,
                verdict=AuditVerdict.GRANTED,
                rule=RULE,
                topic=f"agent:{agent.pk}",
                changes=encode({"status": [before, chosen]}),
                customer_id=agent.customer_id,
                connection_id=NO_CONNECTION,
            )
        ]
    )
