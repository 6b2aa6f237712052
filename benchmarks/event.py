"""The event that every contestant delivers: about 450 bytes, with a mark that is counted."""

from __future__ import annotations

import json
import uuid
from typing import Any

CALLS = [str(uuid.UUID(int=0xCA11 << 112 | number | 4 << 76 | 8 << 60)) for number in range(20)]
"""The calls of the events, in turn."""


def mark(number: int) -> str:
    """The text that the load client counts; `number` increases by one with each event."""
    return f"@@{number:010d}"


def call_of(number: int) -> str:
    """The call of this event."""
    return CALLS[number % len(CALLS)]


def draft(number: int, **more: Any) -> dict[str, Any]:
    """The event as it is published to the gateway."""
    data = {
        "id": call_of(number),
        "direction": "inbound",
        "source": {"type": "tel", "target": "+15551234567"},
        "language": "en",
        "status": "answered",
        "mark": mark(number),
    }
    return {"event_type": "call.status", "data": data | more}


def frame(number: int, customer_id: str = str(uuid.UUID(int=7))) -> str:
    """The event as the gateway delivers it, for contestants that deliver texts unchanged."""
    event = draft(number)
    return json.dumps(
        {
            "event_type": event["event_type"],
            "timestamp": "2026-01-15T10:30:00.000000Z",
            "topic": f"customer_id:{customer_id}:call:{call_of(number)}",
            "data": event["data"],
            "id": str(uuid.UUID(int=number)),
            "cursor": f"0123456789ab.{number}",
        }
    )
