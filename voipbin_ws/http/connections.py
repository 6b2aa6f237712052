"""The HTTP connections of a process: their number, and how long each waits for its client.

A look at all of them each second replaces timers of each request, so a request costs a few assignments. A connection
that becomes a WebSocket leaves.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from collections import Counter
from email.utils import formatdate
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol

from django.conf import settings

from events.domain.strict_json import encode
from subscriptions.connections.handshake import ANSWER_HEADERS

logger = logging.getLogger(__name__)

MAX_HEAD_BYTES = 32 * 2**10
"""Bytes of a request line and its headers; as much as nginx accepts."""

PART_BYTES = 64 * 2**10
"""Bytes of a body, or of a response, that a client has HTTP_PATIENCE_SECONDS to send or to read."""

MAX_PIPELINED = 64
"""Requests of one connection that wait for the responses to those before them."""

LINGER_SECONDS = 3.0
"""Seconds for a client that still sends to read why its request was refused (RFC 9112, section 9.6)."""

LINGER_BYTES = 2**24
"""Bodies up to this length are discarded meanwhile. Many programs read no response before they have sent all."""

MAX_CONNECTIONS = 2000
"""HTTP connections of a process; fewer if it may not open four times as many files, which WebSockets need."""


class Awaited(StrEnum):
    """What a connection waits for; the label of the metric if it was cut."""

    HEAD = "head"
    """The rest of a request's header block."""
    BODY = "body"
    """More of a request's body."""
    READER = "reader"
    """The client, to read the response."""
    NEXT = "next"
    """Another request. The end of such a connection is in order."""
    END = "end"
    """The client's end of a connection that was refused."""


class ClientWait:
    """The present wait of a connection for its client."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        """When it began, in seconds of the monotonic clock."""
        self._progress = 0

    def begin(self) -> None:
        """Begin another wait."""
        self.since = time.monotonic()
        self._progress = 0

    def progressed(self, count: int) -> None:
        """Count bytes of a body: with each PART_BYTES another wait begins."""
        self._progress += count
        if self._progress >= PART_BYTES:
            self.begin()


class HttpConnection(Protocol):
    """A connection of a server, before it becomes a WebSocket."""

    def awaited(self) -> tuple[Awaited, float] | None:
        """Return what it waits for, and since when (monotonic seconds).

        `None` while the gateway works for it.
        """

    def cut(self, awaited: Awaited | None) -> None:
        """End it, with a response if none has begun. `None`: there is no room for it."""


class HttpConnections:
    """The open connections. Used in the event loop."""

    def __init__(self) -> None:
        self.cut: Counter[str] = Counter()
        self._open: dict[HttpConnection, float] = {}
        self._unreported: Counter[str] = Counter()
        self._most = MAX_CONNECTIONS

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: HttpConnection) -> None:
        """Add a new connection; if there are too many, end some that wait."""
        if len(self._open) >= self._most:
            self._make_room()
        if len(self._open) >= 2 * self._most:
            # The gateway works for all of them.
            self._count("refused")
            connection.cut(None)
        else:
            self._open[connection] = time.monotonic()

    def discard(self, connection: HttpConnection) -> None:
        """Remove a connection that has ended or become a WebSocket."""
        self._open.pop(connection, None)

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at all connections now and each second, in this loop."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = MAX_CONNECTIONS if files == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, files // 4)
        self._look(time.monotonic())
        loop.call_later(min(1.0, settings.HTTP_PATIENCE_SECONDS / 4), self.watch, loop)

    def _look(self, now: float) -> None:
        patience = settings.HTTP_PATIENCE_SECONDS
        for connection in list(self._open):
            if (waits := connection.awaited()) is not None:
                awaited, since = waits
                if now - since > (min(LINGER_SECONDS, patience) if awaited is Awaited.END else patience):
                    if awaited in (Awaited.HEAD, Awaited.BODY, Awaited.READER):
                        self._count(awaited)
                    connection.cut(awaited)
        if self._unreported:
            logger.warning(
                "HTTP connections were cut, by what they waited for: %s",
                ", ".join(f"{reason} {count}" for reason, count in self._unreported.items()),
            )
            self._unreported.clear()

    def _make_room(self) -> None:
        """End those that are oldest or idle for longest, but none that the gateway works for.

        Progress does not count: of many slow connections, one that has just been opened would be the first to go.
        """
        waiting = []
        for connection, opened in self._open.items():
            if (waits := connection.awaited()) is not None:
                awaited, since = waits
                waiting.append((since if awaited is Awaited.NEXT else opened, id(connection), connection))
        # Several at once: each search visits all connections. More if the limit has been lowered.
        count = max(1, self._most // 16, len(self._open) - self._most + 1)
        for _, _, connection in sorted(waiting)[:count]:
            self._count("room")
            self.discard(connection)
            connection.cut(Awaited.NEXT)

    def _count(self, reason: str) -> None:
        self.cut[reason] += 1
        self._unreported[reason] += 1


http_connections = HttpConnections()


def discarded_bytes(length: int | None) -> int:
    """Return how many bytes of a refused body are read and discarded.

    `length` is that of the body, `None` if it is not announced.
    """
    return length if length is not None and length <= LINGER_BYTES else PART_BYTES


def plain_response(status: int, code: str, message: str) -> bytes:
    """Return the bytes of a response that ends its connection, without the application."""
    body = encode({"code": code, "message": message}).encode()
    headers = (
        *ANSWER_HEADERS,
        (b"date", formatdate(usegmt=True).encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    )
    start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()
    return b"\r\n".join((start, *(b": ".join(header) for header in headers), b"", body))


def too_slow() -> bytes:
    """Return the 408 to a request that did not arrive in time (RFC 9110, section 15.5.9)."""
    seconds = f"{settings.HTTP_PATIENCE_SECONDS:g}"
    message = f"The headers of a request, or 64 KiB of its body, took longer than {seconds} seconds"
    return plain_response(408, code="TOO_SLOW", message=message)


def head_too_large() -> bytes:
    """Return the 431 to a header block beyond MAX_HEAD_BYTES (RFC 6585, section 5)."""
    message = f"The address and the headers are larger than {MAX_HEAD_BYTES} bytes together"
    return plain_response(431, code="TOO_LARGE", message=message)


def not_understood(reason: str) -> bytes:
    """Return the 400 to a request that violates HTTP."""
    return plain_response(400, code="INVALID_REQUEST", message=f"This is not HTTP/1.1: {reason}")


def no_room() -> bytes:
    """Return the 503 to a connection beyond the limit."""
    return plain_response(503, code="UNAVAILABLE", message="Too many HTTP connections are open: try again")
