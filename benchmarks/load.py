"""The load client: a C program that holds many sockets, driven from here."""

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
    """What the load client saw is not what it should have seen."""


@dataclass(frozen=True)
class Socket:
    """One socket to open: the handshake's `request`, what to send after it, and what then tells that it is `ready`.

    `start` is the first mark that must arrive, and every one after it in order; 0 for any marks in rising order.
    """

    server: str
    """`127.0.0.1:8000`"""
    request: bytes
    first: bytes = b""
    ready: bytes = b""
    start: int = 1
    source: str = "127.0.0.1"

    def packed(self) -> bytes:
        """As the client reads it."""
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
    """What the client has seen since it started; times in nanoseconds."""

    answer: str
    open: int
    failed: int
    closed: int
    deliveries: int
    lost: int
    disordered: int
    reads: int
    cpu: int
    opening_took: int
    failure: str


class LoadClient:
    """One process. Use it in a `with` block."""

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
        """End it; its sockets end with it."""
        self._process.kill()
        self._process.communicate()

    def open(self, sockets: Sequence[Socket], at_once: int = 100) -> LoadStats:
        """Open these beside those that are open, `at_once` under way at a time.

        Raises:
            LoadFailed: not all of them could be.
        """
        self.begin_opening(sockets, at_once)
        return self.finish_opening()

    def begin_opening(self, sockets: Sequence[Socket], at_once: int) -> None:
        """Like `open`, but return at once; `finish_opening` waits."""
        fd, name = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(fd, "wb") as file:
            for each in sockets:
                file.write(each.packed())
        self._send(f"open {name} {at_once}")

    def finish_opening(self) -> LoadStats:
        """Wait for what was begun; see `open`."""
        seen = self._receive()
        if seen.failed:
            raise LoadFailed(f"{seen.failed} sockets did not open: {seen.failure}")
        return seen

    def drop(self, first: int, count: int) -> LoadStats:
        """Cut sockets, numbered from 0 in the order of opening, without a word."""
        self._send(f"drop {first} {count}")
        return self._receive()

    def begin_until(self, mark: int, seconds: float = 60) -> None:
        """Wait, in the background, until every open socket has had this mark; `finish` tells."""
        self._send(f"until {mark} {int(seconds * 1000)}")

    def begin_total(self, deliveries: int, seconds: float = 60) -> None:
        """Wait, in the background, until this many marks have arrived since the start; `finish` tells."""
        self._send(f"total {deliveries} {int(seconds * 1000)}")

    def finish(self, *, complete: bool = True) -> LoadStats:
        """The end of what was begun.

        Raises:
            LoadFailed: something is missing, twice there or out of order; not where `complete` is false.
        """
        seen = self._receive()
        if complete:
            check(seen)
        return seen

    def stats(self) -> LoadStats:
        """What was seen so far."""
        self._send("stats")
        return self._receive()

    def record(self, on: bool) -> None:
        """Remember when each mark arrives, or no more."""
        self._send(f"record {int(on)}")
        self._receive()

    def recorded(self) -> list[tuple[int, int]]:
        """Mark and arrival, in nanoseconds of the steady clock, of all that was recorded."""
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
    """Raise LoadFailed unless all arrived, in order, each once, on sockets that stayed open."""
    if seen.answer == "late" or seen.lost or seen.disordered or seen.closed:
        raise LoadFailed(
            f"not all arrived in time, or {seen.lost} were lost, {seen.disordered} out of order or twice, "
            f"{seen.closed} sockets closed ({seen.failure or 'no reason given'}): {seen}"
        )
