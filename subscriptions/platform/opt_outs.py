"""The keywords in text messages by which people opt out of messages, and in again.

Sans-I/O.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

STOP_WORDS = frozenset(
    {
        *("stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "optout", "opt out"),
        *("revoke", "arret", "arrêt"),
    }
)
"""Keywords of the CTIA's messaging principles and of carriers; valid only alone, in any case."""

START_WORDS = frozenset({"start", "unstop"})
MAX_NUMBER = 128
MAX_KEYWORD = 1000
"""A longer text is no keyword, whatever surrounds it."""

_BETWEEN_WORDS = re.compile(r"[\s_-]+")


def opts_out(text: str) -> bool | None:
    """Return whether a text opts out of messages, or `None` if it is no keyword.

    Punctuation, emoji and invisible characters around a keyword do not count. The pages have the same rule in
    shared/phone-number.js.
    """
    if len(text) > MAX_KEYWORD:
        return None
    letters = [c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf"]
    keep = [unicodedata.category(c)[0] in "LN" for c in letters]
    if True not in keep:
        return None
    inner = letters[keep.index(True) : len(keep) - keep[::-1].index(True)]
    keyword = _BETWEEN_WORDS.sub(" ", "".join(inner)).lower()
    if keyword in STOP_WORDS:
        return True
    return False if keyword in START_WORDS else None


def parse_keyword(message: Mapping[str, Any]) -> tuple[str | None, bool | None]:
    """Return the sender of a received message, and whether the message opts out.

    The number is `None` if there is no valid one, the second value `None` if the text is no keyword.
    """
    source = message.get("source")
    number = source.get("target") if isinstance(source, Mapping) else source
    if not isinstance(number, str) or not 0 < len(number) <= MAX_NUMBER:
        return None, None
    text = message.get("text")
    return number, opts_out(text) if isinstance(text, str) else None
