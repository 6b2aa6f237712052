"""daphne's HTTP protocol with limits in bytes and time, and readable refusals."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from daphne.http_protocol import HTTPFactory
from twisted.web.http import HTTPChannel

from voipbin_ws.http.connections import (
    MAX_HEAD_BYTES,
    Awaited,
    ClientWait,
    discarded_bytes,
    head_too_large,
    http_connections,
    no_room,
    not_understood,
    too_slow,
)
from voipbin_ws.servers.daphne_request import GatewayRequest


class GatewayChannel(HTTPChannel):
    """A connection that reads and waits no more than the limits allow."""

    totalHeadersSize = MAX_LENGTH = MAX_HEAD_BYTES  # noqa: N815
    transport: Any
    _networkProducer: Any  # noqa: N815
    has_unread_body = False
    _has_head_begun = False
    _is_refused = False
    _to_discard = 0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._writable: asyncio.Event | None = None
        self._wait = ClientWait()

    def connectionMade(self) -> None:  # noqa: N802
        super().connectionMade()  # type: ignore[no-untyped-call]
        self._wait.begin()
        http_connections.add(self)

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802
        http_connections.discard(self)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        self._notify_writable()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        if not self._has_head_begun:
            self._has_head_begun = True
            self._wait.begin()
        super().dataReceived(data)  # type: ignore[no-untyped-call]

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        if not self._is_refused:
            super().lineReceived(line)  # type: ignore[no-untyped-call]

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802
        self.refuse(head_too_large())

    def rawDataReceived(self, data: bytes) -> None:  # noqa: N802
        if self._is_refused:
            self._to_discard -= len(data)
            if self._to_discard <= 0:
                self.pause_reading()
        self._wait.progressed(len(data))
        if self._is_refused:
            return
        super().rawDataReceived(data)

    def allHeadersReceived(self) -> None:  # noqa: N802
        self._wait.begin()
        super().allHeadersReceived()  # type: ignore[no-untyped-call]

    def requestDone(self, request: Any) -> None:  # noqa: N802
        self._wait.begin()
        self._has_head_begun = bool(self._dataBuffer)
        super().requestDone(request)  # type: ignore[no-untyped-call]

    def _send100Continue(self) -> None:  # noqa: N802
        """Do nothing: the request sends it when the application reads."""

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802
        is_large = (
            self._receivedHeaderSize > self.totalHeadersSize or self._receivedHeaderCount > self.maxHeaders
        )
        self.refuse(head_too_large() if is_large else not_understood("see RFC 9112"))

    # The transport calls these when the client does not read.

    def pauseProducing(self) -> None:  # noqa: N802
        self._wait.begin()
        super().pauseProducing()  # type: ignore[no-untyped-call]

    def resumeProducing(self) -> None:  # noqa: N802
        self._wait.begin()
        super().resumeProducing()  # type: ignore[no-untyped-call]
        self._notify_writable()

    async def until_writable(self) -> None:
        """Wait while the client does not read what was sent."""
        while self._waitingForTransport and not self.transport.disconnected:
            self._writable = asyncio.Event()
            await self._writable.wait()

    def pause_reading(self) -> None:
        """Read no more until `resume_reading`."""
        self._networkProducer.pauseProducing()

    def resume_reading(self) -> None:
        """Read again."""
        self._networkProducer.resumeProducing()

    def awaited(self) -> tuple[Awaited, float] | None:
        if self._is_refused:
            return Awaited.END, self._wait.since
        if self._waitingForTransport:
            return Awaited.READER, self._wait.since
        request = self.requests[-1] if self.requests else None
        if request is None or not request.has_begun:
            if self.transport.dataBuffer or self.transport._tempDataBuffer:
                return Awaited.READER, self._wait.since
            return Awaited.HEAD if self._has_head_begun else Awaited.NEXT, self._wait.since
        if request._response_started:
            return Awaited.READER, time.monotonic()  # It reads.
        if request.is_complete:
            return None
        if request.is_paused:
            self._wait.begin()  # The application is not ready for more.
            return None
        return Awaited.BODY, self._wait.since

    def cut(self, awaited: Awaited | None) -> None:
        if awaited is None:
            self.transport.write(no_room())
            super().loseConnection()  # type: ignore[no-untyped-call]
        elif awaited in (Awaited.HEAD, Awaited.BODY):
            self.refuse(too_slow())
        else:
            self.transport.abortConnection()

    def begin(self) -> None:
        """Leave the connections whose waits are limited: the response stays open, and is the last."""
        http_connections.discard(self)
        self.persistent = False

    def abort(self) -> None:
        """Cut the connection, with what the client has not read."""
        self.transport.abortConnection()

    def refuse(self, response: bytes) -> None:
        """Answer for the application, and end the connection."""
        for request in self.requests:
            if request._response_started or len(self.requests) > 1:
                self.transport.abortConnection()  # A response before this one is not complete.
                return
            request.put_nowait({"type": "http.disconnect"})
        self.transport.write(response)
        self._linger()

    def loseConnection(self) -> None:  # noqa: N802
        if self.has_unread_body:
            self._linger()
        else:
            super().loseConnection()  # type: ignore[no-untyped-call]

    def _linger(self) -> None:
        """Send the end, and discard what the client still sends, so that it can read the response."""
        self._is_refused = True
        self._wait.begin()
        self._to_discard = discarded_bytes(self.length)
        self.setRawMode()  # type: ignore[no-untyped-call]
        self._networkProducer.unregisterProducer()
        self.transport.loseWriteConnection()
        self.resume_reading()

    def _notify_writable(self) -> None:
        if self._writable is not None:
            self._writable.set()


class GatewayHttpFactory(HTTPFactory):  # type: ignore[misc]
    """Builds the gateway's channels."""

    protocol = GatewayChannel

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802
        channel = super().buildProtocol(addr)
        channel.requestFactory = GatewayRequest
        channel.timeOut = None  # The gateway measures time itself.
        return channel

    def log(self, request: Any) -> None:
        """Do nothing: the gateway logs requests itself."""
