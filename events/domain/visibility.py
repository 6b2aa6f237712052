"""Visibility: which of a customer's events a client may read (EVENTS_VISIBILITY)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from events.domain.topics import (
    AGENT_SCOPE,
    ANY,
    CUSTOMER_SCOPE,
    SUMMARY_OF_ALL,
    SUMMARY_RESOURCE,
    Pattern,
    agent_topic,
    covering_patterns,
    customer_topic,
)


class NotVisible(Exception):
    """The client may read nothing of this customer, whether it exists or not."""


class UnknownCustomer(Exception):
    """There is no such customer. Raised for platform staff only."""


@dataclass(frozen=True, slots=True)
class Visible:
    """The part of one customer's events that a client may read.

    `resources` are the resources that are visible completely, `None` for all; of others the events that concern the
    agent `agent_id` are visible, if there is one. `allowed` are patterns, in canonical form, that restrict both: the
    customer's patterns the former, the agent's the latter; `None` for no restriction. `filter` is the access key's in
    canonical form: of the events that it does not match nothing is visible, but that a resource left it.
    `summary_queues` are the only queues whose summaries are visible, `None` if none are limited so. With
    `counts_agents` summaries count agents, whose events need not be visible.
    """

    customer_id: str
    resources: frozenset[str] | None
    agent_id: str | None
    allowed: frozenset[str] | None = None
    filter: str | None = None
    summary_queues: frozenset[str] | None = None
    counts_agents: bool = False

    @property
    def of_customer(self) -> tuple[Pattern, ...] | None:
        """The customer's patterns among `allowed`; `None` for no restriction."""
        return self._allowed_in(CUSTOMER_SCOPE, self.customer_id)

    @property
    def of_agent(self) -> tuple[Pattern, ...] | None:
        """The agent's patterns among `allowed`; `None` for no restriction."""
        return self._allowed_in(AGENT_SCOPE, self.agent_id)

    def _allowed_in(self, scope: str, scope_id: str | None) -> tuple[Pattern, ...] | None:
        if self.allowed is None:
            return None
        patterns = (Pattern.from_canonical(text) for text in sorted(self.allowed))
        return tuple(each for each in patterns if (each.scope, each.scope_id) == (scope, scope_id))

    def _is_allowed(self, topic: str) -> bool:
        return self.allowed is None or not self.allowed.isdisjoint(covering_patterns(topic))

    def is_whole(self, resource: str, resource_id: str = ANY) -> bool:
        """Return whether all events of this resource are visible, whichever agent they concern."""
        return (self.resources is None or resource in self.resources) and self._is_allowed(
            customer_topic(self.customer_id, resource, resource_id)
        )

    def includes(self, resource: str, resource_id: str, agent_ids: Collection[str]) -> bool:
        """Return whether an event of this resource that concerns these agents is visible."""
        if self.is_whole(resource, resource_id):
            return True
        return (
            self.agent_id is not None
            and self.agent_id in agent_ids
            and self._is_allowed(agent_topic(self.agent_id, resource, resource_id))
        )

    def shows_summary(self, queue_id: str, agent_ids: Collection[str] = ()) -> bool:
        """Return whether the summary of a queue, or with `ANY` of all, is visible.

        `agent_ids` are the agents who serve the queue. A summary counts all its events: it is visible like these, or
        where a key is allowed the summary's own topic.
        """
        if self.summary_queues is not None:
            return queue_id in self.summary_queues
        if self.filter is not None:
            return False
        own = SUMMARY_OF_ALL if queue_id == ANY else queue_id
        addresses = (("queue", queue_id), (SUMMARY_RESOURCE, own))
        if (self.resources is None or "queue" in self.resources) and any(
            self._is_allowed(customer_topic(self.customer_id, *each)) for each in addresses
        ):
            return True
        agent = self.agent_id
        return (
            agent is not None
            and agent in agent_ids
            and any(self._is_allowed(agent_topic(agent, *each)) for each in addresses)
        )

    def topic(self, resource: str, resource_id: str) -> str:
        """Return the topic of a visible event: the customer's, or else the agent's."""
        if self.agent_id is None or self.is_whole(resource, resource_id):
            return customer_topic(self.customer_id, resource, resource_id)
        return agent_topic(self.agent_id, resource, resource_id)

    def shown_agents(self, resource: str, resource_id: str, agent_ids: Collection[str]) -> tuple[str, ...]:
        """Return the visible ones of these agents: an agent's own topics name no other agent."""
        if self.is_whole(resource, resource_id):
            return tuple(agent_ids)
        return tuple(each for each in agent_ids if each == self.agent_id)
