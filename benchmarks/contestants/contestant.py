"""What a measurement asks of whoever is measured."""

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
    """Where a contestant runs."""

    folder: Path
    """Its own, for files and logs."""
    server_cores: set[int]
    load_cores: set[int]
    sockets: int
    """How many it will hold."""


class Contestant(Protocol):
    """A running server with a way to publish to it."""

    name: str
    burst_share: float
    """The part of a full round that is enough: less for those who are slow."""

    def cpu(self) -> int:
        """CPU nanoseconds that the server has used."""

    def sockets(self, count: int, start: int) -> list[Socket]:
        """Subscribers who hear everything from mark `start` on."""

    def publish(self, marks: Sequence[int]) -> None:
        """Publish the events with these marks as fast as may be, and wait for their publisher's answers."""

    def stop(self) -> None:
        """End it."""


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
        """The process on the server's core, listening on `port`."""
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
    """Whether something takes connections on this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def connect(port: int) -> socket.socket:
    """A connection to a local server that sends at once what is written."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


KEPT_SECONDS = 2.0
"""Servers close a connection that was not used for a while, uvicorn after five seconds."""


class HttpPublisher:
    """Posts JSON over one kept connection."""

    def __init__(self, port: int, path: str, credential: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._path = path
        self._used = time.monotonic()
        self._headers = {"Authorization": f"Bearer {credential}", "Content-Type": "application/json"}

    def post(self, body: bytes) -> bytes:
        """Publish; returns the answer. Raises RuntimeError for any other than 201."""
        if time.monotonic() - self._used > KEPT_SECONDS:
            self._connection.close()  # It is opened anew by itself.
        self._connection.request("POST", self._path, body, self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        self._used = time.monotonic()
        if response.status != 201:
            raise RuntimeError(f"publishing was answered with {response.status}: {answer[:500]!r}")
        return answer

    def close(self) -> None:
        self._connection.close()
