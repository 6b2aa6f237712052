"""The whole simulated centre: what comes and when, what somebody outside may command, and how a day ends."""

from __future__ import annotations

import random
from datetime import datetime

from voipbin_ws.demo.simulation.model.agents import Desk, Impossible
from voipbin_ws.demo.simulation.model.call_flows import CallStories, MessageStories
from voipbin_ws.demo.simulation.model.calls import Call, Calls
from voipbin_ws.demo.simulation.model.conferences import Conference
from voipbin_ws.demo.simulation.model.event_recorder import Chronicle, Happening
from voipbin_ws.demo.simulation.model.fake_data import HOURS, Caller, invent_caller
from voipbin_ws.demo.simulation.model.load_profiles import Profile
from voipbin_ws.demo.simulation.model.routing import Floor
from voipbin_ws.demo.simulation.model.tenants import Centre

REGULARS = 60
"""People whom the centre knows; more are made up where all of them are on the telephone."""

FIRST_CALLS = (0.5, 2.0, 4.0)
"""Seconds at which calls begin whatever the rate."""

FIRST_QUESTION, FIRST_STOP = 1.5, 3.0
"""Seconds at which somebody asks for the hours, and somebody is written to who will write STOP."""

CALLS_A_CONFERENCE = 25
MESSAGES_A_CALL = 0.6
WORDS_OF_STATUS = ("available", "away", "offline")
"""What an agent may choose to be; ringing and busy follow from calls."""


class World:
    """One customer's centre. Time passes only in `advance`; the same seed and calls give the same happenings.

    Args:
        seed: any text.
        start: when the story begins, with a zone; `at` elsewhere is in seconds from then.
        rate: calls a minute.
        most_calls: after so many no more begin; none for no end.
    """

    def __init__(
        self,
        centre: Centre,
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
        self._chronicle = Chronicle(centre.id, seed, start)
        # The same people call on every day.
        people = random.Random(centre.id)
        self._known = [invent_caller(people) for _ in range(REGULARS)]
        self.calls = Calls(self._chronicle, centre)
        self.floor = Floor(self._chronicle, self.calls, centre, profile)
        self.messages = MessageStories(self._chronicle, centre, self._find_caller)
        self._conferences: list[Conference] = []
        self._stories = CallStories(self._chronicle, self.calls, self.floor, centre, self._find_caller)
        self._open()

    # --- Time ------------------------------------------------------------------------------------------------------

    def advance(self, until: float) -> list[Happening]:
        """What happens up to `until` seconds from the start and was not given before, in order."""
        self._chronicle.run(until)
        return self._chronicle.take()

    def next_at(self) -> float | None:
        """When something happens next, in seconds from the start."""
        return self._chronicle.next_at()

    @property
    def is_over(self) -> bool:
        """Whether all calls that were to come have ended."""
        return self._no_more_calls() and not self.calls.open and not self._expected()

    def close(self) -> list[Happening]:
        """The day ends now: every call is ended, and the agents go. Nothing happens after this."""
        self._most_calls = 0
        for conference in self._conferences:
            conference.expect_nobody()
        while self.calls.open:
            self.calls.end(next(iter(self.calls.open.values())), "normal", "local")
        self.floor.desks.close()
        return self._chronicle.take()

    # --- Commands from outside, such as an agent's desktop sends to a platform --------------------------------------

    def take_over(self, agent_id: str, by_hand: bool) -> None:
        """Let somebody outside act for the agent, or the agent by itself again."""
        self.floor.desks.of(agent_id).by_hand = by_hand

    def set_status(self, agent_id: str, status: str) -> None:
        """The agent chooses to be available, away or offline; with a call, once that is over."""
        desk = self.floor.desks.of(agent_id)
        if status not in WORDS_OF_STATUS:
            raise Impossible(f"An agent can choose to be {', '.join(WORDS_OF_STATUS)}")
        if desk.call is not None:
            desk.next_status = status
        else:
            self.floor.desks.set_status(desk, status)

    def accept(self, call_id: str, agent_id: str) -> None:
        """The agent takes the call that rings."""
        self.floor.accept(self.floor.desks.of(agent_id), self._call(call_id))

    def transfer(self, call_id: str, to: str) -> None:
        """Hand a call that is talked on to another agent or to a queue, by id."""
        queue = self.floor.lines.queues.get(to)
        self.floor.transfer(self._call(call_id), queue or self.floor.desks.of(to))

    def voicemail(self, call_id: str) -> None:
        """Send a call that rings, waits or is talked on to voicemail."""
        call = self._call(call_id)
        if call.agent is None and self.floor.lines.place_of(call) is None:
            raise Impossible("This call is with no agent and in no queue")
        self.floor.take_away(call, "voicemail")
        self._stories.send_to_voicemail(call)

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
        self.floor.desks.open()
        # The first call soon, so that whoever has just opened a dashboard sees that it works.
        for seconds in FIRST_CALLS:
            self._chronicle.after(seconds, self._begin_call)
        self._chronicle.after(FIRST_CALLS[-1] + self._pause(self._rate), self._next_call)
        self._chronicle.after(FIRST_QUESTION, lambda: self.messages.ask(HOURS))
        self._chronicle.after(FIRST_STOP, self.messages.unsubscribe)
        self._chronicle.after(self._chronicle.between(4, 8), self._next_message)
        self._chronicle.after(self._chronicle.between(15, 30), self._next_conference)
        for desk in self.floor.desks.all:
            self._plan_break(desk)

    def _no_more_calls(self) -> bool:
        return self._most_calls is not None and self.calls.begun + self._expected() >= self._most_calls

    def _expected(self) -> int:
        """Calls of conference guests still to come."""
        return sum(conference.expected for conference in self._conferences)

    def _begin_call(self) -> None:
        if not self._no_more_calls():
            self._stories.begin()

    def _next_call(self) -> None:
        if self._no_more_calls():
            return
        # Drawn as often as at the peak, and only a share of it taken: no surge is slept through.
        if self._chronicle.chance(self._profile.share_of_peak(self._chronicle.seconds)):
            self._begin_call()
        self._chronicle.after(self._pause(self._rate * self._profile.surge_factor), self._next_call)

    def _next_message(self) -> None:
        if self._no_more_calls():
            return
        self.messages.begin()
        self._chronicle.after(self._pause(self._rate * MESSAGES_A_CALL), self._next_message)

    def _next_conference(self) -> None:
        people = self._chronicle.random.randint(3, 5)
        if self._most_calls is not None and self.calls.begun + self._expected() + people > self._most_calls:
            return
        conference = Conference(self._chronicle, self.calls, "Project call")
        self._conferences = [each for each in self._conferences if not each.ended]
        self._conferences.append(conference)
        invited: list[Caller] = []
        for _ in range(people):
            caller = self._find_caller(invited)
            invited.append(caller)
            conference.invite(caller, self._chronicle.between(0, 12), self._chronicle.between(25, 60))
        self._chronicle.after(self._pause(self._rate / CALLS_A_CONFERENCE) + 10, self._next_conference)

    def _plan_break(self, desk: Desk) -> None:
        def go() -> None:
            if self._no_more_calls():
                return
            self.floor.desks.take_break(desk, self._chronicle.between(15, 40))
            self._plan_break(desk)

        self._chronicle.after(self._chronicle.between(90, 240), go)

    def _pause(self, per_minute: float) -> float:
        """Seconds until the next of things that come `per_minute` on average, by chance."""
        return self._chronicle.random.expovariate(per_minute / 60)

    def _find_caller(self, besides: list[Caller] | None = None) -> Caller:
        busy = {call.caller.number for call in self.calls.open.values()}
        busy.update(caller.number for caller in besides or ())
        # A few draws, for with a thousand calls at once nobody whom the centre knows is free.
        for _ in range(4):
            caller = self._chronicle.random.choice(self._known)
            if caller.number not in busy:
                return caller
        return invent_caller(self._chronicle.random)
