"""What calls are about, inbound and outbound, and messages with their delivery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from voipbin_ws.demo.simulation.model.agents import Desk
from voipbin_ws.demo.simulation.model.calls import Call, Calls
from voipbin_ws.demo.simulation.model.event_recorder import Chronicle
from voipbin_ws.demo.simulation.model.fake_data import (
    HOURS,
    NOTICES,
    QUESTIONS,
    REPLIES,
    START,
    STOP,
    Caller,
    invent_caller,
)
from voipbin_ws.demo.simulation.model.routing import Floor
from voipbin_ws.demo.simulation.model.tenants import Centre, Queue

FindCaller = Callable[[], Caller]
"""Gives somebody who is not on the telephone."""


class CallStories:
    """The calls with one caller each."""

    def __init__(
        self, chronicle: Chronicle, calls: Calls, floor: Floor, centre: Centre, find: FindCaller
    ) -> None:
        self._chronicle = chronicle
        self._calls = calls
        self._floor = floor
        self._queues = centre.queues
        self._find = find

    def begin(self) -> None:
        """Some call begins."""
        draw = self._chronicle.random.random()
        if draw < 0.40:
            self._to_an_agent()
        elif draw < 0.70:
            self._self_service()
        elif draw < 0.78:
            self._to_voicemail()
        elif (
            draw < 0.90
            and not self._floor.lines.waiting()
            and (desk := self._floor.desks.pick(by_itself=True))
        ):
            self._dialled_by(desk)
        else:
            self._reminder()

    # --- Inbound ---------------------------------------------------------------------------------------------------

    def _to_an_agent(self) -> None:
        queue = self._chronicle.random.choice(self._queues)
        call = self._calls.begin(self._find(), f"{queue.name} line", inbound=True)
        self._soon(call, 0.4, 1.2, lambda: self._greet(call, queue))

    def _greet(self, call: Call, queue: Queue) -> None:
        self._calls.do(call, "talk", "Welcome")
        self._soon(call, 1, 3, lambda: self._enqueue(call, queue))

    def _enqueue(self, call: Call, queue: Queue) -> None:
        if self._floor.lines.is_full(queue):
            self.send_to_voicemail(call)
            return
        self._calls.do(call, "queue_join", queue.name)
        self._floor.join(call, queue)

    def _self_service(self) -> None:
        call = self._calls.begin(self._find(), "Order status", inbound=True)

        def menu() -> None:
            self._calls.answer(call)
            self._calls.do(call, "digits_receive", "Enter your order number")
            self._soon(call, 3, 8, lookup)

        def lookup() -> None:
            self._calls.do(call, "webhook_send", "Look up the order")
            self._soon(call, 0.5, 1.5, result)

        def result() -> None:
            self._calls.do(call, "talk", "Your order is on its way")
            self._floor.hang_up_in(call, self._chronicle.between(4, 12))

        self._soon(call, 0.4, 1.2, menu)

    def _to_voicemail(self) -> None:
        call = self._calls.begin(self._find(), "After hours", inbound=True)
        self._soon(call, 0.4, 1.2, lambda: self.send_to_voicemail(call))

    def send_to_voicemail(self, call: Call) -> None:
        """The caller may leave a message; the call must be with no agent and in no queue."""

        def beep() -> None:
            self._calls.do(call, "recording_start", "Record the message")
            self._calls.record(call)
            self._floor.hang_up_in(call, self._chronicle.between(5, 20))

        self._calls.answer(call)
        self._calls.do(call, "talk", "Please leave a message")
        self._soon(call, 2, 4, beep)

    # --- Outbound --------------------------------------------------------------------------------------------------

    def _dialled_by(self, desk: Desk) -> None:
        call = self._calls.begin(self._find(), "Call back", inbound=False, agent=desk.agent)
        self._floor.occupy(desk, call)
        self._ring_out(call, lambda: self._floor.hang_up_in(call, self._chronicle.between(10, 45)))

    def _reminder(self) -> None:
        call = self._calls.begin(self._find(), "Delivery reminder", inbound=False)

        def speak() -> None:
            self._calls.do(call, "talk", "Your delivery comes tomorrow")
            self._floor.hang_up_in(call, self._chronicle.between(5, 12))

        self._ring_out(call, speak)

    def _ring_out(self, call: Call, answered: Callable[[], object]) -> None:
        """It rings at the other end, where somebody answers, is busy or does not come."""

        def pick_up() -> None:
            self._calls.answer(call)
            answered()

        draw = self._chronicle.random.random()
        if draw < 0.72:
            self._soon(call, 2, 9, pick_up)
        elif draw < 0.82:
            self._soon(call, 0.5, 2, lambda: self._calls.end(call, "busy", "remote"))
        else:
            self._soon(call, 14, 20, lambda: self._calls.end(call, "noanswer", "local"))

    def _soon(self, call: Call, least: float, most: float, action: Callable[[], object]) -> None:
        self._calls.later(call, self._chronicle.between(least, most), action)


class MessageStories:
    """Messages: questions with their answers, and notices."""

    def __init__(self, chronicle: Chronicle, centre: Centre, find: FindCaller) -> None:
        self._chronicle = chronicle
        self._line = {"type": "tel", "target": centre.number, "target_name": centre.name}
        self._find = find

    def begin(self) -> None:
        """Somebody writes to the centre, or the centre to somebody."""
        draw = self._chronicle.random.random()
        if draw < 0.08:
            self.unsubscribe()
        elif draw < 0.45:
            self.send(self._find().address(), self._chronicle.random.choice(NOTICES), automatic=True)
        else:
            self.ask(self._chronicle.random.choice(QUESTIONS))

    def ask(self, text: str) -> None:
        """Somebody asks, and mostly a person answers; not where a program may."""
        caller = self._find()
        self.receive(caller, text)
        if text != HOURS and self._chronicle.chance(0.7):
            reply = self._chronicle.random.choice(REPLIES)
            self._chronicle.after(self._chronicle.between(4, 15), lambda: self.send(caller.address(), reply))

    def unsubscribe(self) -> None:
        """Somebody who will not be written to again gets a notice and wants no more, or not for long.

        Nobody whom the centre knows: who wrote STOP stays unsubscribed beyond this simulation, which would write on.
        """
        random = self._chronicle.random
        caller = invent_caller(random)
        self.send(caller.address(), random.choice(NOTICES), automatic=True)

        def stop() -> None:
            self.receive(caller, STOP)
            if self._chronicle.chance(0.3):
                self._chronicle.after(self._chronicle.between(15, 40), lambda: self.receive(caller, START))

        self._chronicle.after(self._chronicle.between(3, 8), stop)

    def receive(self, caller: Caller, text: str) -> None:
        """A message from outside."""
        facts = self._facts("inbound", caller.address(), self._line, text)
        self._tell("message.received", facts, "received")

    def send(self, to: dict[str, str], text: str, *, automatic: bool = False) -> str:
        """A message to somebody outside, by a person or a program, whose delivery follows; returns its id."""
        facts = self._facts("outbound", self._line, to, text) | {"automatic": automatic}
        self._tell("message.sent", facts, "sent")
        status = "delivered" if self._chronicle.chance(0.95) else "undelivered"
        self._chronicle.after(
            self._chronicle.between(0.8, 3), lambda: self._tell("message.delivery", facts, status)
        )
        return str(facts["id"])

    def _facts(self, direction: str, source: object, destination: object, text: str) -> dict[str, Any]:
        return {
            "id": self._chronicle.new_id(),
            "type": "sms",
            "direction": direction,
            "source": source,
            "destination": destination,
            "text": text,
            "tm_create": self._chronicle.stamp(),
        }

    def _tell(self, event_type: str, facts: dict[str, Any], status: str) -> None:
        self._chronicle.tell(event_type, facts | {"status": status, "tm_update": self._chronicle.stamp()})
