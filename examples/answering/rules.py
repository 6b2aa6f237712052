"""Rules of a TOML file: the reply to a text, and the keywords STOP and START."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from events.domain.phone_number import REGIONS
from examples.answering.errors import FatalError

MAX_REPLY = 1600
"""In characters: ten parts of an SMS."""

Words = tuple[str, ...]


def words_of(text: str) -> Words:
    """Return the words of a text, without case, punctuation and typographic forms."""
    return tuple(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


@dataclass(frozen=True, slots=True)
class Rule:
    """A reply, and the keywords that it is sent for; a keyword has one or several words."""

    keywords: tuple[Words, ...]
    reply: str

    def matches(self, words: Words) -> bool:
        return any(
            words[start : start + len(keyword)] == keyword
            for keyword in self.keywords
            for start in range(len(words) - len(keyword) + 1)
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """The content of the file. `stop` and `start` match only a whole message."""

    stop: Rule
    start: Rule
    rules: tuple[Rule, ...]
    most_an_hour: int
    answer_within: timedelta
    region: str = ""
    """The ISO 3166 code of the region whose national numbers are understood, or "" for none."""

    def parse_keyword(self, text: str) -> Rule | None:
        """Return `stop` or `start` if the text is one of their keywords, else `None`."""
        words = words_of(text)
        return next((rule for rule in (self.stop, self.start) if words in rule.keywords), None)

    def reply_to(self, text: str) -> str | None:
        """Return the reply of the first rule that matches; `None` if no rule does."""
        words = words_of(text)
        return next((rule.reply for rule in self.rules if rule.matches(words)), None)


def read_rules(path: Path) -> Rules:
    """Read the rules of a TOML file.

    Raises:
        FatalError: the file cannot be read, or is not valid.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        _refuse_unknown(
            content, "", {"stop", "start", "rules", "most_an_hour", "answer_within_hours", "region"}
        )
        given = content.get("rules", [])
        if not isinstance(given, list):
            raise FatalError("rules: write each as [[rules]], with keywords and reply")
        stop, start = (_rule(content.get(name), name, "words") for name in ("stop", "start"))
        if both := set(stop.keywords) & set(start.keywords):
            raise FatalError(f"start.words: {' '.join(min(both))!r} is one of stop.words as well")
        return Rules(
            stop,
            start,
            tuple(_rule(each, f"rules, number {number}", "keywords") for number, each in enumerate(given, 1)),
            _positive_integer(content, "most_an_hour", 5),
            timedelta(hours=_positive_integer(content, "answer_within_hours", 24)),
            _region(content),
        )
    except OSError as error:
        raise FatalError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, FatalError) as error:
        raise FatalError(f"{path}: {error}") from None


def _rule(given: object, where: str, name: str) -> Rule:
    if not isinstance(given, dict):
        raise FatalError(f"{where}: it is needed, with {name} and reply")
    _refuse_unknown(given, f"{where}: ", {name, "reply"})
    keywords, reply = given.get(name), given.get("reply")
    if not isinstance(keywords, list) or not keywords or not all(isinstance(each, str) for each in keywords):
        raise FatalError(f'{where}: {name} is needed, a list such as ["hours", "opening times"]')
    if empty := [each for each in keywords if not words_of(each)]:
        raise FatalError(f"{where}: there is no word in {empty[0]!r} of {name}")
    if not isinstance(reply, str) or not 0 < len(reply.strip()) <= MAX_REPLY:
        raise FatalError(f"{where}: reply is needed, a text of up to {MAX_REPLY} characters")
    return Rule(tuple(map(words_of, keywords)), reply.strip())


def _refuse_unknown(content: Mapping[str, Any], where: str, names: set[str]) -> None:
    if unknown := sorted(set(content) - names):
        raise FatalError(f"{where}{unknown[0]!r} is not known: there are {', '.join(sorted(names))}")


def _region(content: Mapping[str, Any]) -> str:
    region: object = content.get("region", "")
    if isinstance(region, str) and (region == "" or region in REGIONS):
        return region
    raise FatalError("region: write an ISO 3166 code such as US or DE")


def _positive_integer(content: Mapping[str, Any], name: str, default: int) -> int:
    value = content.get(name, default)
    if type(value) is not int or not 0 < value <= 10_000:
        raise FatalError(f"{name}: write a whole number from 1 to 10000, such as {default}")
    return value
