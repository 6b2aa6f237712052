"""An event as one line of text for the terminal.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from voipbin_ws_client.updates import Event

from events.domain.topics import ANY

SHORT_ID_CHARACTERS = 8
MAX_VALUE_CHARACTERS = 60
TYPE_WIDTH = 20

COLOURS = {"call": "36", "message": "35", "queue": "33", "agent": "32", "conference": "34", "recording": "31"}
OTHER_COLOUR = "37"
DIM = "2"

# In the order of the line: the most important fields come first.
SHOWN_FIELDS = (
    *("direction", "text", "queue_id", "call_id", "agent_id", "position", "estimated_wait", "wait_time"),
    *("participant_count", "current_action", "result", "duration", "reason", "hangup_reason"),
)


def event_line(event: Event, *, colour: bool = False) -> str:
    """Return the line: time in the machine's zone, type, resource id and important fields.

    Control characters of an event are replaced, so that it cannot control the terminal.
    """
    when = _clock_time(event.timestamp)
    resource = event.type.partition(".")[0]
    name = printable(event.type).ljust(TYPE_WIDTH)
    own_id = event.topic.rpartition(":")[2]
    resource_id = printable(_short(own_id)).ljust(SHORT_ID_CHARACTERS)
    if colour:
        when, resource_id = _coloured(when, DIM), _coloured(resource_id, DIM)
        name = _coloured(name, COLOURS.get(resource, OTHER_COLOUR))
    return "  ".join([when, name, resource_id, *_details(event.data, own_id)]).rstrip()


def printable(text: str) -> str:
    """Return the text with a replacement character for each that is not printable."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _coloured(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def _clock_time(timestamp: str) -> str:
    try:
        return datetime.fromisoformat(timestamp).astimezone().strftime("%H:%M:%S.%f")[:-3]
    except (ValueError, OverflowError):
        return printable(timestamp)[:12].ljust(12)


def _short(value: str) -> str:
    return value[:SHORT_ID_CHARACTERS] if value != ANY else ""


def _details(data: Mapping[str, Any], own_id: str) -> Iterator[str]:
    status, previous = data.get("status"), data.get("previous_status")
    if status is not None:
        yield f"{_value(previous)} → {_value(status)}" if previous else _value(status)
    if (source := _party(data.get("source"))) or _party(data.get("destination")):
        yield f"{source or '?'} → {_party(data.get('destination')) or '?'}"
    for name in SHOWN_FIELDS:
        value = data.get(name)
        if value not in (None, "", own_id):
            yield f"{name}={_value(value, short=name.endswith('_id'))}"


def _party(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("target") or value.get("target_name")
    return _value(value) if isinstance(value, str) else ""


def _value(value: Any, *, short: bool = False) -> str:
    if isinstance(value, Mapping):
        value = value.get("name") or value.get("type") or value.get("id") or "…"
    text = printable(str(value))
    if short:
        return _short(text)
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[: MAX_VALUE_CHARACTERS - 1]}…"
