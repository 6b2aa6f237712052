"""The upper bound: a C program that only calls send()."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Sequence

from benchmarks import event, wire
from benchmarks.accounting import on_cores
from benchmarks.compiled import compiled
from benchmarks.contestants.contestant import Place, ProcessContestant, connect
from benchmarks.load import Socket
from tests.support.processes import ServerProcess


class SendLoop(ProcessContestant[socket.socket]):
    """One send() for each event and connection."""

    def __init__(self, place: Place) -> None:
        with on_cores(place.server_cores):
            process = ServerProcess([str(compiled("send_loop"))], place.folder / "server.log")
        announced = re.compile(r"^Listening on port (\d+)$", re.MULTILINE)
        process.wait_ready(lambda: announced.search(process.log_text()), "send_loop")
        found = announced.search(process.log_text())
        assert found
        self._port = int(found[1])
        super().__init__("C loop of send()", process, connect(self._port))
        self._publisher.sendall(b"PUB ")

    def sockets(self, count: int, start: int) -> list[Socket]:
        address = f"127.0.0.1:{self._port}"
        return [Socket(address, wire.handshake(address, "/"), start=start) for _ in range(count)]

    def publish(self, marks: Sequence[int]) -> None:
        frames = [event.frame(mark).encode() for mark in marks]
        self._publisher.sendall(b"".join(struct.pack("<I", len(each)) + each for each in frames))
