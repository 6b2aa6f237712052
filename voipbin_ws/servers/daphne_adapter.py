"""Adapter to daphne: WebSockets that take ready frames, and refused handshakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from autobahn.websocket import protocol as autobahn
from autobahn.websocket.types import ConnectionDeny
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor as installed
from twisted.web.http import datetimeToString

from subscriptions.connections.handshake import bad_handshake
from subscriptions.delivery.transport import READY_FRAMES, nothing
from voipbin_ws.servers.daphne_request import GatewayRequest

reactor: Any = installed
"""The reactor that daphne.server installed; imported first, it would be Twisted's default."""

_OPEN = WebSocketProtocol.STATE_OPEN
"""Looked up once, because each delivery compares with it."""


# The gateway judges origins itself, also those that autobahn cannot parse. It allows the null origin.
autobahn._url_to_origin = lambda _: "null"


class HandshakeProtocol(WebSocketProtocol):  # type: ignore[misc]
    """daphne's protocol, which refuses handshakes with any status and body.

    This is the extension `websocket.http.response` of ASGI.
    """

    _response: Mapping[str, Any] = {}

    def onConnect(self, request: Any) -> Any:  # noqa: N802 (autobahn names it)
        # No extension is accepted. One with unknown parameters is declined, not an error (RFC 7692, section 5.1).
        self.websocket_extensions: list[object] = []
        return super().onConnect(request)

    def handle_reply(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "websocket.http.response.start":
                self._response = message
            case "websocket.http.response.body":
                self._response = {**self._response, "body": message.get("body", b"")}
                denied = ConnectionDeny(code=self._response["status"], reason="")  # type: ignore[no-untyped-call]
                self.handshake_deferred.errback(denied)
                del self.handshake_deferred
                self.server.protocol_disconnected(self)
            case _:
                super().handle_reply(message)

    def sendHttpErrorResponse(self, code: int, reason: str, _: object = None) -> None:  # noqa: N802
        """Send the application's response, or that to a handshake which autobahn refused."""
        headers: Iterable[tuple[bytes, bytes]]
        if self._response:
            headers, body = self._response["headers"], self._response["body"]
            date: bytes = datetimeToString()  # type: ignore[no-untyped-call]
            headers = [*headers, (b"date", date), (b"connection", b"close")]
        else:
            headers, body = bad_handshake(reason)
        status = f"HTTP/1.1 {code} {HTTPStatus(code).phrase}".encode()
        self.sendData(b"\r\n".join((status, *(b": ".join(header) for header in headers), b"", body)))


WebSocketFactory.protocol = HandshakeProtocol


class ReadyFramesServer(Server):  # type: ignore[misc]
    """daphne, which offers each of its WebSockets to the application as `ReadyFrames`."""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if isinstance(protocol, GatewayRequest):
            return protocol.create_application(scope)
        scope["extensions"] = {READY_FRAMES: DaphneFrames(protocol), "websocket.http.response": {}}
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if message.get("more_body") and isinstance(protocol, GatewayRequest):
            await protocol.until_writable()


READ_BYTES = 1024
"""Read at once from a WebSocket: nothing else runs while autobahn parses it, which may be many short frames."""


class DaphneFrames:
    """A connection of daphne as `ReadyFrames`, and a Twisted push producer on its transport.

    Autobahn, on which daphne is built, also writes whole frames: its control frames never come into one of ours.
    """

    __slots__ = ("_connection", "_is_producer", "_is_writable", "_send", "_transport", "on_writable")

    def __init__(self, connection: Any) -> None:
        self._is_writable = True
        self.on_writable: Callable[[], None] = nothing
        self._connection = connection
        self._transport: Any = connection.transport
        is_plain = not getattr(self._transport, "TLS", False)
        self._send = self._transport.socket.send if is_plain else None
        self._is_producer = False

    def begin(self) -> None:
        # The HTTP channel that the WebSocket was upgraded from is still registered.
        self._transport.unregisterProducer()
        self._transport.registerProducer(self, True)
        self._is_producer = True
        # Of TLS, the transport below reads.
        getattr(self._transport, "transport", self._transport).bufferSize = READ_BYTES

    def write(self, frames: bytes) -> bool:
        if self._connection.state != _OPEN:
            return True
        transport = self._transport
        sent = 0
        if self._send is not None and not transport.dataBuffer and not transport._tempDataBuffer:
            # Straight to the kernel: Twisted would first wait for the event loop to report it writable.
            # If the socket is full or closed, the transport finds out and reports it as usual.
            try:
                sent = self._send(frames)
            except OSError:
                sent = 0
            if sent == len(frames):
                return True
        transport.write(frames[sent:] if sent else frames)
        return self._is_writable

    def hold_reading(self, hold: bool) -> None:
        if self._is_producer:
            if hold:
                self._transport.pauseProducing()
            else:
                self._transport.resumeProducing()

    def release(self) -> None:
        if self._is_producer:
            # A transport with a paused producer would wait for it before closing.
            self._is_producer = False
            self._transport.unregisterProducer()
        self.resumeProducing()

    def abort(self) -> None:
        self.release()
        self._transport.abortConnection()

    # Twisted's IPushProducer.

    def pauseProducing(self) -> None:  # noqa: N802
        self._is_writable = False

    def resumeProducing(self) -> None:  # noqa: N802
        self._is_writable = True
        self.on_writable()

    def stopProducing(self) -> None:  # noqa: N802
        self._is_producer = False
        self.resumeProducing()
