"""The conversation of a WebSocket on an event stream.

Sans-I/O. An event stream has its topics and its start in its address, and the client cannot send. So a subscription
opens the stream again, with all topics, after the last message; the server resumes there as after any break.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from voipbin_ws_client.protocol import Action
from voipbin_ws_client.updates import Frame


@dataclass(slots=True)
class _Pending:
    request_id: Any
    topics: set[str]
    resumes: bool


class NotResumed(Exception):
    """A stream does not continue where the last one ended; the message is the reason."""


class StreamMessages:
    """The topics of a stream with their filters, and the messages that wait for their answer."""

    def __init__(self) -> None:
        self.position: str | None = None
        """The id of the last message, after which the next stream starts."""
        self._topics: dict[str, str] = {}
        self._pending: list[_Pending] = []
        self._pings: list[Any] = []

    @property
    def query(self) -> list[tuple[str, str]]:
        """The parameters of the stream's address; none without topics, when no stream is needed."""
        groups: dict[str, list[str]] = {}
        for topic, chosen in self._topics.items():
            groups.setdefault(chosen, []).append(topic)
        query: list[tuple[str, str]] = []
        for chosen, topics in groups.items():
            query += [("topics", ",".join(topics)), *([("filter", chosen)] if chosen else [])]
        return [*query, ("since", self.position)] if query and self.position else query

    def send(self, message: Frame) -> list[Frame]:
        """Take a message of the client; return the answers that need no server.

        Afterwards the stream must be opened again.
        """
        match message["type"]:
            case Action.SUBSCRIBE:
                since = message.get("since")
                self.position = self.position or since
                chosen = json.dumps(message["filter"]) if "filter" in message else ""
                self._topics.update(dict.fromkeys(message["topics"], chosen))
                self._pending.append(
                    _Pending(message["request_id"], set(message["topics"]), since is not None)
                )
            case Action.UNSUBSCRIBE:
                for topic in message["topics"]:
                    self._topics.pop(topic, None)
                return [{**message, "type": "ack", "action": Action.UNSUBSCRIBE, "status": "success"}]
            case "ping" if self._topics:
                # The ack of the stream that opens again is the sign of life.
                self._pings.append(message.get("request_id"))
            case "ping":
                return [_pong(message.get("request_id"))]
        return []

    def receive(self, frame: Frame) -> list[Frame]:
        """Return a frame of the stream as the answers to the requests that it concerns.

        Raises:
            NotResumed: events of topics that were granted before may be lost, so the client must resume itself.
        """
        topics = frame.get("topics")
        if "event_type" in frame or not isinstance(topics, list):
            return [frame]
        if frame.get("type") == "error":
            for topic in topics:
                self._topics.pop(topic, None)
        answers = self._answers(frame, topics)
        if frame.get("type") == "ack":
            answers += [_pong(request_id) for request_id in self._pings]
            self._pings.clear()
        return answers

    def _answers(self, frame: Frame, topics: Sequence[str]) -> list[Frame]:
        answers: list[Frame] = []
        new = set(topics)
        for pending in self._pending:
            answered = [topic for topic in topics if topic in pending.topics]
            if not answered:
                continue
            pending.topics.difference_update(answered)
            new.difference_update(answered)
            answer = {**frame, "topics": answered, "request_id": pending.request_id}
            if not pending.resumes:
                answer.pop("recovered", None)
            answers.append(answer)
        self._pending = [pending for pending in self._pending if pending.topics]
        held = [topic for topic in topics if topic in new]
        if held and frame.get("type") == "error":
            answers.append({**frame, "topics": held})
        elif held and frame.get("recovered") is False:
            raise NotResumed(str(frame.get("reason")))
        return answers


def _pong(request_id: Any) -> Frame:
    return {"type": "pong", "request_id": request_id}
