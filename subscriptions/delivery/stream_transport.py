"""The path of frames to one event stream.

Frames become messages of server-sent events in the body of a response. The format is that of WHATWG HTML, section 9.2.
Each message carries the position of the whole connection as its id, so that a client continues after the last one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from events.domain.cursor import Position, join_positions, parse_cursor
from subscriptions.delivery.transport import AsgiSend, nothing
from subscriptions.protocol.frames import payloads_in

HEARTBEAT_SECONDS = 15.0
"""Silence after which a comment is sent: proxies close a response that is silent for 30 to 60 seconds."""

HEARTBEAT = b":\n\n"

SSE = "sse"

_EVENT = (b'{"event_type"', b'{"specversion"')


class StreamTransport:
    """The transport of an event stream.

    `send` sends parts of the body. Until the first topic is acknowledged, refusals are collected in `refusals`: if no
    topic is granted they become a response of their own. `abort` cuts the connection to the client.
    """

    name = SSE

    def __init__(self, send: AsgiSend, abort: Callable[[], None]) -> None:
        self.on_lost = nothing
        self.on_writable = nothing
        self.refusals: list[dict[str, Any]] = []
        self.has_begun = False
        self.close_code: int | None = None
        self.is_over = asyncio.Event()
        self._send = send
        self._abort = abort
        self._positions: dict[str, int] = {}
        self._refused: list[bytes] = []
        self._is_released = False
        self._writing = asyncio.Lock()
        self._sending: asyncio.Task[None] | None = None
        self._heartbeat: asyncio.TimerHandle | None = None
        self._wrote_at = 0.0

    def write(self, frames: bytes) -> bool:
        """Send complete frames as messages."""
        payloads = list(payloads_in(frames))
        if not self.has_begun:
            first = json.loads(payloads[0])
            if first.get("type") == "error" and first.get("topics"):
                self.refusals += map(json.loads, payloads)
                self._refused += payloads
                return True
            self._begin()
            payloads = [*self._refused, *payloads]
        self._send_soon(b"".join(map(self._message, payloads)))
        return self._is_released

    def _begin(self) -> None:
        self.has_begun = True
        self._wrote_at = asyncio.get_running_loop().time()
        self._watch_silence()

    def _message(self, payload: bytes) -> bytes:
        # An event's frame ends with its cursor: "cursor": "<epoch>.<seq>"}
        if payload.startswith(_EVENT):
            epoch, seq = payload[payload.rindex(b'"', 0, -2) + 1 : -2].decode().split(".")
            self._positions[epoch] = int(seq)
        elif cursor := json.loads(payload).get("cursor"):
            self._positions = dict(parse_cursor(cursor))
        else:
            return b"data: %b\n\n" % payload
        position = join_positions(Position(epoch, seq) for epoch, seq in self._positions.items())
        return b"id: %b\ndata: %b\n\n" % (position.encode(), payload)

    def _send_soon(self, content: bytes) -> None:
        self._sending = asyncio.get_running_loop().create_task(self._send_all(content))

    async def _send_all(self, content: bytes) -> None:
        try:
            async with self._writing:
                await self._send({"type": "http.response.body", "body": content, "more_body": True})
        except Exception:
            # Each server has its own exception for a peer that has left.
            self.on_lost()
        else:
            self._wrote_at = asyncio.get_running_loop().time()
            if self._sending is asyncio.current_task():
                # Else frames wait behind this heartbeat.
                self._sending = None
                self.on_writable()

    def _watch_silence(self) -> None:
        loop = asyncio.get_running_loop()
        silence = loop.time() - self._wrote_at
        if silence >= HEARTBEAT_SECONDS and self._sending is None:
            self._send_soon(HEARTBEAT)
            silence = 0.0
        self._heartbeat = loop.call_later(max(HEARTBEAT_SECONDS - silence, 1.0), self._watch_silence)

    def stop(self) -> None:
        """Send nothing more of what has not left, except the last frame after a release."""
        if self._sending is not None and not self._is_released:
            self._sending.cancel()

    async def close(self, code: int, reason: str) -> None:
        """End the response."""
        self.close_code = code
        if self._sending is not None:
            # It may not have begun, and the lock goes to the first that comes.
            await asyncio.wait((self._sending,))
        async with self._writing:
            if self.has_begun and not self.is_over.is_set():
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        self.end()

    def end(self) -> None:
        """Note that the response is complete, or that its client has left."""
        self.is_over.set()
        if self._heartbeat is not None:
            self._heartbeat.cancel()

    def abort(self) -> None:
        """Cut the connection, with what the client has not read; it is not used again."""
        self._abort()
        self.end()

    def release(self) -> None:
        """Accept the last frame, although the client has not read those before it."""
        self._is_released = True
        self.on_writable()

    def hold_reading(self, hold: bool) -> None:
        """Do nothing: a client of a stream sends nothing."""
