"""uvicorn's HTTP protocol with limits in bytes and time, and readable refusals."""

from __future__ import annotations

import time
from asyncio import Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from voipbin_ws.http.connections import (
    MAX_HEAD_BYTES,
    MAX_PIPELINED,
    Awaited,
    ClientWait,
    discarded_bytes,
    head_too_large,
    http_connections,
    no_room,
    not_understood,
    too_slow,
)
from voipbin_ws.http.request_body import announced_length
from voipbin_ws.http.stream_endpoint import OPEN_RESPONSE

FRAMING_PER_BYTE = 8
"""Bytes of chunk framing that each byte of a body may have: a chunk of one byte has five."""


class UvicornHttp(HttpToolsProtocol):
    """A connection that reads and waits no more than the limits allow."""

    _framing = 0
    """Bytes since the last request that belong to no body: of the head, chunk sizes and trailers."""
    _is_refused = False
    _to_discard = 0
    _keeps_alive = True
    _running: RequestResponseCycle | None = None
    """The request that the application processes."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait = ClientWait()
        http_connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        http_connections.discard(self)
        if self._running is not None and self._running is not self.cycle:
            # uvicorn notifies only the last of several pipelined requests: the others would fail at their next write.
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            self._discard(len(data))
            return
        if not self._framing and (self.cycle is None or self.cycle.response_complete):
            self._wait.begin()
        self._framing += len(data)
        super().data_received(data)
        if self._framing > MAX_HEAD_BYTES and not self._is_refused:
            is_head = self.cycle is None or not self.cycle.more_body
            self._refuse(
                head_too_large() if is_head else not_understood("the chunks have too much around them")
            )
        cycle = self.cycle
        if cycle is not None and cycle.more_body and cycle.transport is self.transport:
            # The body does not come with the head. If the response is sent before its end, the connection is not used
            # for another request.
            cycle.transport = _UnreadTransport(self)  # type: ignore[assignment]
            self._keeps_alive, cycle.keep_alive = cycle.keep_alive, False

    def on_headers_complete(self) -> None:
        if self._framing > MAX_HEAD_BYTES and _size(self.url, self.headers) > MAX_HEAD_BYTES:
            raise ValueError("the head is too large")
        if len(self.pipeline) >= MAX_PIPELINED:
            raise ValueError("too many pipelined requests")
        self._framing = 0
        self._wait.begin()
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        cycle.scope["extensions"] = {OPEN_RESPONSE: self}  # type: ignore[dict-item]
        is_old = cycle.scope["http_version"] == "1.0"
        super()._start_asgi_task(cycle, _without_chunks(cycle, app) if is_old else app)

    def on_body(self, body: bytes) -> None:
        if not self.cycle.response_complete:
            self._framing -= (1 + FRAMING_PER_BYTE) * len(body)
            self._wait.progressed(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._framing = 0
        super().on_message_complete()
        cycle = self.cycle
        if cycle is not None and cycle.transport is not self.transport and not cycle.response_started:
            cycle.keep_alive = self._keeps_alive

    def on_response_complete(self) -> None:
        self._wait.begin()
        if not self._is_refused:
            super().on_response_complete()

    def pause_writing(self) -> None:
        self._wait.begin()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._wait.begin()
        super().resume_writing()

    def begin(self) -> None:
        """Leave the connections whose waits are limited: the response stays open, and is the last."""
        http_connections.discard(self)

    def abort(self) -> None:
        """Cut the connection, with what the client has not read."""
        self.transport.abort()

    def handle_websocket_upgrade(self) -> None:
        http_connections.discard(self)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser did not take."""
        is_large = self._framing > MAX_HEAD_BYTES
        self._refuse(head_too_large() if is_large else not_understood("see RFC 9112"))

    def awaited(self) -> tuple[Awaited, float] | None:
        cycle = self.cycle
        if self._is_refused:
            return Awaited.END, self._wait.since
        if self.flow.write_paused:
            return Awaited.READER, self._wait.since
        if cycle is None or cycle.response_complete:
            if self.transport.get_write_buffer_size():
                return Awaited.READER, self._wait.since
            return Awaited.HEAD if self._framing else Awaited.NEXT, self._wait.since
        if cycle.response_started or self.pipeline:
            return Awaited.READER, time.monotonic()  # It reads.
        if not cycle.more_body:
            return None
        if self.flow.read_paused:
            self._wait.begin()  # The application is not ready for more.
            return None
        return Awaited.BODY, self._wait.since

    def cut(self, awaited: Awaited | None) -> None:
        if awaited is None:
            self.transport.write(no_room())
            self.transport.close()
        elif awaited in (Awaited.HEAD, Awaited.BODY):
            self._refuse(too_slow())
        else:
            self.transport.abort()

    def linger(self) -> None:
        """Send the end, and discard what the client still sends, so that it can read the response."""
        self._is_refused = True
        self._wait.begin()
        self._to_discard = discarded_bytes(announced_length(self.headers or ()))
        if self.transport.is_closing() or not self.transport.can_write_eof():
            self.transport.close()
            return
        self.transport.write_eof()
        self.flow.resume_reading()

    def _discard(self, count: int) -> None:
        self._to_discard -= count
        self._wait.progressed(count)
        if self._to_discard <= 0:
            self.flow.pause_reading()

    def _refuse(self, response: bytes) -> None:
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started or not cycle.more_body or self.pipeline:
                self.transport.abort()  # A response before this one is not complete.
                return
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(response)
        self.linger()


class _UnreadTransport:
    """The transport of a response to a request whose body may not have been read."""

    def __init__(self, connection: UvicornHttp) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection.transport, name)

    def close(self) -> None:
        """Close after the response; while the body is incomplete, let the client read it first."""
        if self._connection.cycle.more_body:
            self._connection.linger()
        else:
            self._connection.transport.close()


def _without_chunks(cycle: RequestResponseCycle, app: Any) -> Any:
    """End a response without a length with its connection, instead of sending chunks.

    A client of HTTP/1.0 knows none (RFC 9112, section 6.1); uvicorn sends them to every client.
    """

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            cycle.chunked_encoding = False
        else:
            cycle.expected_content_length = len(message.get("body", b""))
        await cycle.send(message)

    return lambda scope, receive, _: app(scope, receive, send)


def _size(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    return len(url) + sum(len(name) + len(value) + len(": \r\n") for name, value in headers)
