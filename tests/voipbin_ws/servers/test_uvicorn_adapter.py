"""Ready frames under uvicorn bypass an empty buffer, queue behind a filled one, and end at the close."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from voipbin_ws.servers.uvicorn_adapter import UvicornFrames


class UvloopTransport:
    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self.waiting = b""
        self.closing = self.aborted = False

    def get_extra_info(self, name: str) -> Any:
        return {"socket": self.end}[name]

    def get_write_buffer_size(self) -> int:
        return len(self.waiting)

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: Any) -> None:
        self.waiting += bytes(data)

    def abort(self) -> None:
        self.aborted = True


class UvicornConnection:
    """The part of uvicorn's protocol that the adapter uses."""

    def __init__(self, end: socket.socket, scheme: str = "ws") -> None:
        self.transport = UvloopTransport(end)
        self.scheme = scheme
        self.writable = asyncio.Event()
        self.writable.set()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def test_under_uvicorn_frames_go_straight_to_the_kernel_and_the_rest_by_uvloop(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    connection = UvicornConnection(ends[0])
    frames = UvicornFrames(connection)
    frames.write(b"12345")
    assert ends[1].recv(100) == b"12345"
    much = b"x" * 10_000_000
    frames.write(much)
    frames.write(b"abc")
    assert connection.transport.waiting.endswith(b"xabc"), "what came later overtook what waited"
    taken = len(much) + 3 - len(connection.transport.waiting)
    assert 0 < taken < len(much)
    connection.transport.waiting = b""
    frames.write(b"full")
    assert connection.transport.waiting == b"full"


def test_under_uvicorn_tls_is_uvloops_business(ends: tuple[socket.socket, socket.socket]) -> None:
    connection = UvicornConnection(ends[0], "wss")
    UvicornFrames(connection).write(b"secret")
    assert connection.transport.waiting == b"secret"


def test_under_uvicorn_nothing_is_written_after_the_end(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    connection = UvicornConnection(ends[0])
    connection.transport.closing = True
    UvicornFrames(connection).write(b"late")
    ends[0].close()
    assert (ends[1].recv(100), connection.transport.waiting) == (b"", b"")


def test_under_uvicorn_a_released_connection_never_waits(ends: tuple[socket.socket, socket.socket]) -> None:
    connection = UvicornConnection(ends[0])
    frames = UvicornFrames(connection)
    connection.writable.clear()
    connection.transport.waiting = b"full"
    assert not frames.write(b"1")
    notified: list[str] = []
    frames.on_writable = lambda: notified.append("writable")
    frames.release()
    assert (connection.writable.is_set(), notified) == (True, ["writable"])
    connection.writable.clear()
    assert frames.write(b"2")
    frames.abort()
    assert connection.transport.aborted
