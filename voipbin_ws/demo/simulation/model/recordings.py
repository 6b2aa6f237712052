"""Recordings of calls from start to end, and their transcriptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from voipbin_ws.demo.simulation.model.event_recorder import EventRecorder
from voipbin_ws.demo.simulation.model.fake_data import TRANSCRIPTS

HEADER_BYTES: Final = 44
BYTES_A_SECOND: Final = 16_000
"""8,000 samples of two bytes."""

SHORTEST_TRANSCRIBED: Final = 3
"""Shortest recording that is transcribed, in seconds."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A running recording: its start in virtual time, and the fields that its events have."""

    began: float
    facts: Mapping[str, Any]


class Recordings:
    """Records the events of recordings. `domain` is the host of their URLs."""

    def __init__(self, recorder: EventRecorder, domain: str) -> None:
        self._recorder = recorder
        self._domain = domain

    def start(self, call_id: str, agent_id: str | None) -> Recording:
        recorder = self._recorder
        now = recorder.stamp()
        facts = {
            "id": recorder.new_id(),
            "call_id": call_id,
            "reference_type": "call",
            "reference_id": call_id,
            "format": "wav",
            "tm_start": now,
            "tm_create": now,
            **({"owner_type": "agent", "owner_id": agent_id} if agent_id else {}),
        }
        recorder.record("recording.started", {**facts, "status": "recording", "tm_update": now})
        return Recording(recorder.seconds, facts)

    def finish(self, recording: Recording) -> None:
        """Record the end of a recording; a transcription may follow."""
        recorder = self._recorder
        seconds = round(recorder.seconds - recording.began)
        more = {
            "status": "ended",
            "duration": seconds,
            "size": HEADER_BYTES + seconds * BYTES_A_SECOND,
            "reference_url": f"https://recordings.{self._domain}/{recording.facts['id']}.wav",
            "tm_end": recorder.stamp(),
            "tm_update": recorder.stamp(),
        }
        recorder.record("recording.completed", {**recording.facts, **more})
        if seconds >= SHORTEST_TRANSCRIBED and recorder.chance(0.7):
            recorder.after(recorder.between(2, 6), lambda: self._transcribe(recording.facts))

    def _transcribe(self, recorded: Mapping[str, Any]) -> None:
        recorder = self._recorder
        transcription_id = recorder.new_id()
        owner = {name: recorded[name] for name in ("owner_type", "owner_id") if name in recorded}
        facts = {
            "id": transcription_id,
            "transcription_id": transcription_id,
            "call_id": recorded["call_id"],
            "recording_id": recorded["id"],
            "reference_type": "call",
            "reference_id": recorded["call_id"],
            "status": "done",
            "language": "en-US",
            "text": recorder.random.choice(TRANSCRIPTS),
            "tm_create": recorder.stamp(),
            "tm_update": recorder.stamp(),
        }
        recorder.record("transcription.completed", facts | owner)
