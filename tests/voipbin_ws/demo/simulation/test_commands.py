"""The simulated contact centre does what somebody outside commands, where it can be done."""

from __future__ import annotations

import pytest

from tests.voipbin_ws.demo.simulation.support.simulated_days import of, world
from voipbin_ws.demo.simulation.model.agents import Impossible
from voipbin_ws.demo.simulation.model.event_recorder import Happening
from voipbin_ws.demo.simulation.model.tenants import ACME, GLOBEX


class AtWork:
    """A world in which somebody outside acts for every agent, up to where a call rings at one of them."""

    def __init__(self, seed: int = 1) -> None:
        self.world = world(seed)
        for agent in ACME.agents:
            self.world.take_over(agent.id, True)
        self.now = 0.0
        self.told: list[Happening] = []
        while not of(self.told, "call.assigned"):
            self.go_on(1)
        assigned = of(self.told, "call.assigned")[0]
        self.call_id, self.agent_id = assigned.data["id"], assigned.data["agent_id"]

    def go_on(self, seconds: float) -> list[Happening]:
        self.now += seconds
        self.told += (told := self.world.advance(self.now))
        return told

    def of_the_call(self, happenings: list[Happening]) -> list[str]:
        return [
            each.event_type
            for each in happenings
            if self.call_id in (each.data.get("id"), each.data.get("call_id"))
        ]


def test_an_agent_by_hand_accepts_the_call_that_rings() -> None:
    at_work = AtWork()
    assert "call.status" not in at_work.of_the_call(at_work.go_on(1))
    at_work.world.accept(at_work.call_id, at_work.agent_id)
    told = at_work.of_the_call(at_work.go_on(0))
    assert told[:3] == ["agent.status", "queue.connected", "call.status"]
    with pytest.raises(Impossible, match="does not ring"):
        at_work.world.accept(at_work.call_id, at_work.agent_id)


def test_what_was_accepted_while_an_agent_acted_by_itself_is_not_accepted_again() -> None:
    by_itself = world(1)
    told, now = [], 0.0
    while not of(told, "call.assigned"):
        now += 0.1
        told = by_itself.advance(now)
    call = of(told, "call.assigned")[0].data
    by_itself.take_over(call["agent_id"], True)
    by_itself.accept(call["id"], call["agent_id"])
    connected = [
        each
        for each in of(by_itself.advance(now + 8), "queue.connected")
        if each.data["call_id"] == call["id"]
    ]
    assert len(connected) == 1


def test_an_agent_whom_somebody_takes_over_while_it_rings_does_not_pick_up() -> None:
    by_itself = world(1)
    told, now = [], 0.0
    while not of(told, "call.assigned"):
        now += 0.1
        told = by_itself.advance(now)
    call = of(told, "call.assigned")[0].data
    by_itself.take_over(call["agent_id"], True)
    told = by_itself.advance(now + 40)
    missed = [each.data.get("missed_by") for each in of(told, "call.status") if each.data["id"] == call["id"]]
    assert missed[0] == call["agent_id"]


def test_a_call_that_nobody_takes_is_told_as_missed_and_rings_elsewhere() -> None:
    at_work = AtWork(seed=2)
    told = at_work.go_on(25)
    missed = [each for each in of(told, "call.status") if each.data["id"] == at_work.call_id]
    assert missed[0].data["missed_by"] == at_work.agent_id
    assert missed[0].agent_ids == (at_work.agent_id,)
    again = [each for each in of(at_work.told, "call.assigned") if each.data["id"] == at_work.call_id]
    assert len({each.data["agent_id"] for each in again}) == 2


def test_a_call_is_transferred_to_a_queue_and_only_once_it_is_talked_on() -> None:
    at_work = AtWork()
    sales = ACME.queues[1].id
    with pytest.raises(Impossible, match="talks on"):
        at_work.world.transfer(at_work.call_id, sales)
    at_work.world.accept(at_work.call_id, at_work.agent_id)
    at_work.go_on(1)
    at_work.world.transfer(at_work.call_id, sales)
    told = at_work.go_on(0)
    left, joined = (
        each for each in of(told, "queue.left", "queue.joined") if each.data["call_id"] == at_work.call_id
    )
    assert left.data["reason"] == "transferred"
    assert joined.data["queue_id"] == sales


def test_a_call_is_sent_to_voicemail_and_frees_its_agent() -> None:
    at_work = AtWork()
    at_work.world.voicemail(at_work.call_id)
    told = at_work.go_on(5)
    assert {"queue.left", "call.status", "recording.started"} <= set(at_work.of_the_call(told))
    freed = [
        each.data["status"] for each in of(told, "agent.status") if each.data["agent_id"] == at_work.agent_id
    ]
    assert freed[0] == "available"


def test_a_call_is_hung_up_and_is_then_over() -> None:
    at_work = AtWork()
    at_work.world.hang_up(at_work.call_id)
    assert "call.ended" in at_work.of_the_call(at_work.go_on(0))
    with pytest.raises(Impossible, match="over"):
        at_work.world.hang_up(at_work.call_id)


def test_an_agent_chooses_a_status_but_none_that_follows_from_calls() -> None:
    free = world(1)
    agent = ACME.agents[0].id
    free.set_status(agent, "away")
    assert of(free.advance(0), "agent.status")[-1].data["status"] == "away"
    with pytest.raises(Impossible, match="choose"):
        free.set_status(agent, "busy")
    with pytest.raises(Impossible, match="works here"):
        free.set_status(GLOBEX.agents[0].id, "away")
