"""The status of simulated agents: breaks, wrap-up work, and what a client of the API decides meanwhile."""

from __future__ import annotations

import pytest

from tests.voipbin_ws.demo.simulation.support.simulated_days import START, of
from voipbin_ws.demo.simulation.model.agents import Agent, Agents
from voipbin_ws.demo.simulation.model.calls import Calls
from voipbin_ws.demo.simulation.model.event_recorder import EventRecorder
from voipbin_ws.demo.simulation.model.fake_data import random_caller
from voipbin_ws.demo.simulation.model.tenants import ACME


class Shift:
    """The agents of Acme, all available, of whom a test looks at `anna`."""

    def __init__(self) -> None:
        self.recorder = EventRecorder(ACME.id, "shift", START)
        self.agents = Agents(self.recorder, ACME.agents, lambda: None)
        self.agents.open()
        self.anna, *self.others = self.agents.all
        self.recorder.take()

    def statuses(self, until: float) -> list[str]:
        """Return the new statuses of `anna` up to this time."""
        self.recorder.run(until)
        changes = of(self.recorder.take(), "agent.status")
        return [each.data["status"] for each in changes if each.data["agent_id"] == self.anna.person.id]

    def talk(self, agent: Agent) -> None:
        """Let the agent talk on a call."""
        calls = Calls(self.recorder, ACME)
        agent.call = calls.begin(random_caller(self.recorder.random), "Support line", inbound=True)
        self.agents.set_status(agent, "busy")


@pytest.fixture
def shift() -> Shift:
    return Shift()


def test_the_status_that_an_agent_has_is_no_change(shift: Shift) -> None:
    shift.agents.set_status(shift.anna, "available")
    assert shift.statuses(1) == []


def test_a_break_ends_after_its_time(shift: Shift) -> None:
    shift.agents.take_break(shift.anna, 20)
    assert shift.statuses(19) == ["away"]
    assert shift.statuses(21) == ["available"]


def test_a_break_ends_without_a_change_for_an_agent_who_came_back_before(shift: Shift) -> None:
    shift.agents.take_break(shift.anna, 20)
    shift.recorder.run(10)
    shift.agents.set_status(shift.anna, "available")
    assert shift.statuses(10) == ["away", "available"]
    assert shift.statuses(60) == []


def test_the_break_of_an_agent_who_was_taken_over_has_no_end(shift: Shift) -> None:
    shift.agents.take_break(shift.anna, 20)
    shift.anna.is_manual = True
    assert shift.statuses(60) == ["away"]


def test_an_agent_on_a_call_takes_the_break_after_it(shift: Shift) -> None:
    shift.talk(shift.anna)
    shift.agents.take_break(shift.anna, 20)
    assert shift.statuses(10) == ["busy"]
    shift.agents.release(shift.anna)
    assert shift.statuses(39) == ["away"]
    assert shift.statuses(41) == ["available"]


def test_a_break_is_dropped_if_the_call_lasts_longer(shift: Shift) -> None:
    shift.talk(shift.anna)
    shift.agents.take_break(shift.anna, 20)
    assert shift.statuses(50) == ["busy"]
    shift.agents.release(shift.anna)
    assert shift.statuses(60) == ["available"]


@pytest.mark.parametrize("status", ["ringing", "away", "offline"])
def test_only_an_agent_who_is_available_or_busy_takes_a_break(shift: Shift, status: str) -> None:
    shift.agents.set_status(shift.anna, status)
    shift.agents.take_break(shift.anna, 20)
    assert shift.statuses(60) == [status]
    assert shift.anna.next_status is None


def test_a_manual_agent_is_not_sent_away(shift: Shift) -> None:
    shift.anna.is_manual = True
    shift.agents.take_break(shift.anna, 20)
    assert shift.statuses(60) == []


@pytest.mark.parametrize("status", ["away", "offline"])
def test_the_last_agent_at_work_takes_no_break(shift: Shift, status: str) -> None:
    for other in shift.others:
        shift.agents.set_status(other, status)
    shift.agents.take_break(shift.anna, 20)
    assert shift.statuses(60) == []


def test_an_agent_who_went_offline_after_a_call_stays_offline(shift: Shift) -> None:
    shift.talk(shift.anna)
    shift.agents.release(shift.anna)
    shift.agents.set_status(shift.anna, "offline")
    assert shift.statuses(60) == ["busy", "offline"]


def test_an_agent_who_has_the_next_call_already_does_not_become_available(shift: Shift) -> None:
    shift.talk(shift.anna)
    shift.agents.come_back(shift.anna, 2, 5)
    assert shift.statuses(60) == ["busy"]


def test_a_person_has_a_minute_to_write_a_note_unless_ready_before(shift: Shift) -> None:
    shift.anna.is_manual = True
    shift.talk(shift.anna)
    shift.agents.release(shift.anna)
    assert shift.statuses(49) == ["busy"]
    assert shift.statuses(61) == ["available"]
    shift.talk(shift.anna)
    shift.agents.release(shift.anna)
    shift.agents.set_status(shift.anna, "available")
    assert shift.statuses(70) == ["busy", "available"]


def test_an_agent_who_went_away_after_a_call_stays_away(shift: Shift) -> None:
    shift.talk(shift.anna)
    shift.agents.release(shift.anna)
    shift.agents.set_status(shift.anna, "away")
    assert shift.statuses(60) == ["busy", "away"]
