"""The agents of a contact centre: their status and its changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from voipbin_ws.demo.simulation.model.calls import Call
from voipbin_ws.demo.simulation.model.event_recorder import EventRecorder
from voipbin_ws.demo.simulation.model.tenants import Person

WRAP_UP = (2, 5)
MANUAL_WRAP_UP = (50, 60)
"""Seconds after a call in which an agent gets none: a person needs longer to write a note."""


class Impossible(Exception):
    """A command cannot be executed now; the message says why."""


@dataclass(eq=False, slots=True)
class Agent:
    """An agent at work. `call` is the one call that rings at the agent or is talked on.

    `is_manual` is set while a client of the API acts for the agent, who then answers and changes nothing by itself;
    `commanded_at` is when the client last did, in seconds.
    """

    person: Person
    status: str = "offline"
    call: Call | None = None
    is_manual: bool = False
    commanded_at: float = 0.0
    next_status: str | None = None
    """Status of the agent after the call; `None` for available."""
    changes: int = 0
    """How often the status has changed."""


class Agents:
    """All agents. `when_available` is called when an agent can take a call."""

    def __init__(
        self, recorder: EventRecorder, agents: Iterable[Person], when_available: Callable[[], object]
    ) -> None:
        self._recorder = recorder
        self._when_available = when_available
        self._agents = {agent.id: Agent(agent) for agent in agents}

    def open(self) -> None:
        """Set all agents available."""
        for agent in self._agents.values():
            self.set_status(agent, "available")

    def close(self) -> None:
        """Set all agents offline. All calls must have ended."""
        for agent in self._agents.values():
            self.set_status(agent, "offline")

    def of(self, agent_id: str) -> Agent:
        """Return the agent with this id.

        Raises:
            Impossible: no such agent works here.
        """
        if (agent := self._agents.get(agent_id)) is None:
            raise Impossible(f"No agent {agent_id} works here")
        return agent

    def of_call(self, call: Call) -> Agent | None:
        """Return the agent who is rung by the call or talks on it, or `None`."""
        return next((agent for agent in self._agents.values() if agent.call is call), None)

    @property
    def all(self) -> list[Agent]:
        return list(self._agents.values())

    @property
    def at_work(self) -> int:
        return sum(agent.status not in ("away", "offline") for agent in self._agents.values())

    def pick(self, *, automatic_only: bool = False) -> Agent | None:
        """Return a random available agent, or `None`; with `automatic_only` none that is manual."""
        free = [
            agent
            for agent in self.all
            if agent.status == "available" and not (automatic_only and agent.is_manual)
        ]
        return self._recorder.random.choice(free) if free else None

    def set_status(self, agent: Agent, status: str) -> None:
        """Set an agent's status, and record the change if there is one."""
        if agent.status == status:
            return
        previous, agent.status = agent.status, status
        agent.changes += 1
        self._recorder.record(
            "agent.status",
            {
                "id": agent.person.id,
                "agent_id": agent.person.id,
                "name": agent.person.name,
                "status": status,
                "previous_status": previous,
                "call_id": agent.call.id if agent.call else None,
                "tm_update": self._recorder.stamp(),
            },
        )
        if status == "available":
            # Not at once: an agent who became available gets the next call a moment later.
            self._recorder.after(self._recorder.between(0.3, 1.2), self._when_available)

    def release(self, agent: Agent) -> None:
        """Take the call from the agent, who is available again after some wrap-up work."""
        talked = agent.status == "busy"
        agent.call = None
        if talked:
            waits_for_ready = agent.is_manual and agent.next_status is None
            self.come_back(agent, *(MANUAL_WRAP_UP if waits_for_ready else WRAP_UP))
        else:
            self._back(agent)

    def come_back(self, agent: Agent, least: float, most: float) -> None:
        """Make the agent available after a while, unless its status changes before.

        The seconds are between `least` and `most`.
        """
        changes = agent.changes

        def back() -> None:
            if agent.changes == changes:
                self._back(agent)

        self._recorder.after(self._recorder.between(least, most), back)

    def _back(self, agent: Agent) -> None:
        if agent.call is None and agent.status != "offline":
            status, agent.next_status = agent.next_status or "available", None
            self.set_status(agent, status)

    def take_break(self, agent: Agent, seconds: float) -> None:
        """Send the agent away for a while, after the current call, unless all others are away."""
        others = [other for other in self.all if other is not agent and not other.is_manual]
        if agent.is_manual or all(other.status in ("away", "offline") for other in others):
            return
        if agent.status == "available":
            self.set_status(agent, "away")
            self._recorder.after(seconds, lambda: self._end_break(agent))
        elif agent.status == "busy":
            agent.next_status = "away"
            self._recorder.after(seconds * 2, lambda: self._end_break(agent))

    def give_back(self, agent: Agent) -> None:
        """Let the simulation act for the agent again, who works on."""
        agent.is_manual = False
        agent.next_status = None
        if agent.call is None:
            self.set_status(agent, "available")

    def _end_break(self, agent: Agent) -> None:
        if agent.is_manual:
            return
        agent.next_status = None
        if agent.status == "away":
            self.set_status(agent, "available")
