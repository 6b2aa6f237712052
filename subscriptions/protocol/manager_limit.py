"""The limit of a manager to some queues and teams of its customer."""

from __future__ import annotations

from dataclasses import dataclass

from events.domain.topics import AGENT_SCOPE, ANY, SUMMARY_RESOURCE, Pattern

BEYOND_LIMIT = (
    "You are limited to some queues and teams of your customer, and this is of another: see GET /v1.0/me"
)
"""The refusal of a queue or agent beyond a manager's limit."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The queues and agents that a manager may see.

    The agents are those who serve the queues or are in the teams, and the manager itself. `filter` matches what belongs
    to all of these, in canonical form; it is part of the identity's filter.
    """

    queues: frozenset[str]
    agents: frozenset[str]
    filter: str

    def is_beyond(self, pattern: Pattern) -> bool:
        """Return whether a customer's topic names a queue or agent beyond the limit."""
        if pattern.scope == AGENT_SCOPE or pattern.resource_id == ANY:
            return False
        if pattern.resource == "agent":
            return pattern.resource_id not in self.agents
        return pattern.resource in ("queue", SUMMARY_RESOURCE) and pattern.resource_id not in self.queues
