"""Programs of many kinds in the drills: clients that print what they receive, and publishers of both packages."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from voipbin_ws_client import Publisher as PackagePublisher

from tests.faults.support.oracle import Missed, ReceivedEvent, Started, Story
from tests.support.processes import ROOT

PROGRAMS = Path(__file__).parent.parent / "programs"


class ProgramClient:
    """A program that prints the frames that it receives, one a line, and reconnects by itself."""

    def __init__(
        self, name: str, customer_id: str, token: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self.token = token
        self.story = Story(name, customer_id)
        self.received_at: dict[str, float] = {}
        self.connections = 0
        self.close_codes: list[int] = []
        self.last_seq = 0
        self.ready = asyncio.Event()
        topic = f"customer_id:{customer_id}:*:*"
        self._environment = {**environment, "TOKEN": token, "TOPIC": topic}
        self._task = asyncio.create_task(self._run(command), name=name)

    @property
    def failure(self) -> BaseException | None:
        """What ended it before its time."""
        return self._task.exception() if self._task.done() and not self._task.cancelled() else None

    async def stop(self) -> None:
        """End for good."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def drop(self) -> None:
        """It has no say in that."""

    async def _run(self, command: Sequence[str]) -> None:
        process = await _started(command, self._environment)
        try:
            assert process.stdout is not None
            while line := await process.stdout.readline():
                self._read(json.loads(line))
            raise AssertionError(f"{self.story.name} ended")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def _read(self, frame: dict[str, Any]) -> None:
        if "event_type" in frame:
            seq = _seq(frame["cursor"])
            self.story.happenings.append(ReceivedEvent(frame["id"], seq, frame["topic"]))
            self.received_at.setdefault(frame["id"], time.monotonic())
            self.last_seq = max(self.last_seq, seq)
        elif frame["type"] == "ack":
            self.connections += 1
            if frame.get("recovered") is False:
                self.story.happenings.append(Missed(_seq(frame["cursor"])))
            elif not self.ready.is_set():
                self.story.happenings.append(Started(_seq(frame["cursor"]), tuple(frame["topics"])))
                self.ready.set()
        elif frame["code"] not in ("RESTARTING", "TOO_SLOW"):
            raise AssertionError(f"{self.story.name} received {frame}")


class PythonPublisher:
    """Publishes with the Python package until it is stopped."""

    def __init__(self, url: str, token: str, *, per_second: float) -> None:
        self.acknowledged: dict[str, float] = {}
        self.statuses: dict[int, int] = {}
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._run(url, token, 1 / per_second))

    async def stop(self) -> None:
        """Finish what is under way."""
        self._stopping.set()
        await self._task

    async def _run(self, url: str, token: str, pause: float) -> None:
        async with PackagePublisher(url, token=token) as publisher, asyncio.TaskGroup() as group:
            for number in itertools.count():
                if self._stopping.is_set():
                    break
                group.create_task(self._publish(publisher, number))
                await asyncio.sleep(pause)

    async def _publish(self, publisher: PackagePublisher, number: int) -> None:
        event = {"event_type": "call.status", "data": {"id": f"py-{number % 20}"}}
        [receipt] = await publisher.publish(event)
        self.acknowledged[receipt.id] = time.monotonic()


class ProgramPublisher:
    """A program that publishes until its standard input ends, and prints the id of each stored event."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.acknowledged: dict[str, float] = {}
        self.statuses: dict[int, int] = {}
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._run(command, environment))

    async def stop(self) -> None:
        """Let it finish what is under way."""
        self._stopping.set()
        await self._task

    async def _run(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        process = await _started(command, environment)
        assert process.stdin is not None
        assert process.stdout is not None
        ending = asyncio.create_task(self._end(process.stdin))
        while line := await process.stdout.readline():
            self.acknowledged[json.loads(line)] = time.monotonic()
        ending.cancel()
        assert await process.wait() == 0, f"{command} failed"

    async def _end(self, stdin: asyncio.StreamWriter) -> None:
        await self._stopping.wait()
        stdin.close()


async def _started(command: Sequence[str], environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**22,
        start_new_session=True,
    )


def _seq(cursor: str) -> int:
    return int(cursor.rpartition(".")[2])
