"""The floor: how a call gets from its queue to an agent, and on from there."""

from __future__ import annotations

from voipbin_ws.demo.simulation.model.agents import Desk, Desks, Impossible
from voipbin_ws.demo.simulation.model.calls import Call, Calls
from voipbin_ws.demo.simulation.model.event_recorder import Chronicle, Timer
from voipbin_ws.demo.simulation.model.load_profiles import Profile
from voipbin_ws.demo.simulation.model.queues import Lines
from voipbin_ws.demo.simulation.model.tenants import Centre, Queue


class Floor:
    """Agents and queues together. Every agent serves every queue, the longest waiting caller first."""

    def __init__(self, chronicle: Chronicle, calls: Calls, centre: Centre, profile: Profile) -> None:
        self._chronicle = chronicle
        self._calls = calls
        self._profile = profile
        self._patience: dict[str, Timer] = {}
        self.desks = Desks(chronicle, centre.agents, self._dispatch)
        self.lines = Lines(chronicle, centre.queues)

    def join(self, call: Call, queue: Queue) -> None:
        """The call waits in the queue from now on, as long as its caller has patience."""
        self._look_after(call)
        self.lines.join(call, queue, self._profile.talk[2] / max(self.desks.at_work, 1))
        patience = self._chronicle.draw(self._profile.patience)
        self._patience[call.id] = self._calls.later(call, patience, lambda: self._give_up(call))
        self._dispatch()

    def occupy(self, desk: Desk, call: Call) -> None:
        """The agent dials an outbound call."""
        self._look_after(call)
        desk.call = call
        self.desks.set_status(desk, "busy")

    def accept(self, desk: Desk, call: Call) -> None:
        """The agent takes the call that rings.

        Raises:
            Impossible: it does not ring there.
        """
        if desk.call is not call or desk.status != "ringing":
            raise Impossible(f"This call does not ring at {desk.agent.name} any more")
        self._patience.pop(call.id, None)
        # Its patience, and whatever else would have come of the ringing.
        call.drop_timers()
        self.desks.set_status(desk, "busy")
        self.lines.connect(call, desk.agent.id)
        self._calls.answer(call)
        if self._chronicle.chance(0.6):
            self._calls.record(call)
        self._talk(desk, call)

    def transfer(self, call: Call, to: Desk | Queue) -> None:
        """Hand a call that is talked on to another agent, or to a queue.

        Raises:
            Impossible: nobody talks on it, or that agent is not available.
        """
        desk = self.desks.of_call(call)
        if desk is None or desk.status != "busy" or call.answered_at is None:
            raise Impossible("Only a call that an agent talks on can be transferred")
        if isinstance(to, Desk) and to.status != "available":
            raise Impossible(f"{to.agent.name} is {to.status}")
        self.take_away(call, "transferred")
        call.more["transferred_from"] = desk.agent.id
        if isinstance(to, Desk):
            self._ring(to, call)
        else:
            self._calls.do(call, "queue_join", f"Transferred to {to.name}")
            self.join(call, to)

    def take_away(self, call: Call, reason: str) -> None:
        """The call leaves its agent and its queue, and lives on."""
        desk = self.desks.of_call(call)
        call.drop_timers()
        self._patience.pop(call.id, None)
        self.lines.leave(call, reason)
        call.agent = None
        if desk is not None:
            self.desks.release(desk)

    def hang_up_in(self, call: Call, seconds: float) -> None:
        """One of the two sides has said all in so many seconds."""
        by = "remote" if self._chronicle.chance(0.7) else "local"
        self._calls.later(call, seconds, lambda: self._calls.end(call, "normal", by))

    def _look_after(self, call: Call) -> None:
        """Have agent and queue freed when the call ends, however it does."""
        if self._ended not in call.when_ended:
            call.when_ended.append(self._ended)

    def _ended(self, call: Call) -> None:
        self._patience.pop(call.id, None)
        place = self.lines.place_of(call)
        self.lines.leave(call, "abandoned" if place and place.waiting else "done")
        if desk := self.desks.of_call(call):
            self.desks.release(desk)

    def _give_up(self, call: Call) -> None:
        self._calls.end(call, "cancel" if call.answered_at is None else "normal", "remote")

    def _dispatch(self) -> None:
        """Ring every available agent with the caller who waits longest."""
        while desk := self.desks.pick():
            waiting = [place for place in self.lines.waiting() if place.call.agent is None]
            if not waiting:
                return
            self._ring(desk, waiting[0].call)

    def _ring(self, desk: Desk, call: Call) -> None:
        self._look_after(call)
        desk.call = call
        self._calls.assign(call, desk.agent, self.lines.waited(call))
        self.desks.set_status(desk, "ringing")
        rings, missed = self._chronicle.between(2, 6), self._chronicle.chance(0.06)
        if desk.by_hand or missed:
            self._calls.later(call, 20 if desk.by_hand else 10, lambda: self._miss(desk, call))
        else:
            self._calls.later(call, rings, lambda: self._pick_up(desk, call))

    def _pick_up(self, desk: Desk, call: Call) -> None:
        if desk.by_hand:
            # Somebody took over while it rang, and has time to decide.
            self._calls.later(call, 20, lambda: self._miss(desk, call))
        else:
            self.accept(desk, call)

    def _miss(self, desk: Desk, call: Call) -> None:
        """Rang, and nobody took it: the call keeps its place, the agent is taken for away."""
        if desk.call is not call or desk.status != "ringing":
            return
        desk.call = None
        self._calls.unassign(call, "no_answer")
        self.desks.set_status(desk, "away")
        if not desk.by_hand:
            self.desks.come_back(desk, 8, 20)
        if self.lines.place_of(call) is None:
            # It was handed over directly and has no place to go back to.
            self._calls.end(call, "noanswer", "local")
        self._dispatch()

    def _talk(self, desk: Desk, call: Call) -> None:
        talk = self._chronicle.draw(self._profile.talk)
        if desk.by_hand:
            self.hang_up_in(call, talk * 3)  # Should whoever acts for the agent not do so before.
        elif self._chronicle.chance(0.12):
            self._calls.later(call, talk / 2, lambda: self._hand_on(call, talk / 2))
        else:
            self.hang_up_in(call, talk)

    def _hand_on(self, call: Call, otherwise: float) -> None:
        others = [queue for queue in self.lines.queues.values() if queue is not call.queue]
        to = self.desks.pick(by_itself=True)
        if to is not None and self._chronicle.chance(0.4):
            self.transfer(call, to)
        elif others:
            self.transfer(call, self._chronicle.random.choice(others))
        else:
            self.hang_up_in(call, otherwise)
