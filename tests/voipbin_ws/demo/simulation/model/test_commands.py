"""The simulated contact centre executes commands, and refuses those that are impossible."""

# Long because all commands of the platform act on the same centre.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.voipbin_ws.demo.simulation.support.simulated_days import START, centre, of
from voipbin_ws.demo.simulation.model.agents import Impossible
from voipbin_ws.demo.simulation.model.contact_centre import ContactCentre
from voipbin_ws.demo.simulation.model.event_recorder import SimulatedEvent
from voipbin_ws.demo.simulation.model.tenants import ACME, GLOBEX


class ManualCentre:
    """A contact centre of manual agents, advanced until a call rings at one of them."""

    def __init__(self, seed: int = 1) -> None:
        self.centre = centre(seed)
        for agent in ACME.agents:
            self.centre.take_over(agent.id)
        self.now = 0.0
        self.recorded: list[SimulatedEvent] = []
        while not of(self.recorded, "call.assigned"):
            self.go_on(1)
        assigned = of(self.recorded, "call.assigned")[0]
        self.call_id, self.agent_id = assigned.data["id"], assigned.data["agent_id"]

    def go_on(self, seconds: float) -> list[SimulatedEvent]:
        self.now += seconds
        self.recorded += (recorded := self.centre.advance(self.now))
        return recorded

    def of_the_call(self, events: list[SimulatedEvent]) -> list[str]:
        return [
            each.event_type
            for each in events
            if self.call_id in (each.data.get("id"), each.data.get("call_id"))
        ]


def ringing_centre() -> tuple[ContactCentre, Mapping[str, Any], float]:
    """A contact centre at the moment at which a call rings whose agent picks up; the call, and the time."""
    ringing, recorded, now = centre(4), list[SimulatedEvent](), 0.0
    while not of(recorded, "call.assigned"):
        now += 0.1
        recorded = ringing.advance(now)
    return ringing, of(recorded, "call.assigned")[0].data, now


def test_a_manual_agent_accepts_the_call_that_rings() -> None:
    manual = ManualCentre()
    assert "call.status" not in manual.of_the_call(manual.go_on(1))
    manual.centre.accept(manual.call_id, manual.agent_id)
    recorded = manual.of_the_call(manual.go_on(0))
    assert recorded[:3] == ["agent.status", "queue.connected", "call.status"]
    with pytest.raises(Impossible, match="does not ring"):
        manual.centre.accept(manual.call_id, manual.agent_id)


def test_a_call_accepted_by_hand_is_not_accepted_again_by_the_simulation() -> None:
    automatic_centre, call, now = ringing_centre()
    automatic_centre.take_over(call["agent_id"])
    automatic_centre.accept(call["id"], call["agent_id"])
    connected = [
        each
        for each in of(automatic_centre.advance(now + 8), "queue.connected")
        if each.data["call_id"] == call["id"]
    ]
    assert len(connected) == 1


def test_an_agent_picks_up_a_call_within_seconds() -> None:
    automatic_centre, call, now = ringing_centre()
    (connected,) = (
        each
        for each in of(automatic_centre.advance(now + 6), "queue.connected")
        if each.data["call_id"] == call["id"]
    )
    assert connected.data["agent_id"] == call["agent_id"]


def test_an_agent_taken_over_while_a_call_rings_does_not_pick_up() -> None:
    automatic_centre, call, now = ringing_centre()
    automatic_centre.take_over(call["agent_id"])
    recorded = automatic_centre.advance(now + 40)
    missed = next(each for each in of(recorded, "call.status") if each.data["id"] == call["id"])
    assert missed.data["missed_by"] == call["agent_id"]
    # The agent would have picked up within six seconds, and had twenty more to decide.
    assert 22 <= (missed.at - START).total_seconds() - now <= 26


def test_a_missed_call_is_published_as_missed_and_rings_elsewhere() -> None:
    manual = ManualCentre(seed=2)
    recorded = manual.go_on(25)
    missed = [each for each in of(recorded, "call.status") if each.data["id"] == manual.call_id]
    assert missed[0].data["missed_by"] == manual.agent_id
    assert missed[0].agent_ids == (manual.agent_id,)
    again = [each for each in of(manual.recorded, "call.assigned") if each.data["id"] == manual.call_id]
    assert len({each.data["agent_id"] for each in again}) == 2


def test_a_call_is_transferred_to_a_queue_and_only_once_it_is_talked_on() -> None:
    manual = ManualCentre()
    sales = ACME.queues[1].id
    with pytest.raises(Impossible, match="talks on"):
        manual.centre.transfer(manual.call_id, sales)
    manual.centre.accept(manual.call_id, manual.agent_id)
    manual.go_on(1)
    manual.centre.transfer(manual.call_id, sales)
    recorded = manual.go_on(0)
    left, joined = (
        each for each in of(recorded, "queue.left", "queue.joined") if each.data["call_id"] == manual.call_id
    )
    assert left.data["reason"] == "transferred"
    assert joined.data["queue_id"] == sales


def test_a_call_is_transferred_to_an_available_agent_alone() -> None:
    manual = ManualCentre()
    manual.centre.accept(manual.call_id, manual.agent_id)
    first, second = (agent.id for agent in ACME.agents if agent.id != manual.agent_id)
    manual.centre.set_status(first, "away")
    with pytest.raises(Impossible, match="is away"):
        manual.centre.transfer(manual.call_id, first)
    manual.go_on(0)
    manual.centre.transfer(manual.call_id, second)
    (assigned,) = of(manual.go_on(0), "call.assigned")
    assert (assigned.data["id"], assigned.data["agent_id"]) == (manual.call_id, second)
    assert assigned.data["transferred_from"] == manual.agent_id


def test_a_transferred_call_that_is_missed_is_over() -> None:
    manual = ManualCentre()
    manual.centre.accept(manual.call_id, manual.agent_id)
    manual.centre.transfer(
        manual.call_id, next(agent.id for agent in ACME.agents if agent.id != manual.agent_id)
    )
    (ended,) = (each for each in of(manual.go_on(21), "call.ended") if each.data["id"] == manual.call_id)
    assert (ended.data["hangup_reason"], ended.data["hangup_by"]) == ("noanswer", "local")


def test_a_call_is_sent_to_voicemail_and_frees_its_agent() -> None:
    manual = ManualCentre()
    manual.centre.voicemail(manual.call_id)
    recorded = manual.go_on(5)
    assert {"queue.left", "call.status", "recording.started"} <= set(manual.of_the_call(recorded))
    freed = [
        each.data["status"]
        for each in of(recorded, "agent.status")
        if each.data["agent_id"] == manual.agent_id
    ]
    assert freed[0] == "available"


def test_a_call_that_waits_in_a_queue_is_sent_to_voicemail() -> None:
    quiet = centre(1)
    for agent in ACME.agents:
        quiet.set_status(agent.id, "offline")
    recorded, now = list[SimulatedEvent](), 0.0
    while not of(recorded, "queue.joined"):
        now += 1
        recorded = quiet.advance(now)
    call_id = of(recorded, "queue.joined")[0].data["call_id"]
    quiet.voicemail(call_id)
    recorded = [each for each in quiet.advance(now + 4) if call_id in each.data.values()]
    assert [each.event_type for each in recorded][:2] == ["queue.left", "call.status"]
    assert recorded[0].data["reason"] == "voicemail"
    assert of(recorded, "recording.started")


def test_a_call_that_is_with_no_agent_and_in_no_queue_is_not_sent_to_voicemail() -> None:
    young = centre(1)
    (begun,) = of(young.advance(0.5), "call.created")
    with pytest.raises(Impossible, match="no agent and in no queue"):
        young.voicemail(begun.data["id"])


def test_a_call_is_hung_up_and_is_then_over() -> None:
    manual = ManualCentre()
    manual.centre.hang_up(manual.call_id)
    assert "call.ended" in manual.of_the_call(manual.go_on(0))
    with pytest.raises(Impossible, match="over"):
        manual.centre.hang_up(manual.call_id)


def test_a_status_chosen_on_a_call_is_the_one_after_it() -> None:
    manual = ManualCentre()
    manual.centre.accept(manual.call_id, manual.agent_id)
    manual.centre.set_status(manual.agent_id, "away")
    manual.centre.hang_up(manual.call_id)
    statuses = [
        each.data["status"]
        for each in of(manual.go_on(6), "agent.status")
        if each.data["agent_id"] == manual.agent_id
    ]
    assert statuses == ["busy", "away"]


def test_a_message_to_a_known_number_has_the_name_of_its_owner() -> None:
    writing = centre(1)
    (question,) = (
        each
        for each in of(writing.advance(2), "message.received")
        if each.data["text"] == "What are your hours?"
    )
    caller, stranger = question.data["source"], "+15559990000"
    ids = [writing.send_message(number, "From 9 to 5") for number in (caller["target"], stranger)]
    sent = of(writing.advance(2), "message.sent")
    assert [(each.data["id"], each.data["destination"]) for each in sent] == [
        (ids[0], caller),
        (ids[1], {"type": "tel", "target": stranger, "target_name": ""}),
    ]
    assert {each.data["automatic"] for each in sent} == {False}


def test_an_agent_chooses_a_status_but_none_that_follows_from_calls() -> None:
    free = centre(1)
    agent = ACME.agents[0].id
    free.set_status(agent, "away")
    assert of(free.advance(0), "agent.status")[-1].data["status"] == "away"
    with pytest.raises(Impossible, match="choose"):
        free.set_status(agent, "busy")
    with pytest.raises(Impossible, match="works here"):
        free.set_status(GLOBEX.agents[0].id, "away")


def test_an_agent_whose_desktop_is_gone_works_on_after_a_minute() -> None:
    manual = ManualCentre()
    agents = manual.centre.routing.agents
    anna, ben, *_ = ACME.agents
    for person, status in ((anna, "away"), (ben, "offline")):
        manual.centre.take_over(person.id)
        manual.centre.set_status(person.id, status)
    manual.go_on(59)
    manual.centre.return_absent([])
    assert agents.of(anna.id).is_manual
    manual.go_on(2)
    manual.centre.return_absent([anna.id])
    assert (agents.of(anna.id).status, agents.of(ben.id).status) == ("away", "available")
    assert manual.centre.manual_agents == [anna.id]
    manual.centre.return_absent([])
    assert manual.centre.manual_agents == []
    answered = manual.go_on(120)
    assert {each.data["agent_id"] for each in of(answered, "queue.connected")} >= {anna.id, ben.id}


def test_an_agent_who_is_given_back_while_a_call_rings_keeps_it_and_works_on_after_it() -> None:
    manual = ManualCentre()
    agent = manual.centre.routing.agents.of(manual.agent_id)
    manual.centre.take_over(manual.agent_id)
    agent.commanded_at -= 60
    assert agent.call is not None
    manual.centre.return_absent([])
    assert (agent.status, agent.is_manual) == ("ringing", False)
    manual.go_on(120)
    assert agent.status != "offline"
    assert any(each.data["agent_id"] == manual.agent_id for each in of(manual.recorded, "queue.connected"))
