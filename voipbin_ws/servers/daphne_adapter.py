"""daphne's connections: WebSockets that take ready frames and report a slow peer, HTTP answers that fail visibly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from daphne.http_protocol import WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor as installed

from subscriptions.delivery.transport import READY_FRAMES, nothing

reactor: Any = installed
"""The one that daphne.server has installed: another's first import would install Twisted's default one."""


_OPEN = WebSocketProtocol.STATE_OPEN
"""Looked up once: it is asked for at each delivery."""


def _end_failed_request(request: Any, exception: BaseException) -> None:
    """Answer a request whose application raised with 500; cut the connection where the answer has begun.

    daphne's own begins a second answer there. That raises in its periodic check of requests, which then never runs
    again, so that the clients of all requests that fail later wait for ever.
    """
    if not request._response_started:
        _answer_500(request, exception)
    elif request.channel is not None:
        request.channel.transport.abortConnection()


_answer_500 = WebRequest.handle_exception
WebRequest.handle_exception = _end_failed_request


class ReadyFramesServer(Server):  # type: ignore[misc]
    """daphne, with each of its WebSockets offered to the application as `ReadyFrames`."""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if isinstance(protocol, WebSocketProtocol):
            scope["extensions"] = {READY_FRAMES: DaphneFrames(protocol)}
        return super().create_application(protocol, scope)


class DaphneFrames:
    """A connection of daphne's as `ReadyFrames`, and a Twisted push producer on its transport.

    Autobahn, on which daphne is built, writes whole frames too, so that its control frames come between two of ours,
    never into one.
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
        # The HTTP channel that the socket was upgraded from is still registered there.
        self._transport.unregisterProducer()
        self._transport.registerProducer(self, True)
        self._is_producer = True

    def write(self, frames: bytes) -> bool:
        if self._connection.state != _OPEN:
            return True
        transport = self._transport
        sent = 0
        if self._send is not None and not transport.dataBuffer and not transport._tempDataBuffer:
            # Straight to the kernel: Twisted would first ask the event loop whether it may, at a higher cost.
            # Full, or gone: the transport finds out which, and tells as it always does.
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
            # A transport with a paused producer would wait for it before it closes.
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
