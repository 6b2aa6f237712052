"""A server of WebSockets and event streams that plays the steps of a case and does nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

PATIENCE_SECONDS = 20.0
"""The limit of one step; a working client takes far less."""

CODES = {401: "UNAUTHORIZED", 429: "RATE_LIMITED", 503: "UNAVAILABLE"}
REASONS = {200: "OK", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 426: "Upgrade Required"}


def _answer(answer: Mapping[str, Any]) -> Response:
    status = answer["status"]
    body = answer.get("body", {"code": CODES.get(status), "message": "Refused"})
    kind, content = "application/json", json.dumps(body).encode()
    if "html" in answer:
        kind, content = "text/html; charset=utf-8", answer["html"].encode()
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close"})
    if "location" in answer:
        headers["Location"] = answer["location"]
    return Response(status, REASONS.get(status, "Error"), headers, content)


STREAM_PATH = "/v1.0/sse"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

UPGRADE_REQUIRED = {"status": 426, "body": {"code": "UPGRADE_REQUIRED", "message": "The credential is good"}}


class Attempt:
    """An opening handshake, or the request of a stream, without an answer yet."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.query = dict(parse_qsl(urlsplit(request.path).query))
        bearer = request.headers.get("Authorization", "")
        self.token = bearer.removeprefix("Bearer ") or self.query.get("token")
        self.decided: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()

    def check(self, wanted: Mapping[str, Any]) -> None:
        """Compare the credential and the named parameters; `null` is a parameter that is not there."""
        if "token" in wanted:
            assert self.token == wanted["token"]
        for name, value in wanted.get("query", {}).items():
            assert self.query.get(name) == value


class ScriptedServer:
    """A server at `url` within `async with`; `play` plays a step."""

    def __init__(self) -> None:
        self.attempts: asyncio.Queue[Attempt] = asyncio.Queue()
        self.streams: asyncio.Queue[tuple[Attempt, asyncio.Transport]] = asyncio.Queue()
        self.socket: ServerConnection | None = None
        self.stream_transport: asyncio.Transport | None = None
        self._sockets: asyncio.Queue[ServerConnection] = asyncio.Queue()
        self._explanation = UPGRADE_REQUIRED
        self._next_explanation: Mapping[str, Any] | None = None
        self._lost: list[Attempt] = []
        self._unanswered: asyncio.Queue[Request] = asyncio.Queue()
        self._ended = asyncio.Event()
        self._recovered = asyncio.Event()
        self._recovered.set()
        self._request_ids: list[Any] = []
        self._server: Server

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve, "127.0.0.1", 0, process_request=self._decide, ping_interval=None, close_timeout=1
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.socket is not None:
            self.socket.transport.abort()
        if self.stream_transport is not None:
            self.stream_transport.abort()
        self._ended.set()
        for attempt in self._lost:
            attempt.decided.set_result(_answer(UPGRADE_REQUIRED))
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1.0/ws"

    async def play(self, step: Mapping[str, Any]) -> None:
        """Play one of the server's steps.

        Raises:
            AssertionError: the client did not do what the step expects.
        """
        [(name, details)] = step.items()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await getattr(self, name)(details)

    # --- The steps ---

    async def accept(self, wanted: Mapping[str, Any]) -> None:
        attempt = await self.attempts.get()
        attempt.check(wanted)
        attempt.decided.set_result(None)
        self.socket = await self._sockets.get()
        self._request_ids = []

    async def stream(self, wanted: Mapping[str, Any]) -> None:
        attempt, transport = await self.streams.get()
        attempt.check(wanted)
        transport.write(STREAM_HEAD)
        self.socket, self.stream_transport = None, transport

    async def refuse_stream(self, answer: Mapping[str, Any]) -> None:
        attempt, _ = await self.streams.get()
        attempt.decided.set_result(_answer(answer))

    async def heartbeat(self, _: object) -> None:
        assert self.stream_transport is not None
        self.stream_transport.write(b":\n\n")

    async def refuse(self, answer: Mapping[str, Any]) -> None:
        attempt = await self.attempts.get()
        if "token" in answer:
            assert attempt.token == answer["token"]
        if self._explanation is UPGRADE_REQUIRED:
            self._next_explanation = answer
        attempt.decided.set_result(_answer(answer))

    async def explain(self, answer: Mapping[str, Any]) -> None:
        self._explanation = answer

    async def stall(self, _: object) -> None:
        self._recovered.clear()
        # The client may have been faster than this step.
        while not self.attempts.empty():
            self._lost.append(attempt := self.attempts.get_nowait())
            await self._unanswered.put(attempt.request)

    async def recover(self, when: Mapping[str, Any]) -> None:
        # A request that the client has sent may not have arrived yet; it is to stay unanswered too.
        for _ in range(when.get("unanswered", 0)):
            await self._unanswered.get()
        self._recovered.set()

    async def receive(self, wanted: Mapping[str, Any]) -> None:
        message = await self.next_message()
        assert message == wanted

    async def next_message(self) -> dict[str, Any]:
        """Return the client's next message without its request_id."""
        assert self.socket is not None
        message: dict[str, Any] = json.loads(await self.socket.recv())
        if "request_id" in message:
            self._request_ids.append(message.pop("request_id"))
        return message

    async def send(self, frame: Mapping[str, Any]) -> None:
        which = frame.get("request_id")
        if which in ("first", "last"):
            frame = {**frame, "request_id": self._request_ids[0 if which == "first" else -1]}
        if self.socket is None and self.stream_transport is not None:
            name = f"id: {frame['cursor']}\n" if "cursor" in frame else ""
            self.stream_transport.write(f"{name}data: {json.dumps(frame)}\n\n".encode())
        else:
            await self.send_text(json.dumps(frame))

    async def send_batch(self, frames: list[Mapping[str, Any]]) -> None:
        await self.send_text(json.dumps(frames))

    async def send_text(self, text: str) -> None:
        assert self.socket is not None
        await self.socket.send(text)

    async def close(self, how: Mapping[str, Any]) -> None:
        if self.socket is None and self.stream_transport is not None:
            self.stream_transport.close()
            return
        assert self.socket is not None
        await self.socket.close(how["code"], how.get("reason", ""))

    async def drop(self, _: object) -> None:
        if self.socket is None and self.stream_transport is not None:
            self.stream_transport.abort()
            return
        assert self.socket is not None
        self.socket.transport.abort()

    # --- Hooks of websockets ---

    async def _decide(self, connection: ServerConnection, request: Request) -> Response | None:
        if not self._recovered.is_set():
            # What was sent before the recovery stays lost.
            await self._unanswered.put(request)
            await self._ended.wait()
            return _answer(UPGRADE_REQUIRED)
        if request.path.startswith(STREAM_PATH):
            return await self._decide_stream(connection, request)
        if request.headers.get("Upgrade", "").lower() != "websocket":
            explanation, self._next_explanation = self._next_explanation or self._explanation, None
            return _answer(explanation)
        attempt = Attempt(request)
        await self.attempts.put(attempt)
        return await attempt.decided

    async def _decide_stream(self, connection: ServerConnection, request: Request) -> Response | None:
        attempt = Attempt(request)
        await self.streams.put((attempt, connection.transport))
        ended = asyncio.ensure_future(self._ended.wait())
        # The steps write an accepted stream themselves, so this answer is not sent: the transport is closed.
        await asyncio.wait((attempt.decided, ended), return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        return attempt.decided.result() if attempt.decided.done() else _answer(UPGRADE_REQUIRED)

    async def _serve(self, socket: ServerConnection) -> None:
        await self._sockets.put(socket)
        await socket.wait_closed()


SERVER_STEPS = frozenset(
    {
        *("accept", "refuse", "explain", "stall", "recover"),
        *("stream", "refuse_stream", "heartbeat"),
        *("receive", "send", "send_batch", "send_text", "close", "drop"),
    }
)
