"""Scripts of inbound and outbound calls, and of messages with their delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from voipbin_ws.demo.simulation.model.calls import Call, Calls
from voipbin_ws.demo.simulation.model.event_recorder import EventRecorder
from voipbin_ws.demo.simulation.model.fake_data import (
    HOURS,
    NOTICES,
    QUESTIONS,
    REPLIES,
    START,
    STOP,
    Caller,
    random_caller,
)
from voipbin_ws.demo.simulation.model.routing import Routing
from voipbin_ws.demo.simulation.model.tenants import Queue, Tenant

Script = Iterator[tuple[float, float]]
"""A call's script: it acts between pauses, of which it yields the bounds in seconds."""

FindCaller = Callable[[], Caller]
"""Returns a caller who is not on the telephone."""


class CallFlows:
    """Begins calls of one caller each, and plays their scripts."""

    def __init__(
        self, recorder: EventRecorder, calls: Calls, routing: Routing, tenant: Tenant, find: FindCaller
    ) -> None:
        self._recorder = recorder
        self._calls = calls
        self._routing = routing
        self._queues = tenant.queues
        self._find_caller = find

    def begin(self) -> None:
        """Begin a call of a random kind."""
        draw = self._recorder.random.random()
        if draw < 0.40:
            self._to_an_agent()
        elif draw < 0.70:
            self._start("Order status", self._self_service)
        elif draw < 0.78:
            self._start("After hours", self._after_hours)
        elif (
            draw < 0.90
            and not self._routing.queues.waiting()
            and (agent := self._routing.agents.pick(automatic_only=True))
        ):
            call = self._calls.begin(self._find_caller(), "Call back", inbound=False, agent=agent.person)
            self._routing.occupy(agent, call)
            self._go_on(call, self._call_back(call))
        else:
            self._start("Delivery reminder", self._reminder, inbound=False)

    def send_to_voicemail(self, call: Call) -> None:
        """Record a message of the caller. The call must be with no agent and in no queue."""
        self._go_on(call, self._voicemail(call))

    def _start(self, purpose: str, script: Callable[[Call], Script], *, inbound: bool = True) -> None:
        call = self._calls.begin(self._find_caller(), purpose, inbound=inbound)
        self._go_on(call, script(call))

    def _go_on(self, call: Call, script: Script) -> None:
        """Play the script to its next pause, and continue after it unless the call ends before."""
        if (pause := next(script, None)) is not None:
            self._calls.later(call, self._recorder.between(*pause), lambda: self._go_on(call, script))

    # --- Inbound ---------------------------------------------------------------------------------------------------

    def _to_an_agent(self) -> None:
        queue = self._recorder.random.choice(self._queues)
        self._start(f"{queue.name} line", lambda call: self._queue_up(call, queue))

    def _queue_up(self, call: Call, queue: Queue) -> Script:
        yield 0.4, 1.2
        self._calls.next_action(call, "talk", "Welcome")
        yield 1, 3
        if self._routing.queues.is_full(queue):
            yield from self._voicemail(call)
            return
        self._calls.next_action(call, "queue_join", queue.name)
        self._routing.join(call, queue)

    def _self_service(self, call: Call) -> Script:
        yield 0.4, 1.2
        self._calls.answer(call)
        self._calls.next_action(call, "digits_receive", "Enter your order number")
        yield 3, 8
        self._calls.next_action(call, "webhook_send", "Look up the order")
        yield 0.5, 1.5
        self._calls.next_action(call, "talk", "Your order is on its way")
        self._hang_up_in(call, 4, 12)

    def _after_hours(self, call: Call) -> Script:
        yield 0.4, 1.2
        yield from self._voicemail(call)

    def _voicemail(self, call: Call) -> Script:
        self._calls.answer(call)
        self._calls.next_action(call, "talk", "Please leave a message")
        yield 2, 4
        self._calls.next_action(call, "recording_start", "Record the message")
        self._calls.start_recording(call)
        self._hang_up_in(call, 5, 20)

    # --- Outbound --------------------------------------------------------------------------------------------------

    def _call_back(self, call: Call) -> Script:
        yield from self._ring_out(call)
        if not call.ended:
            self._hang_up_in(call, 10, 45)

    def _reminder(self, call: Call) -> Script:
        yield from self._ring_out(call)
        if not call.ended:
            self._calls.next_action(call, "talk", "Your delivery comes tomorrow")
            self._hang_up_in(call, 5, 12)

    def _ring_out(self, call: Call) -> Script:
        """Ring at the remote end, which answers, is busy or does not answer."""
        draw = self._recorder.random.random()
        if draw < 0.72:
            yield 2, 9
            self._calls.answer(call)
        elif draw < 0.82:
            yield 0.5, 2
            self._calls.end(call, "busy", "remote")
        else:
            yield 14, 20
            self._calls.end(call, "noanswer", "local")

    def _hang_up_in(self, call: Call, least: float, most: float) -> None:
        self._routing.hang_up_in(call, self._recorder.between(least, most))


class MessageFlows:
    """Begins conversations by message: questions with their replies, notices, STOP and START."""

    def __init__(self, recorder: EventRecorder, tenant: Tenant, find: FindCaller) -> None:
        self._recorder = recorder
        self._line = {"type": "tel", "target": tenant.number, "target_name": tenant.name}
        self._find_caller = find

    def begin(self) -> None:
        """Begin a conversation of a random kind."""
        draw = self._recorder.random.random()
        if draw < 0.08:
            self.unsubscribe()
        elif draw < 0.45:
            self.send(self._find_caller().address(), self._recorder.random.choice(NOTICES), automatic=True)
        else:
            self.receive_question(self._recorder.random.choice(QUESTIONS))

    def receive_question(self, text: str) -> None:
        """Receive a question, which an agent mostly answers unless a program may."""
        caller = self._find_caller()
        self.receive(caller, text)
        if text != HOURS and self._recorder.chance(0.7):
            reply = self._recorder.random.choice(REPLIES)
            self._recorder.after(self._recorder.between(4, 15), lambda: self.send(caller.address(), reply))

    def unsubscribe(self) -> None:
        """Send a notice to a stranger who answers STOP, and sometimes START later.

        A stranger, because STOP outlives this simulation, which would write to its known callers again.
        """
        random = self._recorder.random
        caller = random_caller(random)
        self.send(caller.address(), random.choice(NOTICES), automatic=True)

        def stop() -> None:
            self.receive(caller, STOP)
            if self._recorder.chance(0.3):
                self._recorder.after(self._recorder.between(15, 40), lambda: self.receive(caller, START))

        self._recorder.after(self._recorder.between(3, 8), stop)

    def receive(self, caller: Caller, text: str) -> None:
        """Record a message from a caller."""
        facts = self._facts("inbound", caller.address(), self._line, text)
        self._record("message.received", facts, "received")

    def send(self, to: dict[str, str], text: str, *, automatic: bool = False) -> str:
        """Record a message to a telephone and its delivery; return the message's id."""
        facts = self._facts("outbound", self._line, to, text) | {"automatic": automatic}
        self._record("message.sent", facts, "sent")
        status = "delivered" if self._recorder.chance(0.95) else "undelivered"
        self._recorder.after(
            self._recorder.between(0.8, 3), lambda: self._record("message.delivery", facts, status)
        )
        return str(facts["id"])

    def _facts(self, direction: str, source: object, destination: object, text: str) -> dict[str, Any]:
        return {
            "id": self._recorder.new_id(),
            "type": "sms",
            "direction": direction,
            "source": source,
            "destination": destination,
            "text": text,
            "tm_create": self._recorder.stamp(),
        }

    def _record(self, event_type: str, facts: dict[str, Any], status: str) -> None:
        self._recorder.record(event_type, facts | {"status": status, "tm_update": self._recorder.stamp()})
