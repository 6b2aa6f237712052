"""Platforms' words for directions and statuses, and the published API's words.

A known word of a platform is replaced wherever an event is published, and the original is stored under `voipbin`. An
unknown word stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ORIGINALS = "voipbin"
"""The key in an event's data for the original values, and the type of a webhook."""

DIRECTIONS: Mapping[str, str] = {"incoming": "inbound", "outgoing": "outbound"}

CALL_STATUSES: Mapping[str, str] = {
    "progressing": "answered",
    "noanswer": "no-answer",
    "no_answer": "no-answer",
    "cancelled": "canceled",
}

AGENT_STATUSES: Mapping[str, str] = {
    "ready": "available",
    "online": "available",
    "idle": "available",
    "not_ready": "away",
    "break": "away",
    "on_call": "busy",
    "on-call": "busy",
    "logged_out": "offline",
}

WORDS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("call", "status"): CALL_STATUSES,
    ("call", "previous_status"): CALL_STATUSES,
    ("agent", "status"): AGENT_STATUSES,
    ("agent", "previous_status"): AGENT_STATUSES,
}
"""The published API's words for a platform's, by resource and field; directions are those of all resources.

Case does not count.
"""


def translated(resource: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the data in the published API's words, with the originals under `voipbin`."""
    found = {
        name: word for name in _FIELDS if (word := published_word(resource, name, data.get(name))) is not None
    }
    if not found:
        return data
    key = free_key(data)
    return {**data, **found, key: {name: data[name] for name in found}}


def published_word(resource: str, field: str, value: object) -> str | None:
    """Return the published API's word for a platform's, or `None` if the table has none."""
    if not isinstance(value, str):
        return None
    lower = value.lower()
    words = DIRECTIONS if field == "direction" else WORDS.get((resource, field), {})
    if lower in words:
        return words[lower]
    return lower if lower != value and lower in words.values() else None


def free_key(data: Mapping[str, Any]) -> str:
    """Return a key for the originals that is no other field's."""
    key = ORIGINALS
    while key in data:
        key += "_"
    return key


_FIELDS = ("direction", *dict.fromkeys(field for _, field in WORDS))
