"""The whole simulated centre: what comes and when, what somebody outside may command, and how a day ends."""

from __future__ import annotations

import random
from datetime import datetime

from voipbin_ws.demo.simulation.model.agents import Agent, Impossible
from voipbin_ws.demo.simulation.model.call_flows import CallFlows, MessageFlows
from voipbin_ws.demo.simulation.model.calls import Call, Calls
from voipbin_ws.demo.simulation.model.conferences import Conference
from voipbin_ws.demo.simulation.model.event_recorder import EventRecorder, SimulatedEvent
from voipbin_ws.demo.simulation.model.fake_data import HOURS, Caller, random_caller
from voipbin_ws.demo.simulation.model.load_profiles import Profile
from voipbin_ws.demo.simulation.model.routing import Routing
from voipbin_ws.demo.simulation.model.tenants import Tenant

REGULARS = 60
"""People whom the centre knows; more are made up where all of them are on the telephone."""

FIRST_CALLS = (0.5, 2.0, 4.0)
"""Seconds at which calls begin whatever the rate."""

FIRST_QUESTION, FIRST_STOP = 1.5, 3.0
"""Seconds at which somebody asks for the hours, and somebody is written to who will write STOP."""

CALLS_A_CONFERENCE = 25
MESSAGES_A_CALL = 0.6
STATUS_CHOICES = ("available", "away", "offline")
"""What an agent may choose to be; ringing and busy follow from calls."""


class ContactCentre:
    """One customer's centre. Time passes only in `advance`; the same seed and calls give the same happenings.

    Args:
        seed: any text.
        start: when the story begins, with a zone; `at` elsewhere is in seconds from then.
        rate: calls a minute.
        most_calls: after so many no more begin; none for no end.
    """

    def __init__(
        self,
        tenant: Tenant,
        profile: Profile,
        *,
        seed: str,
        start: datetime,
        rate: float | None = None,
        most_calls: int | None = None,
    ) -> None:
        self._profile = profile
        self._rate = rate or profile.rate
        self._most_calls = most_calls
        self._recorder = EventRecorder(tenant.id, seed, start)
        # The same people call on every day.
        people = random.Random(tenant.id)
        self._known = [random_caller(people) for _ in range(REGULARS)]
        self.calls = Calls(self._recorder, tenant)
        self.routing = Routing(self._recorder, self.calls, tenant, profile)
        self.messages = MessageFlows(self._recorder, tenant, self._find_caller)
        self._conferences: list[Conference] = []
        self._call_flows = CallFlows(self._recorder, self.calls, self.routing, tenant, self._find_caller)
        self._open()

    # --- Time ------------------------------------------------------------------------------------------------------

    def advance(self, until: float) -> list[SimulatedEvent]:
        """What happens up to `until` seconds from the start and was not given before, in order."""
        self._recorder.run(until)
        return self._recorder.take()

    def next_at(self) -> float | None:
        """When something happens next, in seconds from the start."""
        return self._recorder.next_at()

    @property
    def is_over(self) -> bool:
        """Whether all calls that were to come have ended."""
        return self._no_more_calls() and not self.calls.open and not self._expected()

    def close(self) -> list[SimulatedEvent]:
        """The day ends now: every call is ended, and the agents go. Nothing happens after this."""
        self._most_calls = 0
        for conference in self._conferences:
            conference.cancel_invitations()
        while self.calls.open:
            self.calls.end(next(iter(self.calls.open.values())), "normal", "local")
        self.routing.agents.close()
        return self._recorder.take()

    # --- Commands from outside, such as an agent's desktop sends to a platform --------------------------------------

    def take_over(self, agent_id: str, is_manual: bool) -> None:
        """Let somebody outside act for the agent, or the agent by itself again."""
        self.routing.agents.of(agent_id).is_manual = is_manual

    def set_status(self, agent_id: str, status: str) -> None:
        """The agent chooses to be available, away or offline; with a call, once that is over."""
        agent = self.routing.agents.of(agent_id)
        if status not in STATUS_CHOICES:
            raise Impossible(f"An agent can choose to be {', '.join(STATUS_CHOICES)}")
        if agent.call is not None:
            agent.next_status = status
        else:
            self.routing.agents.set_status(agent, status)

    def accept(self, call_id: str, agent_id: str) -> None:
        """The agent takes the call that rings."""
        self.routing.accept(self.routing.agents.of(agent_id), self._call(call_id))

    def transfer(self, call_id: str, to: str) -> None:
        """Hand a call that is talked on to another agent or to a queue, by id."""
        queue = self.routing.queues.by_id.get(to)
        self.routing.transfer(self._call(call_id), queue or self.routing.agents.of(to))

    def voicemail(self, call_id: str) -> None:
        """Send a call that rings, waits or is talked on to voicemail."""
        call = self._call(call_id)
        if call.agent is None and self.routing.queues.entry_of(call) is None:
            raise Impossible("This call is with no agent and in no queue")
        self.routing.take_away(call, "voicemail")
        self._call_flows.send_to_voicemail(call)

    def hang_up(self, call_id: str) -> None:
        """End the call from our side."""
        self.calls.end(self._call(call_id), "normal", "local")

    def send_message(self, number: str, text: str, *, automatic: bool = False) -> str:
        """Write to somebody outside; returns the message's id."""
        known = next((caller.address() for caller in self._known if caller.number == number), None)
        to = known or {"type": "tel", "target": number, "target_name": ""}
        return self.messages.send(to, text, automatic=automatic)

    def _call(self, call_id: str) -> Call:
        if (call := self.calls.open.get(call_id)) is None:
            raise Impossible("This call is over, or there never was one")
        return call

    # --- What comes ------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self.routing.agents.open()
        # The first call soon, so that whoever has just opened a dashboard sees that it works.
        for seconds in FIRST_CALLS:
            self._recorder.after(seconds, self._begin_call)
        self._recorder.after(FIRST_CALLS[-1] + self._pause(self._rate), self._next_call)
        self._recorder.after(FIRST_QUESTION, lambda: self.messages.receive_question(HOURS))
        self._recorder.after(FIRST_STOP, self.messages.unsubscribe)
        self._recorder.after(self._recorder.between(4, 8), self._next_message)
        self._recorder.after(self._recorder.between(15, 30), self._next_conference)
        for agent in self.routing.agents.all:
            self._plan_break(agent)

    def _no_more_calls(self) -> bool:
        return self._most_calls is not None and self.calls.begun + self._expected() >= self._most_calls

    def _expected(self) -> int:
        """Calls of conference guests still to come."""
        return sum(conference.expected for conference in self._conferences)

    def _begin_call(self) -> None:
        if not self._no_more_calls():
            self._call_flows.begin()

    def _next_call(self) -> None:
        if self._no_more_calls():
            return
        # Drawn as often as at the peak, and only a share of it taken: no surge is slept through.
        if self._recorder.chance(self._profile.share_of_peak(self._recorder.seconds)):
            self._begin_call()
        self._recorder.after(self._pause(self._rate * self._profile.surge_factor), self._next_call)

    def _next_message(self) -> None:
        if self._no_more_calls():
            return
        self.messages.begin()
        self._recorder.after(self._pause(self._rate * MESSAGES_A_CALL), self._next_message)

    def _next_conference(self) -> None:
        people = self._recorder.random.randint(3, 5)
        if self._most_calls is not None and self.calls.begun + self._expected() + people > self._most_calls:
            return
        conference = Conference(self._recorder, self.calls, "Project call")
        self._conferences = [each for each in self._conferences if not each.ended]
        self._conferences.append(conference)
        invited: list[Caller] = []
        for _ in range(people):
            caller = self._find_caller(invited)
            invited.append(caller)
            conference.invite(caller, self._recorder.between(0, 12), self._recorder.between(25, 60))
        self._recorder.after(self._pause(self._rate / CALLS_A_CONFERENCE) + 10, self._next_conference)

    def _plan_break(self, agent: Agent) -> None:
        def go() -> None:
            if self._no_more_calls():
                return
            self.routing.agents.take_break(agent, self._recorder.between(15, 40))
            self._plan_break(agent)

        self._recorder.after(self._recorder.between(90, 240), go)

    def _pause(self, per_minute: float) -> float:
        """Seconds until the next of things that come `per_minute` on average, by chance."""
        return self._recorder.random.expovariate(per_minute / 60)

    def _find_caller(self, besides: list[Caller] | None = None) -> Caller:
        busy = {call.caller.number for call in self.calls.open.values()}
        busy.update(caller.number for caller in besides or ())
        # A few draws, for with a thousand calls at once nobody whom the centre knows is free.
        for _ in range(4):
            caller = self._recorder.random.choice(self._known)
            if caller.number not in busy:
                return caller
        return random_caller(self._recorder.random)
