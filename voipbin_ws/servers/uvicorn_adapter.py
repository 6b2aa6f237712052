"""Adapter to uvicorn: WebSockets that take ready frames."""

from __future__ import annotations

import os
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.http11 import Request

from subscriptions.connections.handshake import bad_handshake
from subscriptions.delivery.transport import READY_FRAMES, nothing

LINGER_SECONDS = 10.0
"""How long a peer may take to read the rest after its connection has ended."""


class UvicornProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which offers its connections to the application as `ReadyFrames`."""

    _frames: UvicornFrames | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # Valid for uvicorn's HTTP parser but not for its WebSocket parser: without this, no response is ever sent.
            self._refuse("The address or a header is too long or not ASCII: 8192 bytes at most")

    def handle_connect(self, event: Request) -> None:
        response = self.conn.accept(event)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS and event.path.isascii():
            super().handle_connect(event)
        else:
            self.handshake_initiated = self.handshake_complete = self.close_sent = True
            self._refuse(str(self.conn.handshake_exc or "The address is not ASCII"))

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                # uvicorn logs a traceback here, and raises another if a close frame follows in the same read.
                self.frames = []
                self.conn.fail(CloseCode.INVALID_DATA)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def _refuse(self, message: str) -> None:
        headers, body = bad_handshake(message)
        lines = (b"HTTP/1.1 400 Bad Request", *(b": ".join(header) for header in headers), b"", body)
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()

    async def run_asgi(self) -> None:
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[READY_FRAMES] = self._frames = UvicornFrames(self)
        try:
            await super().run_asgi()
        finally:
            self._frames.on_writable = nothing
            if not self.disconnected:
                # uvicorn closes the transport, which waits for the peer to read the rest, for ever.
                self.loop.call_later(LINGER_SECONDS, self._frames.abort)

    def keepalive_timeout(self) -> None:
        is_closing = self.close_sent or self.transport.is_closing()
        super().keepalive_timeout()
        if not is_closing:
            # uvicorn reports the end when the peer has read the rest: one that answers no ping may never read it.
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._frames is not None:
            self._frames.on_writable()


class UvicornFrames:
    """A connection of uvicorn as `ReadyFrames`.

    uvicorn also writes whole frames, so that its control frames never come into one of ours.
    """

    __slots__ = ("_connection", "_descriptor", "_is_released", "_transport", "on_writable")

    def __init__(self, connection: UvicornProtocol) -> None:
        self.on_writable: Callable[[], None] = nothing
        self._connection = connection
        self._transport: Any = connection.transport
        is_plain = connection.scheme == "ws"
        self._descriptor = self._transport.get_extra_info("socket").fileno() if is_plain else None
        self._is_released = False

    def begin(self) -> None:
        """Do nothing: uvicorn reports a full transport by itself."""

    def write(self, frames: bytes) -> bool:
        transport = self._transport
        # Before the gateway's own close the outbox was closed; a close by uvicorn closes the transport at once, and the
        # application is about to be notified.
        if transport.is_closing():
            return False
        sent = 0
        if self._descriptor is not None and not transport.get_write_buffer_size():
            # Straight to the kernel: the event loop would do the same, later and at a higher cost.
            try:
                sent = os.write(self._descriptor, frames)
            except OSError:
                sent = 0  # Full or closed: the transport finds out and reports it as usual.
            if sent == len(frames):
                return True
        transport.write(memoryview(frames)[sent:])
        return self._is_released or self._connection.writable.is_set()

    def hold_reading(self, hold: bool) -> None:
        """Do nothing: uvicorn pauses reading by itself while a message is processed."""

    def release(self) -> None:
        self._is_released = True
        self._connection.writable.set()  # uvicorn's `send` would wait for the peer to read.
        self.on_writable()

    def abort(self) -> None:
        self.release()
        self._transport.abort()
