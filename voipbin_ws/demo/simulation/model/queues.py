"""Queues of a contact centre: the calls that wait in them, and how each call leaves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from voipbin_ws.demo.simulation.model.calls import Call
from voipbin_ws.demo.simulation.model.event_recorder import EventRecorder
from voipbin_ws.demo.simulation.model.tenants import Queue

MAX_WAITING = 12
"""Calls that wait in one queue before further ones are sent to voicemail."""


@dataclass(eq=False, slots=True)
class QueueEntry:
    """A call's place in a queue, until it leaves. `waiting` ends when an agent takes the call."""

    call: Call
    queue: Queue
    joined: float
    tm_join: str
    tm_connect: str | None = None
    waiting: bool = True


class Queues:
    """All queues with their calls, in the order of joining."""

    def __init__(self, recorder: EventRecorder, queues: Iterable[Queue]) -> None:
        self._recorder = recorder
        self.by_id = {queue.id: queue for queue in queues}
        self._entries: dict[str, QueueEntry] = {}

    def entry_of(self, call: Call) -> QueueEntry | None:
        return self._entries.get(call.id)

    def waiting(self, queue: Queue | None = None) -> list[QueueEntry]:
        """Return the calls that wait, in one queue or in any, oldest first."""
        return [entry for entry in self._entries.values() if entry.waiting and queue in (None, entry.queue)]

    def is_full(self, queue: Queue) -> bool:
        return len(self.waiting(queue)) >= MAX_WAITING

    def waited(self, call: Call) -> int:
        """Return the seconds since the call joined its queue; 0 if it is in none."""
        entry = self._entries.get(call.id)
        return round(self._recorder.seconds - entry.joined) if entry else 0

    def join(self, call: Call, queue: Queue, seconds_a_call: float) -> None:
        """Add the call to the queue; `seconds_a_call` gives the estimated wait."""
        entry = QueueEntry(call, queue, self._recorder.seconds, self._recorder.stamp())
        call.queue = queue
        self._entries[call.id] = entry
        position = len(self.waiting(queue))
        self._record(
            "queue.joined", entry, position=position, estimated_wait=round(position * seconds_a_call)
        )

    def connect(self, call: Call, agent_id: str) -> None:
        """Record that an agent took the call, if it waits."""
        entry = self._entries.get(call.id)
        if entry is None or not entry.waiting:
            return
        entry.waiting = False
        entry.tm_connect = self._recorder.stamp()
        self._record("queue.connected", entry, agent_id=agent_id, wait_time=self.waited(call))

    def leave(self, call: Call, reason: str) -> None:
        """Remove the call from its queue, if it is in one."""
        entry = self._entries.get(call.id)
        if entry is None:
            return
        if entry.waiting:
            self._record("queue.left", entry, reason=reason, wait_time=self.waited(call))
        else:
            self._record("queue.left", entry, reason=reason, agent_id=call.agent.id if call.agent else None)
        del self._entries[call.id]

    def _record(self, event_type: str, entry: QueueEntry, **more: object) -> None:
        facts: dict[str, object] = {
            "queue_id": entry.queue.id,
            "queue_name": entry.queue.name,
            "call_id": entry.call.id,
            "agent_id": None,
            "source": entry.call.caller.address(),
            "tm_join": entry.tm_join,
            "tm_connect": entry.tm_connect,
        }
        self._recorder.record(event_type, facts | more)
