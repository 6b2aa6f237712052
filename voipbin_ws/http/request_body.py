"""Bodies of requests, read no further than the request may have one.

The servers bound the time (voipbin_ws.http.connections), and end the connection after a response to a request whose
body was not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

MAX_FORM_BYTES = 2**20
"""Bytes of a body that is not published, unless the view has an attribute `max_body_bytes`."""

SMALL_BODY_BYTES = 64 * 2**10
"""Bodies up to this size are read at once. Larger ones share the room of `LargeBodies`."""

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Disconnected(Exception):
    """The client disconnected before its body was complete."""


class BodyTooLarge(Exception):
    """The body is larger than its limit."""


class NoRoom(Exception):
    """Large bodies already take all memory that they may."""


def announced_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Return the length of a body in bytes; `None` if its end is not announced.

    The servers refuse requests with several lengths, or with a length and chunks (RFC 9112, section 6.3).
    """
    for name, value in headers:
        if name == b"content-length":
            # Parsing a very long number takes quadratic time.
            return int(value) if len(value) <= 18 and value.isdigit() else 10**18
        if name == b"transfer-encoding":
            return None
    return 0


class LargeBodies:
    """The memory for large bodies, of which each owner may take half."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held: Counter[str] = Counter()

    def hold(self, owner: str, count: int) -> None:
        """Count `count` more bytes of an owner.

        Raises:
            NoRoom: Too many are held.
        """
        if self._held.total() + count > self._most or self._held[owner] + count > self._most // 2:
            raise NoRoom
        self._held[owner] += count

    def release(self, owner: str, count: int) -> None:
        """Count `count` bytes less."""
        self._held[owner] -= count
        if not self._held[owner]:
            del self._held[owner]


class BodyReader:
    """The body of one request; the bytes of a large one are held in `room` until `release`."""

    def __init__(self, receive: Receive, limit: int, room: LargeBodies) -> None:
        self.limit = limit
        self._receive = receive
        self._room = room
        self._owner: str | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._held = 0
        self.is_complete = False

    async def read_small(self) -> None:
        """Read until the end, or until the body is no longer small; raises as `read_all` does."""
        await self._read(SMALL_BODY_BYTES)

    async def read_all(self, owner: str) -> None:
        """Read until the end for `owner`, such as a customer.

        Raises:
            BodyTooLarge: There is more than the limit.
            Disconnected: The client disconnected.
            NoRoom: There is no memory for a large body.
        """
        self._owner = owner
        await self._read(self.limit)

    async def _read(self, most: int) -> None:
        while not self.is_complete and self._size <= most:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            part = message.get("body", b"")
            self._size += len(part)
            if self._size > self.limit:
                raise BodyTooLarge
            self._parts.append(part)
            self.is_complete = not message.get("more_body")
            if self._owner is not None and self._size > SMALL_BODY_BYTES:
                self._room.hold(self._owner, self._size - self._held)
                self._held = self._size

    @property
    def body(self) -> bytes:
        """What was read."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def release(self) -> None:
        """Free the memory, when the request is processed."""
        self._parts.clear()
        if self._held and self._owner is not None:
            self._room.release(self._owner, self._held)
