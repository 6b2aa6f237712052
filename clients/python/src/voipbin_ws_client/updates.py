"""The items that an application receives, and reading them from frames.

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
"""How much of an unreadable frame is logged."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event. `id` and `cursor` are `None` if the server does not send them."""

    type: str
    timestamp: str
    topic: str
    data: Mapping[str, Any]
    id: str | None
    cursor: str | None
    frame: Mapping[str, Any] = field(repr=False)
    """The whole frame, with fields that this version does not know."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Events of these topics may be lost here: load their current state again.

    The topics are live from `cursor` on; `None` if the server sends no cursors.
    """

    topics: tuple[str, ...]
    reason: str
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server refuses these topics or has withdrawn them; `retry` is `None` if not sent.

    `retry_after` are the seconds after which the server would accept the same, `None` if not sent.
    """

    topics: tuple[str, ...]
    code: str
    message: str
    retry: bool | None = None
    retry_after: float | None = None


Item = Event | Gap | Refusal


def read_frames(text: str) -> list[Frame]:
    """Read a text message: one frame, or an array of them. Unreadable ones are only logged."""
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
    """Read an event; `None`, after logging a warning, if it lacks a required field."""
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
    """Read a frame's cursor; `None` if there is none or it is not valid."""
    if not isinstance(cursor, str) or not cursor:
        return None
    try:
        return parse_cursor(cursor)
    except ValueError:
        logger.warning("A cursor that cannot be read is ignored: %.*s", MAX_LOGGED_CHARACTERS, cursor)
        return None
