"""The oracle of one connection: checks all promises by the frames of a client and the log.

For each cursor of an event, ack or pong, the client must have received everything that its topics cover up to it.
Then a client that reconnects with its last cursor has missed nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from events.domain.event import Entry
from events.domain.topics import covering_patterns, known_resources, parse_pattern

RESOURCES = known_resources()


class BrokenPromise(Exception):
    """A client missed an event, received it twice, or received a wrong cursor."""


def promised(kept: object, what: str) -> None:
    if not kept:
        raise BrokenPromise(what)


@dataclass
class Log:
    """One customer's log. `entries` are never deleted; `floor` is how far it was pruned."""

    customer_id: str
    epoch: str
    entries: list[Entry] = field(default_factory=list)
    floor: int = 0

    @property
    def last_seq(self) -> int:
        return len(self.entries)


@dataclass
class Held:
    """A topic of the client, and the number of its log after which it delivers."""

    customer_id: str
    pattern: str
    start: int


class Oracle:
    """Reads the frames of one connection in order; raises BrokenPromise."""

    def __init__(self, logs: Mapping[str, Log], agents: Mapping[str, str]) -> None:
        self.closed: str | None = None
        self.held: dict[str, Held] = {}
        self.cursors: dict[str, str] = {}
        """The last cursor of each customer, with which a client reconnects."""
        self._logs = logs
        self._agents = agents
        self._received: dict[str, set[int]] = {customer_id: set() for customer_id in logs}

    def read(self, frame: str, requests: Mapping[int, Mapping[str, Any]]) -> None:
        """Check the next frame; `requests` are the client's messages by request id."""
        promised(self.closed is None, f"a frame after the closing one: {frame}")
        message = json.loads(frame)
        match message:
            case {"event_type": _}:
                self._event(message)
            case {"type": "ack", "action": "subscribe"}:
                self._subscribed(message, requests[message["request_id"]])
            case {"type": "ack", "action": "unsubscribe"}:
                for topic in message["topics"]:
                    self.held.pop(topic, None)
            case {"type": "pong"}:
                self._cursor(message["cursor"] or "")
            case {"type": "error", "retry": _}:
                self.closed = message["code"]
            case _:
                raise BrokenPromise(f"an answer without a request: {message}")

    def _event(self, message: Mapping[str, Any]) -> None:
        customer_id, seq = self._place(message["cursor"])
        entry = self._logs[customer_id].entries[seq - 1]
        promised(message["id"] == json.loads(entry.frame(""))["id"], "another event than the log has there")
        promised(seq not in self._received[customer_id], f"{seq} came twice")
        topics = self._topics_covered(customer_id, entry)
        promised(topics, f"{seq} of {customer_id} is covered by no topic")
        promised(message["topic"] == topics[0], "not the first topic that covers it")
        self._received[customer_id].add(seq)
        self._cursor(message["cursor"])

    def _subscribed(self, message: Mapping[str, Any], request: Mapping[str, Any]) -> None:
        self._cursor(message["cursor"])
        live = dict(self._place(position) for position in message["cursor"].split(","))
        recovered = message.get("recovered")
        promised((recovered is not None) == ("since" in request), "recovered is the answer to since")
        since = dict(map(self._place, request["since"].split(","))) if recovered else {}
        if recovered is False:
            self._must_be_lost(request["since"], message["reason"])
        # A client that recovers a topic receives again what no topic held meanwhile covers.
        for customer_id, start in since.items():
            entries = self._logs[customer_id].entries[start:]
            forgotten = {entry.seq for entry in entries if not self._topics_covered(customer_id, entry)}
            self._received[customer_id] -= forgotten
        for topic in message["topics"]:
            pattern = parse_pattern(topic, RESOURCES)
            customer_id = self._agents.get(pattern.scope_id, pattern.scope_id)
            start = since[customer_id] if recovered else live[customer_id]
            # Two texts are one pattern, and subscribing again ends nothing.
            before = [held.start for held in self.held.values() if held.pattern == str(pattern)]
            self.held[topic] = Held(customer_id, str(pattern), min([start, *before]))
            for held in self.held.values():
                if held.pattern == str(pattern):
                    held.start = self.held[topic].start

    def _must_be_lost(self, since: str, reason: str) -> None:
        for position in since.split(","):
            customer_id, seq = self._place(position)
            if seq < self._logs[customer_id].floor:
                return
        raise BrokenPromise(f"what is still there was called lost: {reason}")

    def _cursor(self, cursor: str) -> None:
        """Check that everything up to the cursor was sent before it."""
        for position in filter(None, cursor.split(",")):
            customer_id, upto = self._place(position)
            self.cursors[customer_id] = position
            entries = self._logs[customer_id].entries
            promised(upto <= len(entries), "a cursor beyond the log")
            missing = [
                entry.seq
                for entry in entries[:upto]
                if entry.seq not in self._received[customer_id] and self._topics_covered(customer_id, entry)
            ]
            promised(not missing, f"the cursor {position} passes over {missing}")

    def _topics_covered(self, customer_id: str, entry: Entry) -> Sequence[str]:
        starts = {held.pattern: held.start for held in self.held.values() if held.customer_id == customer_id}
        return [
            topic
            for topic in entry.topics
            if any(starts.get(pattern, entry.seq) < entry.seq for pattern in covering_patterns(topic))
        ]

    def _place(self, position: str) -> tuple[str, int]:
        epoch, _, seq = position.partition(".")
        return next(log.customer_id for log in self._logs.values() if log.epoch == epoch), int(seq)

    def is_complete(self) -> None:
        """Check, at rest, that each last cursor, which a pong had, is the end of its log."""
        for customer_id in {held.customer_id for held in self.held.values()}:
            log = self._logs[customer_id]
            promised(
                self.cursors[customer_id] == f"{log.epoch}.{log.last_seq}", "events have stopped arriving"
            )
