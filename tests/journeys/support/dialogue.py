"""The examples in docs/protocol.md: reading them, and playing them against a running gateway.

A block marked `dialogue` holds what goes to and fro: `→` is sent, `←` must come. A word after the mark says whose
credential the client has (a manager's where there is none). What the gateway makes up itself, such as ids, cursors and
times, stands for one value of the same form throughout the document; all the rest must be as it is written.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.journeys.support.conversation import Conversation, get, post
from tests.support.gateway import Gateway

STOPPING = "stopping"
"""Marks the block during which the gateway is stopped; it is played last."""

_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CURSOR = re.compile(r"[0-9a-f]{12}\.\d+(?:,[0-9a-f]{12}\.\d+)*")
_MADE_UP = [
    CURSOR,
    re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"),
]


@dataclass(frozen=True)
class Line:
    """One thing that is sent or that must come, with its place in the document."""

    number: int
    sent: bool
    text: str
    """Its first line and those that continue it."""


@dataclass(frozen=True)
class Dialogue:
    """One block."""

    number: int
    """Of the block's first line in the document."""
    words: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def who(self) -> str:
        return next((word for word in self.words if word != STOPPING), "manager")


def dialogues(document: str) -> Iterator[Dialogue]:
    """All of a document's dialogues, in their order, but last those that stop the gateway."""
    found = [
        Dialogue(number, tuple(words.split()), tuple(_lines(body, number + 1)))
        for kind, words, body, number in blocks(document)
        if kind == "dialogue"
    ]
    yield from sorted(found, key=lambda dialogue: STOPPING in dialogue.words)


def blocks(document: str) -> Iterator[tuple[str, str, str, int]]:
    """All fenced blocks: kind, the words after it, body, and the number of the first line."""
    for block in _BLOCK.finditer(document):
        yield block[1], block[2], block[3], document.count("\n", 0, block.start()) + 1


def _lines(body: str, number: int) -> Iterator[Line]:
    started: Line | None = None
    for offset, text in enumerate(body.splitlines()):
        if text.startswith(("→ ", "← ")):
            if started:
                yield started
            started = Line(number + offset, text.startswith("→"), text[2:])
        elif text.strip():
            assert started, f"line {number + offset} belongs to nothing"
            assert text.startswith("  "), f"line {number + offset} is not indented"
            started = Line(started.number, started.sent, f"{started.text}\n{text}")
    if started:
        yield started


@dataclass
class Player:
    """Plays dialogues against a gateway."""

    gateway: Gateway
    credentials: dict[str, str]
    said: set[str] = field(default_factory=set)
    """Every text that the document's clients send: it must come back as it is."""
    made_up: dict[str, str] = field(default_factory=dict)
    """What stands in the document for what the gateway made up."""

    def play(self, dialogue: Dialogue) -> None:
        """Raises AssertionError, with the line's number, where the gateway says something else."""
        self.said.update(
            text
            for line in dialogue.lines
            if line.sent
            for text in _texts(_json_in(line.text))
            if not CURSOR.fullmatch(text)
        )
        conversation: Conversation | None = None
        answer: httpx.Response | None = None
        for line in dialogue.lines:
            where = f"docs/protocol.md, line {line.number}"
            first, _, rest = line.text.partition("\n")
            if not line.sent and first.isdigit():
                assert answer is not None, f"{where}: an answer to nothing"
                assert answer.status_code == int(first), f"{where}: {answer.status_code} {answer.text}"
                self._compare(json.loads(rest), answer.json(), where)
            elif line.sent and first.startswith(("POST ", "GET ")):
                answer = self._request(dialogue.who, first, rest)
            else:
                if conversation is None:
                    conversation = Conversation(self.gateway, self.credentials[dialogue.who])
                self._exchange(conversation, line, where)
            if STOPPING in dialogue.words and line is dialogue.lines[1]:
                os.kill(self.gateway.pid, signal.SIGTERM)
        if conversation is not None:
            if STOPPING not in dialogue.words:
                assert conversation.before_pong() == [], f"line {dialogue.number}: more came than is written"
            with conversation:
                pass

    def _request(self, who: str, first: str, body: str) -> httpx.Response:
        method, path = first.split()
        path = self._known_in(path)
        if method == "POST":
            return post(self.gateway, self.credentials["publisher"], body, path)
        return get(self.gateway, self.credentials[who], path)

    def _exchange(self, conversation: Conversation, line: Line, where: str) -> None:
        if line.sent:
            conversation.send(self._known_in(line.text))
        elif line.text.startswith("close "):
            assert conversation.until_closed() == ([], int(line.text.split()[1])), where
        else:
            received = conversation.receive_text()
            expected = json.loads(line.text)
            self._compare(expected, json.loads(received), where)
            # The frames are promised to the byte: the same order and spaces.
            assert received == json.dumps(self._known(expected), ensure_ascii=False), where

    def _compare(self, expected: Any, actual: Any, where: str) -> None:
        self._learn(expected, actual)
        assert actual == self._known(expected, actual), where

    def _learn(self, expected: Any, actual: Any) -> None:
        """Remember the gateway's id, cursor or time for each placeholder of the example."""
        if isinstance(expected, dict) and isinstance(actual, dict):
            for key in expected.keys() & actual.keys():
                self._learn(expected[key], actual[key])
        elif isinstance(expected, list) and isinstance(actual, list):
            for one, other in zip(expected, actual, strict=False):
                self._learn(one, other)
        elif (
            isinstance(expected, str)
            and isinstance(actual, str)
            and expected not in self.said
            and any(form.fullmatch(expected) and form.fullmatch(actual) for form in _MADE_UP)
        ):
            self.made_up.setdefault(expected, actual)

    def _known(self, expected: Any, actual: Any = None) -> Any:
        """What is expected, with the gateway's own values in it; `…` stands for whatever is there."""
        if isinstance(expected, dict):
            others = actual if isinstance(actual, dict) else {}
            return {key: self._known(value, others.get(key)) for key, value in expected.items()}
        if isinstance(expected, list):
            others = actual if isinstance(actual, list) and len(actual) == len(expected) else expected
            return [self._known(value, other) for value, other in zip(expected, others, strict=True)]
        if not isinstance(expected, str):
            return expected
        if "…" in expected and isinstance(actual, str):
            pattern = ".+".join(map(re.escape, expected.split("…")))
            return actual if re.fullmatch(pattern, actual) else expected
        return self.made_up.get(expected, expected)

    def _known_in(self, text: str) -> str:
        for written, real in self.made_up.items():
            text = text.replace(written, real)
        return text


def _json_in(text: str) -> Any:
    body = text.partition("\n")[2] if text.startswith(("POST ", "GET ")) else text
    try:
        return json.loads(body)
    except ValueError:
        return text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
