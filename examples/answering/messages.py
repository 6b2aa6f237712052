"""Text messages, read from the gateway's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """A text message; `phone` is the number of the other side, `line` our own number."""

    id: str
    at: datetime
    received: bool
    automatic: bool
    phone: str
    line: str
    text: str


def read_message(frame: Mapping[str, Any]) -> Message | None:
    """Read an event; `None` if it is no message received or sent, or is not readable."""
    received = frame["event_type"] == "message.received"
    data = frame["data"]
    if not received and frame["event_type"] != "message.sent":
        return None
    targets = data.get("targets")
    first = targets[0] if isinstance(targets, list) and targets and isinstance(targets[0], dict) else {}
    source, destination = (
        _number(data.get("source")),
        _number(data.get("destination") or first.get("destination")),
    )
    try:
        at = datetime.fromisoformat(frame["timestamp"])
    except ValueError:
        return None
    text = data.get("text")
    return Message(
        frame["topic"].split(":", 3)[3],
        at,
        received,
        data.get("automatic") is True,
        source if received else destination,
        destination if received else source,
        text if isinstance(text, str) else "",
    )


def _number(side: object) -> str:
    number = side.get("target") if isinstance(side, dict) else side
    return number if isinstance(number, str) else ""
