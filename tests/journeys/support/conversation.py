"""A client of the gateway on the plain websocket-client library, and a publisher over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx
import websocket

from tests.support.answers import check_answer
from tests.support.gateway import Gateway

PATIENCE_SECONDS = 30
"""Bounds a failure; no answer of a working gateway takes as long."""

Frame = dict[str, Any]


def is_presence(frame: object) -> bool:
    """Whether a frame is an event of an agent's presence."""
    return isinstance(frame, dict) and frame.get("event_type") == "agent.presence"


class Closed(Exception):
    """The gateway closed the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"closed with {code} {reason}")
        self.code = code


class Conversation:
    """One WebSocket, with everything it was sent in order."""

    def __init__(self, gateway: Gateway, credential: str, *, query: str = "", **options: Any) -> None:
        """`options` are those of websocket-client's `create_connection`."""
        url = f"{gateway.ws_url}?{urlencode({'token': credential})}{query}"
        self._socket = websocket.create_connection(url, timeout=PATIENCE_SECONDS, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close(timeout=1)

    @property
    def port(self) -> int:
        """The client's own port."""
        assert self._socket.sock is not None
        port: int = self._socket.sock.getsockname()[1]
        return port

    def send(self, message: object) -> None:
        """Send a message: text as it stands, bytes as a binary frame, anything else as JSON."""
        if isinstance(message, bytes):
            self._socket.send_binary(message)
        else:
            self._socket.send(message if isinstance(message, str) else json.dumps(message))

    def receive(self) -> Any:
        """The next frame, read as JSON. Raises Closed where the gateway closes the socket instead.

        Not the presence of agents, which the gateway publishes at a moment of its own.
        """
        while (frame := json.loads(self.receive_text())) and is_presence(frame):
            pass
        return frame

    def receive_text(self) -> str:
        """The next frame as it came. Raises Closed where the gateway closes the socket instead."""
        try:
            opcode, data = self._socket.recv_data()
        except websocket.WebSocketConnectionClosedException:
            raise Closed(1006, "without a word") from None
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise Closed(int.from_bytes(data[:2], "big"), data[2:].decode())
        assert opcode == websocket.ABNF.OPCODE_TEXT, f"a frame of kind {opcode}"
        text: str = data.decode()
        return text

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """All frames up to the close, with their opcodes; none is answered."""
        opcode = None
        while opcode != websocket.ABNF.OPCODE_CLOSE:
            frame: Any = self._socket.recv_frame()  # type: ignore[no-untyped-call]
            opcode = frame.opcode
            yield opcode, bytes(frame.data)

    def ask(self, message: object) -> Frame:
        """Send a message and return the next frame."""
        self.send(message)
        frame: Frame = self.receive()
        return frame

    def subscribe(self, *topics: str, **fields: Any) -> Frame:
        """Subscribe, and return the acknowledgement. Raises AssertionError where the next frame is none."""
        answer = self.ask({"type": "subscribe", "topics": list(topics), **fields})
        assert answer["type"] == "ack", answer
        return answer

    def until(self, cursor: str) -> list[Frame]:
        """All frames up to and with the event that has this cursor."""
        frames = [self.receive()]
        while frames[-1].get("cursor") != cursor:
            frames.append(self.receive())
        return frames

    def before_pong(self) -> list[Frame]:
        """All frames that come before the answer to a ping."""
        frames = [self.ask({"type": "ping", "request_id": "the end"})]
        while frames[-1].get("request_id") != "the end":
            frames.append(self.receive())
        return frames[:-1]

    def until_closed(self) -> tuple[list[Frame], int]:
        """All frames up to the close, and its code."""
        frames: list[Frame] = []
        while True:
            try:
                frames.append(self.receive())
            except Closed as closed:
                return frames, closed.code


def post(
    gateway: Gateway, credential: str, body: object, path: str = "/v1.0/events", **more_headers: str
) -> httpx.Response:
    """Publish: text and bytes go as they stand, anything else as JSON."""
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    headers = {"Content-Type": "application/json", **more_headers}
    if credential:
        headers["Authorization"] = f"Bearer {credential}"
    answer = httpx.post(gateway.url + path, content=content, headers=headers, timeout=PATIENCE_SECONDS)
    check_answer("POST", path, content, answer.status_code, answer.content)
    return answer


def get(gateway: Gateway, credential: str, path: str) -> httpx.Response:
    """Read over HTTP."""
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    answer = httpx.get(gateway.url + path, headers=headers, timeout=PATIENCE_SECONDS)
    check_answer("GET", path, b"", answer.status_code, answer.content)
    return answer


def publish(gateway: Gateway, credential: str, *events: Frame) -> list[Frame]:
    """Publish events in one request, and return their receipts. Raises AssertionError where they are not stored."""
    answer = post(gateway, credential, events)
    assert answer.status_code == 201, answer.text
    receipts: list[Frame] = answer.json()
    return receipts


def cursors(frames: Iterable[Frame]) -> list[str]:
    """The cursors of these frames or receipts."""
    return [frame["cursor"] for frame in frames]
