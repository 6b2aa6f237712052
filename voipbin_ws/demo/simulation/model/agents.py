"""The agents at their desks: what each of them does, and how that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from voipbin_ws.demo.simulation.model.calls import Call
from voipbin_ws.demo.simulation.model.event_recorder import Chronicle
from voipbin_ws.demo.simulation.model.tenants import Person


class Impossible(Exception):
    """What was asked for cannot be done now; the message says why."""


@dataclass(eq=False, slots=True)
class Desk:
    """An agent at work. `call` is the one that it is rung by or talks on: never more than one.

    `by_hand` is set while somebody outside acts for the agent: then nothing is answered or changed for them.
    """

    agent: Person
    status: str = "offline"
    call: Call | None = None
    by_hand: bool = False
    next_status: str | None = None
    """What the agent will be once the call is over; none for available."""


class Desks:
    """All desks; `when_available` is told when an agent can take a call."""

    def __init__(
        self, chronicle: Chronicle, agents: Iterable[Person], when_available: Callable[[], object]
    ) -> None:
        self._chronicle = chronicle
        self._when_available = when_available
        self._desks = {agent.id: Desk(agent) for agent in agents}

    def open(self) -> None:
        """The agents come to work."""
        for desk in self._desks.values():
            self.set_status(desk, "available")

    def close(self) -> None:
        """They go home. No call may live any more."""
        for desk in self._desks.values():
            self.set_status(desk, "offline")

    def of(self, agent_id: str) -> Desk:
        """The agent's desk.

        Raises:
            Impossible: no such agent works here.
        """
        if (desk := self._desks.get(agent_id)) is None:
            raise Impossible(f"No agent {agent_id} works here")
        return desk

    def of_call(self, call: Call) -> Desk | None:
        """Where the call rings or is talked on."""
        return next((desk for desk in self._desks.values() if desk.call is call), None)

    @property
    def all(self) -> list[Desk]:
        return list(self._desks.values())

    @property
    def at_work(self) -> int:
        return sum(desk.status not in ("away", "offline") for desk in self._desks.values())

    def pick(self, *, by_itself: bool = False) -> Desk | None:
        """Some agent who is available; with `by_itself` none for whom somebody outside acts."""
        free = [desk for desk in self.all if desk.status == "available" and not (by_itself and desk.by_hand)]
        return self._chronicle.random.choice(free) if free else None

    def set_status(self, desk: Desk, status: str) -> None:
        """Say that an agent's status changed; says nothing where it did not."""
        if desk.status == status:
            return
        previous, desk.status = desk.status, status
        self._chronicle.tell(
            "agent.status",
            {
                "id": desk.agent.id,
                "agent_id": desk.agent.id,
                "name": desk.agent.name,
                "status": status,
                "previous_status": previous,
                "call_id": desk.call.id if desk.call else None,
                "tm_update": self._chronicle.stamp(),
            },
        )
        if status == "available":
            # Not at once: whoever became available has the next call a moment later.
            self._chronicle.after(self._chronicle.between(0.3, 1.2), self._when_available)

    def release(self, desk: Desk) -> None:
        """Its call is over or elsewhere; after having talked there is something to write down first."""
        talked = desk.status == "busy"
        desk.call = None
        if talked:
            self.come_back(desk, 2, 5)
        else:
            self._back(desk)

    def come_back(self, desk: Desk, least: float, most: float) -> None:
        """Have the agent available again after so many seconds."""
        self._chronicle.after(self._chronicle.between(least, most), lambda: self._back(desk))

    def _back(self, desk: Desk) -> None:
        if desk.call is None and desk.status != "offline":
            status, desk.next_status = desk.next_status or "available", None
            self.set_status(desk, status)

    def take_break(self, desk: Desk, seconds: float) -> None:
        """The agent leaves for a while, after the call if there is one; not if all others are away."""
        others = [other for other in self.all if other is not desk and not other.by_hand]
        if desk.by_hand or all(other.status in ("away", "offline") for other in others):
            return
        if desk.status == "available":
            self.set_status(desk, "away")
            self._chronicle.after(seconds, lambda: self._end_break(desk))
        elif desk.status == "busy":
            desk.next_status = "away"
            self._chronicle.after(seconds * 2, lambda: self._end_break(desk))

    def _end_break(self, desk: Desk) -> None:
        if desk.by_hand:
            return
        desk.next_status = None
        if desk.status == "away":
            self.set_status(desk, "available")
