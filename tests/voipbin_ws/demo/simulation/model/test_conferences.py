"""A simulated conference with participants who come, leave, or hang up before they are in."""

from __future__ import annotations

from tests.voipbin_ws.demo.simulation.support.simulated_days import START, of
from voipbin_ws.demo.simulation.model.calls import Calls
from voipbin_ws.demo.simulation.model.conferences import Conference
from voipbin_ws.demo.simulation.model.event_recorder import EventRecorder
from voipbin_ws.demo.simulation.model.fake_data import random_caller
from voipbin_ws.demo.simulation.model.tenants import ACME


def test_a_caller_who_hangs_up_before_joining_never_was_in_the_conference() -> None:
    recorder = EventRecorder(ACME.id, "conference", START)
    calls = Calls(recorder, ACME)
    conference = Conference(recorder, calls, "Project call")
    conference.invite(random_caller(recorder.random), 0, 30)
    conference.invite(random_caller(recorder.random), 10, 30)
    recorder.run(0.1)
    (hasty,) = calls.open.values()
    calls.end(hasty, "normal", "remote")
    assert not conference.ended
    recorder.run(60)
    assert conference.ended
    recorded = of(recorder.take(), "conference.joined", "conference.left", "conference.ended")
    assert [each.event_type for each in recorded] == [
        "conference.joined",
        "conference.left",
        "conference.ended",
    ]
    assert hasty.id not in {each.data.get("call_id") for each in recorded}
