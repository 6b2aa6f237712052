"""The words by which people say that they want no messages, or want them again.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"})
"""The words of the CTIA's messaging principles and of the carriers; alone in a message, in any case."""

START_WORDS = frozenset({"start", "unstop"})
MAX_NUMBER = 128
_AROUND = " \t\r\n.,!?\"'“”’"


def parse_keyword(message: Mapping[str, Any]) -> tuple[str | None, bool | None]:
    """The number that a received message is from, and whether it wants no messages; none where it does not say."""
    source = message.get("source")
    number = source.get("target") if isinstance(source, Mapping) else source
    if not isinstance(number, str) or not 0 < len(number) <= MAX_NUMBER:
        return None, None
    text = message.get("text")
    word = text[:64].strip(_AROUND).lower() if isinstance(text, str) else ""
    if word in STOP_WORDS:
        return number, True
    return number, False if word in START_WORDS else None
