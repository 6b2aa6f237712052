"""What a client is given: events, gaps and refusals, and how frames on the wire are read as such.

Sans-I/O.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voipbin_ws_client.positions import parse_cursor

logger = logging.getLogger(__name__)

Frame = dict[str, Any]

MAX_LOGGED_CHARACTERS = 200
"""How much of a frame that cannot be read is shown in the log."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened. `id` and `cursor` are none where the server is one that gives none."""

    type: str
    timestamp: str
    topic: str
    data: Mapping[str, Any]
    id: str | None
    cursor: str | None
    frame: Mapping[str, Any] = field(repr=False)
    """All of it as it came, with fields that this version knows nothing of."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Events of these topics may be missing here, and cannot be had any more: load their present state anew.

    The topics are live again from `cursor` on (none where the server gives no cursors).
    """

    topics: tuple[str, ...]
    reason: str
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server does not let us hear these topics, or not any more. `retry` is none where it does not say."""

    topics: tuple[str, ...]
    code: str
    message: str
    retry: bool | None = None


Item = Event | Gap | Refusal


def read_frames(text: str) -> list[Frame]:
    """The frames of a text message: one, or events in an array. What cannot be read is logged and left out."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        logger.warning("A frame that is no JSON is ignored (%s): %.*s", error, MAX_LOGGED_CHARACTERS, text)
        return []
    frames = content if isinstance(content, list) else [content]
    readable = [frame for frame in frames if isinstance(frame, dict)]
    if len(readable) < len(frames):
        logger.warning("A frame that is no object is ignored: %.*s", MAX_LOGGED_CHARACTERS, text)
    return readable


def read_event(frame: Frame) -> Event | None:
    """The event that a frame tells of; none, with a line in the log, where it lacks what every event has."""
    event_type, topic, data = frame.get("event_type"), frame.get("topic"), frame.get("data")
    if not isinstance(event_type, str) or not isinstance(topic, str) or not isinstance(data, dict):
        logger.warning("An event that cannot be read is ignored: %.*s", MAX_LOGGED_CHARACTERS, frame)
        return None
    timestamp, identifier, cursor = frame.get("timestamp"), frame.get("id"), frame.get("cursor")
    return Event(
        event_type,
        timestamp if isinstance(timestamp, str) else "",
        topic,
        data,
        identifier if isinstance(identifier, str) else None,
        cursor if isinstance(cursor, str) else None,
        frame,
    )


def read_positions(cursor: object) -> dict[str, int] | None:
    """The numbers by log of a frame's cursor; none where it has none that can be used."""
    if not isinstance(cursor, str) or not cursor:
        return None
    try:
        return parse_cursor(cursor)
    except ValueError:
        logger.warning("A cursor that cannot be read is ignored: %.*s", MAX_LOGGED_CHARACTERS, cursor)
        return None
