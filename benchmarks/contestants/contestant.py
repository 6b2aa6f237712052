"""The interface of a measured server."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from benchmarks.accounting import cpu_ns, on_cores, tree_of
from benchmarks.load import Socket
from tests.support.processes import ServerProcess


@dataclass(frozen=True)
class Place:
    """The folder and the cores of a contestant, and how many connections it will hold."""

    folder: Path
    """The contestant's own, for files and logs."""
    server_cores: set[int]
    load_cores: set[int]
    sockets: int


class Contestant(Protocol):
    """A running server to which events can be published."""

    name: str
    burst_share: float
    """The part of a full round that is measured: less for slow servers."""

    def cpu(self) -> int:
        """CPU nanoseconds that the server has used."""

    def sockets(self, count: int, start: int) -> list[Socket]:
        """Connections that are to receive all events from mark `start` on."""

    def publish(self, marks: Sequence[int]) -> None:
        """Publish the events with these marks as fast as possible; returns when they are answered."""

    def stop(self) -> None:
        """End the server."""


class Publisher(Protocol):
    """A connection to a server over which events are published."""

    def close(self) -> None:
        """End the connection."""


P = TypeVar("P", bound=Publisher)


class ProcessContestant(Generic[P]):
    """A contestant that is one server process with children."""

    burst_share = 1.0

    def __init__(self, name: str, process: ServerProcess, publisher: P) -> None:
        self.name = name
        self._process = process
        self._publisher = publisher

    @classmethod
    def started(cls, command: Sequence[str | Path], place: Place, port: int) -> ServerProcess:
        """Start the process on the server's core; returns when it accepts connections on `port`."""
        with on_cores(place.server_cores):
            process = ServerProcess([str(part) for part in command], place.folder / "server.log")
        process.wait_ready(lambda: listens(port), str(command[0]))
        return process

    def cpu(self) -> int:
        return sum(map(cpu_ns, tree_of(self._process.pid)))

    def stop(self) -> None:
        self._publisher.close()
        self._process.kill()


def listens(port: int) -> bool:
    """Whether a server accepts connections on this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def connect(port: int) -> socket.socket:
    """A connection to a local server that sends at once what is written."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


KEPT_SECONDS = 2.0
"""Servers close idle connections, uvicorn after five seconds."""


class HttpPublisher:
    """Publishes JSON over one kept connection."""

    def __init__(self, port: int, path: str, credential: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._path = path
        self._used = time.monotonic()
        self._headers = {"Authorization": f"Bearer {credential}", "Content-Type": "application/json"}

    def post(self, body: bytes) -> bytes:
        """Publish; returns the response. Raises RuntimeError if it is other than 201."""
        if time.monotonic() - self._used > KEPT_SECONDS:
            self._connection.close()  # The next request opens it again.
        self._connection.request("POST", self._path, body, self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        self._used = time.monotonic()
        if response.status != 201:
            raise RuntimeError(f"publishing was answered with {response.status}: {answer[:500]!r}")
        return answer

    def close(self) -> None:
        self._connection.close()
