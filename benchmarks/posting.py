"""Concurrent HTTP requests over kept connections, at little CPU cost."""

from __future__ import annotations

import re
import selectors
from collections.abc import Iterator, Sequence

from benchmarks.contestants.contestant import connect

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class NotStored(Exception):
    """A response other than 201, which is the message."""


def request(path: str, credential: str, body: bytes) -> bytes:
    """Build a publish request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {credential}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def post_all(port: int, requests: Sequence[bytes], connections: int) -> None:
    """Send all requests; each connection sends its next one when the last was answered.

    Raises:
        NotStored: a response was other than 201.
    """
    left = iter(requests)
    with selectors.DefaultSelector() as selector:
        for _ in range(min(connections, len(requests))):
            connection = _Connection(port)
            connection.send_next(left)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        while selector.get_map():
            for key, _events in selector.select():
                if key.data.has_answer() and not key.data.send_next(left):
                    selector.unregister(key.fileobj)
                    key.data.socket.close()


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = connect(port)
        self._read = b""

    def send_next(self, left: Iterator[bytes]) -> bool:
        """Send the next request; returns false if there is none."""
        following = next(left, None)
        if following is None:
            return False
        self.socket.sendall(following)
        return True

    def has_answer(self) -> bool:
        part = self.socket.recv(1 << 20)
        self._read += part
        head, separator, body = self._read.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n") if separator else None
        is_whole = len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")
        if not part or (is_whole and not head.startswith(b"HTTP/1.1 201")):
            raise NotStored(f"a post was answered with {self._read[:500]!r}")
        if is_whole:
            self._read = b""
        return bool(is_whole)
