"""What of a customer's events somebody may read; who that is, the setting EVENTS_VISIBILITY knows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from events.topics import agent_topic, customer_topic


class NotVisible(Exception):
    """Nothing of this customer may be read; the message says what is right, and not whether there is anything."""


class UnknownCustomer(Exception):
    """There is no such customer. Only for those who may know: platform staff."""


@dataclass(frozen=True, slots=True)
class Visible:
    """What somebody may read of one customer.

    `resources` are those that they see whole, none for every one; of the rest they see what concerns the agent
    `agent_id`, if there is one.
    """

    customer_id: str
    resources: frozenset[str] | None
    agent_id: str | None

    def is_whole(self, resource: str) -> bool:
        """Whether everything of this resource is theirs to see."""
        return self.resources is None or resource in self.resources

    def includes(self, resource: str, agent_ids: Collection[str]) -> bool:
        """Whether they see something of this resource that concerns these agents."""
        return self.is_whole(resource) or self.agent_id in agent_ids

    def topic(self, resource: str, resource_id: str) -> str:
        """The topic by which they hear of what they may see: the customer's, else their own agent's."""
        if self.agent_id is None or self.is_whole(resource):
            return customer_topic(self.customer_id, resource, resource_id)
        return agent_topic(self.agent_id, resource, resource_id)

    def shown_agents(self, resource: str, agent_ids: Collection[str]) -> tuple[str, ...]:
        """Those of these agents whom they may learn of: on an agent's own topics nobody else is named."""
        if self.is_whole(resource):
            return tuple(agent_ids)
        return tuple(each for each in agent_ids if each == self.agent_id)
