"""daphne's requests, whose bodies and responses go at the pace of their reader.

daphne itself stores the whole body of a request, on disk beyond 100 kB, before the application sees the request, and
buffers a response without bound.
"""

from __future__ import annotations

import asyncio
from functools import partial
from io import BytesIO
from typing import Any

from daphne.http_protocol import WebRequest
from twisted.web.http import datetimeToString

from voipbin_ws.http.connections import PART_BYTES, http_connections, not_understood
from voipbin_ws.http.stream_endpoint import OPEN_RESPONSE


class GatewayRequest(WebRequest):  # type: ignore[misc]
    """A request that the application receives as soon as its head is complete."""

    has_begun = False
    """Whether its head is complete."""
    is_complete = False
    """Whether its body is complete, too."""
    is_gone = False
    """Whether the client disconnected or the response is complete."""
    is_paused = False
    """Whether no more of the body is read until the application takes what is there."""
    _is_last_part_given = False
    _expects_continue = False

    def __init__(self, channel: Any, *args: Any) -> None:
        super().__init__(channel, *args)
        self._body = bytearray()
        self._news: asyncio.Event | None = None

    # Twisted calls these while a request arrives.

    def parseCookies(self) -> None:  # noqa: N802
        """Do nothing: Django parses them."""

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        self.content = BytesIO()  # Always empty: daphne reads it.
        if length == 0:
            return
        if self.requestHeaders.hasHeader(b"upgrade"):
            self.channel.refuse(not_understood("a handshake has no body"))
            return
        expected = self.requestHeaders.getRawHeaders(b"expect") or [b""]
        self._expects_continue = expected[0].lower() == b"100-continue"
        self._begin(self.channel._command, self.channel._path, self.channel._version)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        self._body += data
        if len(self._body) > PART_BYTES:
            self.is_paused = True
            self.channel.pause_reading()
        self._notify()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        self.is_complete = True
        if self.has_begun:
            self._notify()
        else:
            self._begin(command, path, version)

    def _begin(self, command: bytes, path: bytes, version: bytes) -> None:
        self.has_begun = True
        self.method, self.uri, self.clientproto = command, path, version
        self.path, _, _ = path.partition(b"?")
        channel = self.channel
        self.process()
        if self.transport is None:
            http_connections.discard(channel)  # It has become a WebSocket.

    # The application's side.

    def create_application(self, scope: dict[str, Any]) -> Any:
        """Start the application, as daphne's server does; return its queue of messages."""
        scope["asgi"] = {"version": "3.0"}
        scope.setdefault("extensions", {})[OPEN_RESPONSE] = self.channel
        application = self.server.application(
            scope=scope, receive=self._receive, send=partial(self.server.handle_reply, self)
        )
        self.server.connections[self]["application_instance"] = asyncio.ensure_future(application)
        return self

    def put_nowait(self, message: dict[str, Any]) -> None:
        """Note the end. daphne also puts its empty `content` here."""
        if message["type"] == "http.disconnect":
            self.is_gone = True
            self._notify()

    async def until_writable(self) -> None:
        """Wait while the client does not read what was sent."""
        if not self.is_gone:
            await self.channel.until_writable()

    async def _receive(self) -> dict[str, Any]:
        while not self.is_gone and not self._body and (not self.is_complete or self._is_last_part_given):
            if self._expects_continue:
                self._expects_continue = False
                self.channel.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._news = asyncio.Event()
            await self._news.wait()
        if self.is_gone:
            return {"type": "http.disconnect"}
        body = bytes(self._body)
        self._body.clear()
        if self.is_paused:
            self.is_paused = False
            self.channel.resume_reading()
        self._is_last_part_given = self.is_complete
        return {"type": "http.request", "body": body, "more_body": not self.is_complete}

    def _notify(self) -> None:
        if self._news is not None:
            self._news.set()

    # The response.

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Reply as daphne does, with the Date that RFC 9110, 6.6.1, requires and uvicorn sends."""
        if self.is_gone:
            return
        if message.get("type") == "http.response.start":
            self._expects_continue = False
            self.setHeader(b"date", datetimeToString())  # type: ignore[no-untyped-call]
            if not self.is_complete:
                # The rest of the body is not read, so there is no next request.
                self.channel.persistent = False
                self.setHeader(b"connection", b"close")
        super().handle_reply(message)

    def finish(self) -> None:
        """End the response; while the body is incomplete, let the client read it first."""
        self.channel.has_unread_body = not self.is_complete
        super().finish()

    def handle_exception(self, exception: BaseException) -> None:
        """Answer a failed request with 500, or cut its connection if the response has begun.

        daphne's own handler begins a second response there. That raises in its periodic check of requests, which then
        never runs again, so that clients of all requests that fail later wait for ever.
        """
        if not self._response_started:
            super().handle_exception(exception)
        elif self.channel is not None:
            self.channel.transport.abortConnection()
