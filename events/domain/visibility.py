"""What of a customer's events somebody may read; who that is, the setting EVENTS_VISIBILITY knows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from events.domain.topics import (
    AGENT_SCOPE,
    ANY,
    CUSTOMER_SCOPE,
    Pattern,
    agent_topic,
    covering_patterns,
    customer_topic,
)


class NotVisible(Exception):
    """Nothing of this customer may be read; the message says what is right, and not whether there is anything."""


class UnknownCustomer(Exception):
    """There is no such customer. Only for those who may know: platform staff."""


@dataclass(frozen=True, slots=True)
class Visible:
    """What somebody may read of one customer.

    `resources` are those that they see whole, none for every one; of the rest they see what concerns the agent
    `agent_id`, if there is one. `allowed` are patterns, in canonical form, that narrow both: of the customer's topics
    for what is seen whole, of the agent's for what concerns it; none where nothing is narrowed.
    """

    customer_id: str
    resources: frozenset[str] | None
    agent_id: str | None
    allowed: frozenset[str] | None = None

    @property
    def of_customer(self) -> tuple[Pattern, ...] | None:
        """The customer's patterns that narrow what is seen whole; none where nothing does."""
        return self._allowed_in(CUSTOMER_SCOPE, self.customer_id)

    @property
    def of_agent(self) -> tuple[Pattern, ...] | None:
        """The agent's patterns that narrow what concerns it; none where nothing does."""
        return self._allowed_in(AGENT_SCOPE, self.agent_id)

    def _allowed_in(self, scope: str, scope_id: str | None) -> tuple[Pattern, ...] | None:
        if self.allowed is None:
            return None
        patterns = (Pattern.from_canonical(text) for text in sorted(self.allowed))
        return tuple(each for each in patterns if (each.scope, each.scope_id) == (scope, scope_id))

    def _is_allowed(self, topic: str) -> bool:
        return self.allowed is None or not self.allowed.isdisjoint(covering_patterns(topic))

    def is_whole(self, resource: str, resource_id: str = ANY) -> bool:
        """Whether all of this resource, or of the one with this id, is theirs to see, whomever it concerns."""
        return (self.resources is None or resource in self.resources) and self._is_allowed(
            customer_topic(self.customer_id, resource, resource_id)
        )

    def includes(self, resource: str, resource_id: str, agent_ids: Collection[str]) -> bool:
        """Whether they see something of this resource that concerns these agents."""
        if self.is_whole(resource, resource_id):
            return True
        return (
            self.agent_id is not None
            and self.agent_id in agent_ids
            and self._is_allowed(agent_topic(self.agent_id, resource, resource_id))
        )

    def topic(self, resource: str, resource_id: str) -> str:
        """The topic by which they hear of what they may see: the customer's, else their own agent's."""
        if self.agent_id is None or self.is_whole(resource, resource_id):
            return customer_topic(self.customer_id, resource, resource_id)
        return agent_topic(self.agent_id, resource, resource_id)

    def shown_agents(self, resource: str, resource_id: str, agent_ids: Collection[str]) -> tuple[str, ...]:
        """Those of these agents whom they may learn of: on an agent's own topics nobody else is named."""
        if self.is_whole(resource, resource_id):
            return tuple(agent_ids)
        return tuple(each for each in agent_ids if each == self.agent_id)
