"""Routing of calls from queues to agents, between agents, and to their end."""

from __future__ import annotations

from voipbin_ws.demo.simulation.model.agents import Agent, Agents, Impossible
from voipbin_ws.demo.simulation.model.calls import Call, Calls
from voipbin_ws.demo.simulation.model.event_recorder import EventRecorder, Timer
from voipbin_ws.demo.simulation.model.load_profiles import Profile
from voipbin_ws.demo.simulation.model.queues import Queues
from voipbin_ws.demo.simulation.model.tenants import Queue, Tenant


class Routing:
    """Agents and queues. Every agent serves every queue, the longest waiting call first."""

    def __init__(self, recorder: EventRecorder, calls: Calls, tenant: Tenant, profile: Profile) -> None:
        self._recorder = recorder
        self._calls = calls
        self._profile = profile
        self._patience: dict[str, Timer] = {}
        self.agents = Agents(recorder, tenant.agents, self._dispatch)
        self.queues = Queues(recorder, tenant.queues)

    def join(self, call: Call, queue: Queue) -> None:
        """Put the call into the queue, where its caller waits as long as patience lasts."""
        self._release_at_end(call)
        self.queues.join(call, queue, self._profile.talk[2] / max(self.agents.at_work, 1))
        patience = self._recorder.draw(self._profile.patience)
        self._patience[call.id] = self._calls.later(call, patience, lambda: self._give_up(call))
        self._dispatch()

    def occupy(self, agent: Agent, call: Call) -> None:
        """Let the agent dial an outbound call."""
        self._release_at_end(call)
        agent.call = call
        self.agents.set_status(agent, "busy")

    def accept(self, agent: Agent, call: Call) -> None:
        """Connect the agent to the call that rings.

        Raises:
            Impossible: the call does not ring at this agent.
        """
        if agent.call is not call or agent.status != "ringing":
            raise Impossible(f"This call does not ring at {agent.person.name} any more")
        self._patience.pop(call.id, None)
        # The caller's patience, and the end of the ringing.
        call.drop_timers()
        self.agents.set_status(agent, "busy")
        self.queues.connect(call, agent.person.id)
        self._calls.answer(call)
        if self._recorder.chance(0.6):
            self._calls.start_recording(call)
        self._talk(agent, call)

    def transfer(self, call: Call, to: Agent | Queue) -> None:
        """Transfer a call that an agent talks on to another agent or to a queue.

        Raises:
            Impossible: no agent talks on it, or the other agent is not available.
        """
        agent = self.agents.of_call(call)
        if agent is None or agent.status != "busy" or call.answered_at is None:
            raise Impossible("Only a call that an agent talks on can be transferred")
        if isinstance(to, Agent) and to.status != "available":
            raise Impossible(f"{to.person.name} is {to.status}")
        self.take_away(call, "transferred")
        call.more["transferred_from"] = agent.person.id
        if isinstance(to, Agent):
            self._ring(to, call)
        else:
            self._calls.next_action(call, "queue_join", f"Transferred to {to.name}")
            self.join(call, to)

    def take_away(self, call: Call, reason: str) -> None:
        """Take the call from its agent and its queue without ending it."""
        agent = self.agents.of_call(call)
        call.drop_timers()
        self._patience.pop(call.id, None)
        self.queues.leave(call, reason)
        call.agent = None
        if agent is not None:
            self.agents.release(agent)

    def hang_up_in(self, call: Call, seconds: float) -> None:
        """End the call in `seconds`, mostly by the remote side."""
        by = "remote" if self._recorder.chance(0.7) else "local"
        self._calls.later(call, seconds, lambda: self._calls.end(call, "normal", by))

    def _release_at_end(self, call: Call) -> None:
        """Free the agent and the queue when the call ends."""
        if self._ended not in call.when_ended:
            call.when_ended.append(self._ended)

    def _ended(self, call: Call) -> None:
        self._patience.pop(call.id, None)
        entry = self.queues.entry_of(call)
        self.queues.leave(call, "abandoned" if entry and entry.waiting else "done")
        if agent := self.agents.of_call(call):
            self.agents.release(agent)

    def _give_up(self, call: Call) -> None:
        self._calls.end(call, "cancel" if call.answered_at is None else "normal", "remote")

    def _dispatch(self) -> None:
        """Ring every available agent with the call that waits longest."""
        while agent := self.agents.pick():
            waiting = [entry for entry in self.queues.waiting() if entry.call.agent is None]
            if not waiting:
                return
            self._ring(agent, waiting[0].call)

    def _ring(self, agent: Agent, call: Call) -> None:
        self._release_at_end(call)
        agent.call = call
        self._calls.assign(call, agent.person, self.queues.waited(call))
        self.agents.set_status(agent, "ringing")
        rings, missed = self._recorder.between(2, 6), self._recorder.chance(0.06)
        if agent.is_manual or missed:
            self._calls.later(call, 20 if agent.is_manual else 10, lambda: self._miss(agent, call))
        else:
            self._calls.later(call, rings, lambda: self._pick_up(agent, call))

    def _pick_up(self, agent: Agent, call: Call) -> None:
        if agent.is_manual:
            # The agent was taken over while the call rang: leave time to decide.
            self._calls.later(call, 20, lambda: self._miss(agent, call))
        else:
            self.accept(agent, call)

    def _miss(self, agent: Agent, call: Call) -> None:
        """Record a missed call: it keeps its place in the queue, and the agent becomes away."""
        agent.call = None
        self._calls.unassign(call, agent.person, "no_answer")
        self.agents.set_status(agent, "away")
        if not agent.is_manual:
            self.agents.come_back(agent, 8, 20)
        if self.queues.entry_of(call) is None:
            # A transferred call has no place in a queue to return to.
            self._calls.end(call, "noanswer", "local")
        self._dispatch()

    def _talk(self, agent: Agent, call: Call) -> None:
        talk = self._recorder.draw(self._profile.talk)
        if agent.is_manual:
            self.hang_up_in(call, talk * 3)  # Unless the client of the API ends it before.
        elif self._recorder.chance(0.12):
            self._calls.later(call, talk / 2, lambda: self._hand_on(call, talk / 2))
        else:
            self.hang_up_in(call, talk)

    def _hand_on(self, call: Call, otherwise: float) -> None:
        others = [queue for queue in self.queues.by_id.values() if queue is not call.queue]
        to = self.agents.pick(automatic_only=True)
        if to is not None and self._recorder.chance(0.4):
            self.transfer(call, to)
        elif others:
            self.transfer(call, self._recorder.random.choice(others))
        else:
            self.hang_up_in(call, otherwise)
