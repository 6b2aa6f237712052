"""Simulated events as VoIPBIN's webhooks, so that both ways of publishing are in use.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from voipbin_ws.demo.simulation.model.event_recorder import SimulatedEvent

KINDS: Final[Mapping[str, str]] = {
    "message.received": "message_created",
    "message.sent": "message_created",
    "message.delivery": "message_updated",
    "conference.joined": "conferencecall_joined",
    "conference.left": "conferencecall_leaved",
    "conference.ended": "conference_deleted",
    "recording.started": "recording_started",
    "recording.completed": "recording_finished",
    "transcription.completed": "transcribe_done",
}
"""Event types with a webhook of VoIPBIN, which carries the whole resource."""

NOT_YET: Final = "9999-01-01 00:00:00.000000"
_DERIVED: Final = frozenset({"call_id", "transcription_id", "tm_join", "tm_leave", "duration"})
"""Fields that VoIPBIN does not send; the gateway derives them."""


def as_webhook(event: SimulatedEvent) -> dict[str, Any] | None:
    """Return the event's webhook, or `None` if it is published as an event."""
    kind = KINDS.get(event.event_type)
    if kind is None or event.agent_ids:
        return None
    data = {
        name: _voipbin_time(value) if name.startswith("tm_") else value
        for name, value in event.data.items()
        if name not in _DERIVED
    }
    if event.event_type.startswith("message."):
        status, destination = data.pop("status"), data.pop("destination")
        target = {"destination": destination, "status": status, "parts": 1, "tm_update": data["tm_update"]}
        data["targets"] = [target]
    return {"type": kind, "data": {"tm_delete": NOT_YET, **data}}


def _voipbin_time(stamp: object) -> object:
    """Return a timestamp as VoIPBIN writes it: UTC without a zone."""
    return stamp.replace("T", " ").removesuffix("Z") if isinstance(stamp, str) else stamp
