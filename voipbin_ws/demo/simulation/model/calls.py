"""Calls from their first ring to their end, with the events of each call and its flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from voipbin_ws.demo.simulation.model.event_recorder import EventRecorder, Timer
from voipbin_ws.demo.simulation.model.fake_data import Caller
from voipbin_ws.demo.simulation.model.recordings import Recording, Recordings
from voipbin_ws.demo.simulation.model.tenants import Person, Queue, Tenant


@dataclass(eq=False, slots=True)
class Call:
    """A live call. `agent` is who talks or is rung; `queue` is where it waits or came from."""

    id: str
    activeflow_id: str
    inbound: bool
    caller: Caller
    began: float
    tm_create: str
    purpose: str
    status: str = "ringing"
    previous_status: str | None = None
    answered_at: float | None = None
    tm_answer: str | None = None
    agent: Person | None = None
    queue: Queue | None = None
    recording: Recording | None = None
    timers: list[Timer] = field(default_factory=list)
    when_ended: list[Callable[[Call], object]] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    """Additional fields of its events, such as the agent who missed it."""

    @property
    def ended(self) -> bool:
        return self.status == "hangup"

    def drop_timers(self) -> None:
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()


class Calls:
    """All live calls by id, in the order in which they began."""

    def __init__(self, recorder: EventRecorder, tenant: Tenant) -> None:
        self._recorder = recorder
        self._tenant = tenant
        self._recordings = Recordings(recorder, tenant.domain)
        self._flow_ids: dict[str, str] = {}
        self.open: dict[str, Call] = {}
        self.begun = 0

    def begin(self, caller: Caller, purpose: str, *, inbound: bool, agent: Person | None = None) -> Call:
        """Begin a call that rings; `agent` is who dials an outbound one."""
        recorder = self._recorder
        call = Call(
            id=recorder.new_id(),
            activeflow_id=recorder.new_id(),
            inbound=inbound,
            caller=caller,
            began=recorder.seconds,
            tm_create=recorder.stamp(),
            purpose=purpose,
            agent=agent,
        )
        self.open[call.id] = call
        self.begun += 1
        self._record_event(call, "call.created")
        return call

    def later(self, call: Call, seconds: float, action: Callable[[], object]) -> Timer:
        """Schedule an action in `seconds`, which is cancelled when the call ends."""
        timer = self._recorder.after(seconds, action)
        call.timers = [each for each in call.timers if each.action is not None]
        call.timers.append(timer)
        return timer

    def answer(self, call: Call) -> None:
        """Answer the call, unless it was answered before."""
        if call.status == "answered":
            return
        call.previous_status, call.status = call.status, "answered"
        call.answered_at = self._recorder.seconds
        call.tm_answer = self._recorder.stamp()
        self._record_event(call, "call.status")

    def assign(self, call: Call, agent: Person, waited: int) -> None:
        """Record that the call rings at an agent, whose event shows who calls."""
        call.agent = agent
        call.more.pop("missed_by", None)
        card = {
            "name": call.caller.name,
            "queue": call.queue.name if call.queue else None,
            "wait": waited,
            "previous_calls": call.caller.calls,
            "last_purchase": call.caller.last_purchase,
        }
        self._recorder.record(
            "call.assigned", self.facts(call) | {"wait_time": waited, "customer": card}, (agent.id,)
        )

    def unassign(self, call: Call, agent: Person, reason: str) -> None:
        """Record that the agent did not take the call; the event is visible to the agent."""
        call.agent = None
        call.more["missed_by"] = agent.id
        self._record_event(call, "call.status", (agent.id,), reason=reason)

    def next_action(self, call: Call, kind: str, name: str) -> None:
        """Record the next action of the call's flow."""
        action = {"id": self._recorder.new_id(), "type": kind, "name": name}
        self._recorder.record(
            "activeflow.updated", self._flow_facts(call) | {"status": "running", "current_action": action}
        )

    def start_recording(self, call: Call) -> None:
        """Start the recording of the call, unless one runs."""
        if call.recording is None:
            call.recording = self._recordings.start(call.id, call.agent.id if call.agent else None)

    def end(self, call: Call, reason: str, by: str) -> None:
        """End the open call, hung up by the `remote` or the `local` side."""
        recorder = self._recorder
        call.drop_timers()
        if call.recording is not None:
            self._recordings.finish(call.recording)
            call.recording = None
        call.previous_status, call.status = call.status, "hangup"
        end: dict[str, Any] = {
            "hangup_reason": reason,
            "hangup_by": by,
            "duration": round(recorder.seconds - call.answered_at) if call.answered_at is not None else 0,
            "tm_hangup": recorder.stamp(),
        }
        self._record_event(call, "call.status", **end)
        self._record_event(call, "call.ended", **end)
        del self.open[call.id]
        call.caller.calls += 1
        for action in call.when_ended:
            action(call)
        result = "completed" if reason == "normal" else reason
        recorder.record(
            "activeflow.completed",
            self._flow_facts(call) | {"status": "ended", "result": result, "tm_end": recorder.stamp()},
        )

    def facts(self, call: Call) -> dict[str, Any]:
        """Return the fields that all events of the call have."""
        line = {"type": "tel", "target": self._tenant.number, "target_name": self._tenant.name}
        facts: dict[str, Any] = {
            "id": call.id,
            "activeflow_id": call.activeflow_id,
            "direction": "inbound" if call.inbound else "outbound",
            "source": call.caller.address() if call.inbound else line,
            "destination": line if call.inbound else call.caller.address(),
            "status": call.status,
            "previous_status": call.previous_status,
            "queue_id": call.queue.id if call.queue else None,
            "queue_name": call.queue.name if call.queue else None,
            "agent_id": call.agent.id if call.agent else None,
            "agent_name": call.agent.name if call.agent else None,
            "tm_create": call.tm_create,
            "tm_answer": call.tm_answer,
            "tm_update": self._recorder.stamp(),
        }
        return facts | call.more

    def _record_event(
        self, call: Call, event_type: str, agent_ids: tuple[str, ...] = (), **more: object
    ) -> None:
        self._recorder.record(event_type, self.facts(call) | more, agent_ids)

    def _flow_facts(self, call: Call) -> dict[str, Any]:
        flow_id = self._flow_ids.get(call.purpose)
        if flow_id is None:
            flow_id = self._flow_ids[call.purpose] = self._recorder.new_id()
        return {
            "id": call.activeflow_id,
            "flow_id": flow_id,
            "flow_name": call.purpose,
            "reference_type": "call",
            "reference_id": call.id,
            "tm_create": call.tm_create,
            "tm_update": self._recorder.stamp(),
        }
