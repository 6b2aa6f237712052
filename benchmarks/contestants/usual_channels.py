"""Django Channels as usually written, in `benchmarks/baseline`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

import jwt

from benchmarks import event, wire
from benchmarks.accounting import on_cores
from benchmarks.contestants.contestant import HttpPublisher, Place, ProcessContestant, listens
from benchmarks.load import Socket
from tests.support.ports import on_free_port
from tests.support.processes import ServerProcess

SECRET = "a secret of the usual way, long enough to sign"
CUSTOMER = "00000000-0000-0000-0000-000000000007"


class UsualChannels(ProcessContestant[HttpPublisher]):
    """One group membership for each topic, one channel message for each event and connection."""

    burst_share = 0.25

    def __init__(self, place: Place, server: str) -> None:
        application = "benchmarks.baseline.asgi:application"
        environment = os.environ | {"BASELINE_SECRET": SECRET}

        def start(port: int) -> ServerProcess:
            options = {
                "daphne": ["daphne", "-b", "127.0.0.1", "-p", str(port), "--no-server-name", application],
                "uvicorn": ["uvicorn", "--port", str(port), "--no-access-log", "--log-level", "warning"],
            }[server]
            command = [sys.executable, "-m", *options, *([application] if server == "uvicorn" else [])]
            with on_cores(place.server_cores):
                process = ServerProcess(command, place.folder / "server.log", environment=environment)
            process.wait_ready(lambda: listens(port), server)
            return process

        self._port, process = on_free_port(start)
        super().__init__(
            f"Channels as usual on {server}", process, HttpPublisher(self._port, "/events", SECRET)
        )

    def sockets(self, count: int, start: int) -> list[Socket]:
        address = f"127.0.0.1:{self._port}"
        token = jwt.encode({"customer_id": CUSTOMER}, SECRET, algorithm="HS256")
        subscribe = json.dumps({"type": "subscribe", "topics": [f"customer_id:{CUSTOMER}:call:*"]})
        request = wire.handshake(address, f"/v1.0/ws?token={token}")
        return [
            Socket(address, request, wire.frame(subscribe.encode()), b'"status": "success"', start)
            for _ in range(count)
        ]

    def publish(self, marks: Sequence[int]) -> None:
        frames = [json.loads(event.frame(mark, CUSTOMER)) for mark in marks]
        self._publisher.post(json.dumps(frames).encode())
