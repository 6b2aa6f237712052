"""The queues: who waits in which, since when, and how each call's place in one ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from voipbin_ws.demo.simulation.model.calls import Call
from voipbin_ws.demo.simulation.model.event_recorder import Chronicle
from voipbin_ws.demo.simulation.model.tenants import Queue

FULL = 12
"""Callers who wait in one queue before the next ones are sent to voicemail."""


@dataclass(eq=False, slots=True)
class Place:
    """A call's place in a queue, until it leaves it. `waiting` ends when an agent takes it."""

    call: Call
    queue: Queue
    joined: float
    tm_join: str
    tm_connect: str | None = None
    waiting: bool = True


class Lines:
    """All queues with their callers, in the order in which they came."""

    def __init__(self, chronicle: Chronicle, queues: Iterable[Queue]) -> None:
        self._chronicle = chronicle
        self.queues = {queue.id: queue for queue in queues}
        self._places: dict[str, Place] = {}

    def place_of(self, call: Call) -> Place | None:
        return self._places.get(call.id)

    def waiting(self, queue: Queue | None = None) -> list[Place]:
        """Who waits, in this queue or in any, the longest waiting first."""
        return [place for place in self._places.values() if place.waiting and queue in (None, place.queue)]

    def is_full(self, queue: Queue) -> bool:
        return len(self.waiting(queue)) >= FULL

    def waited(self, call: Call) -> int:
        """Seconds since the call joined its queue; 0 where it is in none."""
        place = self._places.get(call.id)
        return round(self._chronicle.seconds - place.joined) if place else 0

    def join(self, call: Call, queue: Queue, seconds_a_call: float) -> None:
        """The call waits from now on; each before it is thought to take so long."""
        place = Place(call, queue, self._chronicle.seconds, self._chronicle.stamp())
        call.queue = queue
        self._places[call.id] = place
        position = len(self.waiting(queue))
        self._tell("queue.joined", place, position=position, estimated_wait=round(position * seconds_a_call))

    def connect(self, call: Call, agent_id: str) -> None:
        """An agent takes the call. Does nothing for one that does not wait."""
        place = self._places.get(call.id)
        if place is None or not place.waiting:
            return
        place.waiting = False
        place.tm_connect = self._chronicle.stamp()
        self._tell("queue.connected", place, agent_id=agent_id, wait_time=self.waited(call))

    def leave(self, call: Call, reason: str) -> None:
        """The call is not in its queue any more. Does nothing for one that is in none."""
        place = self._places.get(call.id)
        if place is None:
            return
        if place.waiting:
            self._tell("queue.left", place, reason=reason, wait_time=self.waited(call))
        else:
            self._tell("queue.left", place, reason=reason, agent_id=call.agent.id if call.agent else None)
        del self._places[call.id]

    def _tell(self, event_type: str, place: Place, **more: object) -> None:
        facts: dict[str, object] = {
            "queue_id": place.queue.id,
            "queue_name": place.queue.name,
            "call_id": place.call.id,
            "agent_id": None,
            "source": place.call.caller.address(),
            "tm_join": place.tm_join,
            "tm_connect": place.tm_connect,
        }
        self._chronicle.tell(event_type, facts | more)
