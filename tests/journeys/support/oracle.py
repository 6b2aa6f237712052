"""What the contract says of who receives what, written from docs/protocol.md: it shares no code with the gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.journeys.support.cast import Company, new_id
from tests.journeys.support.conversation import Frame
from tests.support.processes import ROOT

PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
RESOURCES = re.findall("`([a-z]+)`", PROTOCOL.partition("**Resources.**")[2].partition("\n\n")[0])

CALL, MESSAGE = "the-call", "the-message"
"""Ids that both customers use, so that only the customer distinguishes their events."""


@dataclass(frozen=True)
class Subscriber:
    """Someone with a credential, and what the contract goes by."""

    name: str
    credential: str
    customer_id: str
    agent_id: str | None = None
    receives_customer: bool = False
    receives_all: bool = False
    granted: tuple[str, ...] = ()

    def is_authorised(self, pattern: str) -> bool:
        scope, scope_id, *rest = pattern.split(":")
        if self.receives_all:
            return True
        if scope == "agent_id":
            return scope_id == self.agent_id
        own = scope_id == self.customer_id
        return own and (self.receives_customer or (bool(rest) and rest[0] in self.granted))


def listeners(company: Company) -> Iterator[Subscriber]:
    """Everybody of a customer who may open a socket."""
    manager, agent, gil = company.person("manager"), company.person("agent"), company.person("granted agent")
    granted = tuple(gil.granted)
    for person in (manager, company.person("admin")):
        yield Subscriber(person.name, person.token, company.id, person.id, receives_customer=True)
    yield Subscriber("agent", agent.token, company.id, agent.id)
    yield Subscriber("granted agent", gil.token, company.id, gil.id, granted=granted)
    yield Subscriber("customer's key", company.key("of the customer"), company.id, receives_customer=True)
    yield Subscriber("agent's key", company.key("of the agent"), company.id, agent.id)
    yield Subscriber("granted key", company.key("of the granted agent"), company.id, gil.id, granted=granted)
    yield Subscriber(
        "manager's key", company.key("of the manager"), company.id, manager.id, receives_customer=True
    )


def patterns(scope: str, scope_id: str) -> Iterator[str]:
    """Every form of topic: two, three and four parts, with each wildcard."""
    owner = f"{scope}:{scope_id}"
    yield owner
    yield from (f"{owner}:{resource}" for resource in ("call", "message", "*"))
    yield from (f"{owner}:{end}" for end in ("call:*", "message:*", "*:*", f"*:{CALL}"))
    yield from (f"{owner}:call:{CALL}", f"{owner}:message:{MESSAGE}", f"{owner}:call:another")


@dataclass(frozen=True)
class Published:
    """An event with its topics: who published it and whom it concerns."""

    customer_id: str
    topics: tuple[str, ...]
    item: Frame

    def topic_for(self, pattern: str, agents: dict[str, str]) -> str | None:
        """The event's topic by which the pattern receives it; `agents` has the customer of each."""
        scope, scope_id, *rest = pattern.split(":")
        resource, resource_id = [*rest, "*", "*"][:2]
        if (scope_id if scope == "customer_id" else agents[scope_id]) != self.customer_id:
            return None  # Naming another customer's agent does not let a publisher reach that agent.
        for topic in self.topics:
            parts = topic.split(":", 3)
            if (
                parts[:2] == [scope, scope_id]
                and resource in ("*", parts[2])
                and resource_id in ("*", parts[3])
            ):
                return topic
        return None


def events_of(company: Company, stranger: Company) -> Iterator[Published]:
    """An event of every resource, and events that concern agents in each of the ways there are."""

    def event(
        resource: str, resource_id: str, *agents: str, data: Frame | None = None, **more: Any
    ) -> Published:
        data = {"id": resource_id, "of": company.name} | (data or {})
        owners = [f"customer_id:{company.id}", *(f"agent_id:{agent}" for agent in agents)]
        item = {"event_type": f"{resource}.updated", "customer_id": company.id, "data": data, **more}
        return Published(company.id, tuple(f"{owner}:{resource}:{resource_id}" for owner in owners), item)

    agent, gil = company.person("agent").id, company.person("granted agent").id
    manager = company.person("manager").id
    served, empty = company.queues
    for resource in RESOURCES:
        resource_id = new_id()
        yield event(resource, resource_id, *([resource_id] if resource == "agent" else []))
    yield event("call", CALL)
    yield event("message", MESSAGE)
    yield event("call", CALL, agent, agent_ids=[agent])
    yield event("call", CALL, agent, gil, manager, agent_ids=[agent, gil, manager, agent])
    # Those who had it receive that it is another's now.
    yield event("call", CALL, gil, agent, manager, data={"agent_id": gil})
    yield event("message", MESSAGE, agent, data={"owner_type": "agent", "owner_id": agent})
    yield event("message", MESSAGE, agent, data={"owner_type": "customer", "owner_id": agent})
    yield event("queuecall", CALL, agent, data={"service_agent_id": agent})
    yield event("agent", agent, agent)
    yield event("queue", served, *sorted([agent, gil]), data={"queue_id": served})
    yield event("queue", empty, data={"queue_id": empty})
    yield event("queue", stranger.queues[0], data={"queue_id": stranger.queues[0]})
    named = stranger.person("agent").id
    yield event("call", CALL, named, gil, agent_ids=[named])
    yield event("call", "another")
