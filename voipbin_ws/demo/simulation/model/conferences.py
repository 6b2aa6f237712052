"""Conferences: several callers who join, stay and leave."""

from __future__ import annotations

from typing import Any

from voipbin_ws.demo.simulation.model.calls import Call, Calls
from voipbin_ws.demo.simulation.model.event_recorder import EventRecorder
from voipbin_ws.demo.simulation.model.fake_data import Caller


class Conference:
    """One conference, from the first participant's arrival to the last one's leaving."""

    def __init__(self, recorder: EventRecorder, calls: Calls, name: str) -> None:
        self.id = recorder.new_id()
        self._recorder = recorder
        self._calls = calls
        self._name = name
        self._present: set[str] = set()
        self._joined: dict[str, tuple[str, str]] = {}
        self.expected = 0
        self.ended = False

    def invite(self, caller: Caller, seconds: float, stays: float) -> None:
        """Let a caller arrive in `seconds` from now and stay for `stays` seconds."""
        self.expected += 1
        self._recorder.after(seconds, lambda: self._arrive(caller, stays))

    def cancel_invitations(self) -> None:
        """Cancel all participants who have not arrived."""
        self.expected = 0
        self._end_if_over()

    def _arrive(self, caller: Caller, stays: float) -> None:
        self.expected -= 1
        call = self._calls.begin(caller, self._name, inbound=True)
        self._present.add(call.id)
        call.when_ended.append(self._leave)
        self._calls.later(call, self._recorder.between(0.5, 1.5), lambda: self._join(call, stays))

    def _join(self, call: Call, stays: float) -> None:
        self._calls.answer(call)
        self._calls.next_action(call, "conference_join", self._name)
        self._joined[call.id] = (self._recorder.new_id(), self._recorder.stamp())
        self._record("conference.joined", call, {"status": "joined"})
        self._calls.later(call, stays, lambda: self._calls.end(call, "normal", "remote"))

    def _leave(self, call: Call) -> None:
        if call.id in self._joined:
            gone = {"status": "leaved", "reason": "hangup", "tm_leave": self._recorder.stamp()}
            self._record("conference.left", call, gone)
        self._present.discard(call.id)
        self._end_if_over()

    def _end_if_over(self) -> None:
        if self.ended or self._present or self.expected:
            return
        self.ended = True
        stamp = self._recorder.stamp()
        self._recorder.record(
            "conference.ended",
            {
                "id": self.id,
                "conference_id": self.id,
                "name": self._name,
                "status": "terminated",
                "participant_count": 0,
                "reason": "everyone left",
                "tm_end": stamp,
                "tm_update": stamp,
            },
        )

    def _record(self, event_type: str, call: Call, more: dict[str, Any]) -> None:
        leaving = event_type == "conference.left"
        participant_id, tm_join = self._joined.pop(call.id) if leaving else self._joined[call.id]
        facts: dict[str, Any] = {
            "id": participant_id,
            "conference_id": self.id,
            "name": self._name,
            "activeflow_id": call.activeflow_id,
            "call_id": call.id,
            "reference_type": "call",
            "reference_id": call.id,
            "participant": call.caller.name,
            "participant_count": len(self._joined),
            "tm_join": tm_join,
            "tm_create": tm_join,
            "tm_update": self._recorder.stamp(),
        }
        self._recorder.record(event_type, facts | more)
