"""The load client: a C program that holds many connections, controlled from here."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import tempfile
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.accounting import on_cores
from benchmarks.compiled import compiled


class LoadFailed(Exception):
    """The load client did not receive exactly what it should have."""


@dataclass(frozen=True)
class Socket:
    """A connection to open: the handshake's `request`, then `first`, then wait for `ready`.

    `start` is the first mark that must arrive, with every later one in order; 0 accepts any marks in rising order.
    """

    server: str
    """`127.0.0.1:8000`"""
    request: bytes
    first: bytes = b""
    ready: bytes = b""
    start: int = 1
    source: str = "127.0.0.1"

    def packed(self) -> bytes:
        """The encoding that the load client reads."""
        fields = (
            self.source.encode(),
            self.server.encode(),
            self.request,
            self.first,
            self.ready,
            str(self.start).encode(),
        )
        return b"".join(struct.pack("<I", len(each)) + each for each in fields)


@dataclass(frozen=True)
class LoadStats:
    """What the load client has counted since it started; times in nanoseconds."""

    answer: str
    open: int
    failed: int
    closed: int
    deliveries: int
    lost: int
    disordered: int
    cpu: int
    opening_took: int
    failure: str


class LoadClient:
    """A process of the load client. Use it in a `with` block."""

    def __init__(self, folder: Path, cores: set[int]) -> None:
        self._folder = folder
        with on_cores(cores):
            self._process = subprocess.Popen(
                [compiled("load_client")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )

    def __enter__(self) -> LoadClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def pid(self) -> int:
        return self._process.pid

    def end(self) -> None:
        """End the process and its connections."""
        self._process.kill()
        self._process.communicate()

    def open(self, sockets: Sequence[Socket], at_once: int = 100) -> LoadStats:
        """Open more connections, `at_once` of them at the same time.

        Raises:
            LoadFailed: not all of them could be opened.
        """
        self.begin_opening(sockets, at_once)
        return self.finish_opening()

    def begin_opening(self, sockets: Sequence[Socket], at_once: int) -> None:
        """Start to open connections as `open` does; `finish_opening` waits for them."""
        fd, name = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(fd, "wb") as file:
            for each in sockets:
                file.write(each.packed())
        self._send(f"open {name} {at_once}")

    def finish_opening(self) -> LoadStats:
        """Wait until the connections are open; see `open`."""
        seen = self._receive()
        if seen.failed:
            raise LoadFailed(f"{seen.failed} sockets did not open: {seen.failure}")
        return seen

    def drop(self, first: int, count: int) -> LoadStats:
        """Cut connections, numbered from 0 in the order of opening, without closing handshake."""
        self._send(f"drop {first} {count}")
        return self._receive()

    def begin_until(self, mark: int, seconds: float = 60) -> None:
        """Start to wait until every open connection has received this mark; see `finish`."""
        self._send(f"until {mark} {int(seconds * 1000)}")

    def begin_total(self, deliveries: int, seconds: float = 60) -> None:
        """Start to wait until this many marks have arrived in all; see `finish`."""
        self._send(f"total {deliveries} {int(seconds * 1000)}")

    def finish(self, *, complete: bool = True) -> LoadStats:
        """Wait for what `begin_until` or `begin_total` started.

        Raises:
            LoadFailed: a mark is missing, doubled or out of order, unless `complete` is false.
        """
        seen = self._receive()
        if complete:
            check(seen)
        return seen

    def stats(self) -> LoadStats:
        """What was counted so far."""
        self._send("stats")
        return self._receive()

    def record(self, on: bool) -> None:
        """Start or stop recording when each mark arrives."""
        self._send(f"record {int(on)}")
        self._receive()

    def recorded(self) -> list[tuple[int, int]]:
        """The recorded marks and their arrivals, in nanoseconds of the monotonic clock."""
        path = self._folder / f"arrivals-{self.pid}"
        self._send(f"dump {path}")
        self._receive()
        numbers = array("Q", path.read_bytes())
        return list(zip(numbers[::2], numbers[1::2], strict=True))

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _receive(self) -> LoadStats:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise LoadFailed(f"the load client ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return LoadStats(**answer)


def check(seen: LoadStats) -> None:
    """Raise LoadFailed unless all marks arrived once and in order, on open connections."""
    if seen.answer == "late" or seen.lost or seen.disordered or seen.closed:
        raise LoadFailed(
            f"not all arrived in time, or {seen.lost} were lost, {seen.disordered} out of order or twice, "
            f"{seen.closed} sockets closed ({seen.failure or 'no reason given'}): {seen}"
        )
