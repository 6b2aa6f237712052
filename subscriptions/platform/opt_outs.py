"""The keywords in text messages by which people opt out of messages, and in again.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"})
"""Keywords of the CTIA's messaging principles and of carriers; valid only alone, in any case."""

START_WORDS = frozenset({"start", "unstop"})
MAX_NUMBER = 128
_AROUND = " \t\r\n.,!?\"'“”’"


def parse_keyword(message: Mapping[str, Any]) -> tuple[str | None, bool | None]:
    """Return the sender of a received message, and whether the message opts out.

    The number is `None` if there is no valid one, the second value `None` if the text is no keyword.
    """
    source = message.get("source")
    number = source.get("target") if isinstance(source, Mapping) else source
    if not isinstance(number, str) or not 0 < len(number) <= MAX_NUMBER:
        return None, None
    text = message.get("text")
    keyword = text[:64].strip(_AROUND).lower() if isinstance(text, str) else ""
    if keyword in STOP_WORDS:
        return number, True
    return number, False if keyword in START_WORDS else None
