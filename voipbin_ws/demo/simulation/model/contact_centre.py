"""The simulated contact centre: its arrivals, its commands, and the end of its day."""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import datetime, timedelta

from voipbin_ws.demo.simulation.model.agents import Agent, Impossible
from voipbin_ws.demo.simulation.model.call_flows import CallFlows, MessageFlows
from voipbin_ws.demo.simulation.model.calls import Call, Calls
from voipbin_ws.demo.simulation.model.conferences import Conference
from voipbin_ws.demo.simulation.model.event_recorder import EventRecorder, SimulatedEvent
from voipbin_ws.demo.simulation.model.fake_data import HOURS, Caller, random_caller
from voipbin_ws.demo.simulation.model.load_profiles import Profile
from voipbin_ws.demo.simulation.model.routing import Routing
from voipbin_ws.demo.simulation.model.tenants import Tenant
from voipbin_ws.demo.simulation.model.unruly import UnrulyPlatform

REGULARS = 60
"""Number of known callers; strangers call only if all of these are on the telephone."""

FIRST_CALLS = (0.5, 2.0, 4.0)
"""Times in seconds at which calls begin at any rate."""

FIRST_QUESTION, FIRST_STOP = 1.5, 3.0
"""Seconds at which a question about the hours comes, and a notice that is answered by STOP."""

CALLS_A_CONFERENCE = 25
MESSAGES_A_CALL = 0.6
ABSENT_SECONDS = 60.0
STATUS_CHOICES = ("available", "away", "offline")
"""Statuses that an agent can choose; ringing and busy follow from calls."""


class ContactCentre:
    """The contact centre of one tenant. Time passes only in `advance`.

    The same seed, advances and commands yield the same events.

    Args:
        seed: any text.
        start: the time of the start, with a zone; all other times are seconds since then.
        rate: calls a minute; `None` for the profile's.
        most_calls: number of calls after which no more begin; `None` for no limit.
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
        self._start = start
        self._recorder = EventRecorder(tenant.id, seed, start)
        self._unruly = UnrulyPlatform(f"{seed} {tenant.id}") if profile.is_unruly else None
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
        """Return the events up to `until` seconds since the start, without those returned before."""
        self._recorder.run(until)
        events = self._recorder.take()
        return (
            self._unruly.pass_on(events, self._start + timedelta(seconds=until)) if self._unruly else events
        )

    def next_at(self) -> float | None:
        """Return the time of the next event in seconds since the start, or `None`."""
        times = [self._recorder.next_at()]
        if self._unruly and (arrives := self._unruly.next_at()):
            times.append((arrives - self._start).total_seconds())
        return min((each for each in times if each is not None), default=None)

    @property
    def is_over(self) -> bool:
        """Whether the limit of calls is reached and all have ended."""
        return self._no_more_calls() and not self.calls.open and not self._expected()

    def close(self) -> list[SimulatedEvent]:
        """End all calls and send the agents home; return the events. No more follow."""
        self._most_calls = 0
        for conference in self._conferences:
            conference.cancel_invitations()
        while self.calls.open:
            self.calls.end(next(iter(self.calls.open.values())), "normal", "local")
        self.routing.agents.close()
        events = self._recorder.take()
        return self._unruly.close(events) if self._unruly else events

    # --- Commands from outside, such as an agent's desktop sends to a platform --------------------------------------

    def take_over(self, agent_id: str) -> None:
        """Let a client of the API act for the agent."""
        agent = self.routing.agents.of(agent_id)
        agent.is_manual, agent.commanded_at = True, self._recorder.seconds

    @property
    def manual_agents(self) -> list[str]:
        """The ids of the agents for whom a client of the API acts."""
        return [agent.person.id for agent in self.routing.agents.all if agent.is_manual]

    def return_absent(self, connected: Collection[str]) -> None:
        """Let the simulation act again for the agents whose desktop is gone.

        `connected` are the ids of those who have one. Others are given a minute after their last command.
        """
        for agent in self.routing.agents.all:
            silent = self._recorder.seconds - agent.commanded_at
            if agent.is_manual and agent.person.id not in connected and silent >= ABSENT_SECONDS:
                self.routing.agents.give_back(agent)

    def set_status(self, agent_id: str, status: str) -> None:
        """Set an agent's status, after the call if there is one."""
        agent = self.routing.agents.of(agent_id)
        if status not in STATUS_CHOICES:
            raise Impossible(f"An agent can choose to be {', '.join(STATUS_CHOICES)}")
        if agent.call is not None:
            agent.next_status = status
        else:
            self.routing.agents.set_status(agent, status)

    def accept(self, call_id: str, agent_id: str) -> None:
        """Connect the agent to the call that rings."""
        self.routing.accept(self.routing.agents.of(agent_id), self._call(call_id))

    def transfer(self, call_id: str, to: str) -> None:
        """Transfer a call that an agent talks on to the agent or queue with the id `to`."""
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
        """End the call from the local side."""
        self.calls.end(self._call(call_id), "normal", "local")

    def send_message(self, number: str, text: str, *, automatic: bool = False) -> str:
        """Send a message to a telephone number; return its id."""
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
        # The first calls come soon, so that a dashboard just opened shows that it works.
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
        """Return the number of conference participants still to come."""
        return sum(conference.expected for conference in self._conferences)

    def _begin_call(self) -> None:
        if not self._no_more_calls():
            self._call_flows.begin()

    def _next_call(self) -> None:
        if self._no_more_calls():
            return
        # Drawn at the rate of the peak, of which only a share is taken: no pause lasts through a surge.
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
        """Return the random seconds until the next of arrivals that come `per_minute` on average."""
        return self._recorder.random.expovariate(per_minute / 60)

    def _find_caller(self, besides: list[Caller] | None = None) -> Caller:
        busy = {call.caller.number for call in self.calls.open.values()}
        busy.update(caller.number for caller in besides or ())
        # A few draws only: with a thousand calls at once all known callers are on the telephone.
        for _ in range(4):
            caller = self._recorder.random.choice(self._known)
            if caller.number not in busy:
                return caller
        return random_caller(self._recorder.random)
