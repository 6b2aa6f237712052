"""A client of the drills, written from the protocol's description alone and not from the gateway's own client."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Sequence
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from tests.faults.support.oracle import Missed, ReceivedEvent, Started, Stopped, Story
from tests.support.frames import check_received

PING_SECONDS = 1.0
SILENCE_SECONDS = 5.0
"""A socket on which nothing came for this long, not even a pong, is given up."""


class Subscriber:
    """Connects, subscribes, listens and comes back with its cursor until it is stopped.

    `urls` are taken in turn, as where a proxy or DNS leads to another process each time. With `cursor` it begins in the
    past.
    """

    def __init__(
        self,
        name: str,
        customer_id: str,
        urls: Sequence[str],
        token: str,
        patterns: Sequence[str],
        *,
        batch: bool = False,
        cursor: str | None = None,
    ) -> None:
        self.token = token
        self.story = Story(name, customer_id)
        self.received_at: dict[str, float] = {}
        self.connections = 0
        self.close_codes: list[int] = []
        self.last_seq = 0
        self.ready = asyncio.Event()
        self._urls = urls
        self._query = f"?token={token}" + ("&batch=true" if batch else "")
        self._patterns = list(patterns)
        self._cursor = cursor
        self._cursor_at_stop: str | None = None
        self._stopping = False
        self._socket: ClientConnection | None = None
        self._acks: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._task = asyncio.create_task(self._run(), name=name)

    @property
    def failure(self) -> BaseException | None:
        """What ended it before its time, such as an unexpected answer."""
        return self._task.exception() if self._task.done() and not self._task.cancelled() else None

    async def stop(self) -> None:
        """End for good."""
        self._stopping = True
        # A library that is just giving up on a connection may take the cancellation for its own.
        while not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=1)

    def drop(self) -> None:
        """Cut the connection without a word; it comes back by itself."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def toggle(self, patterns: Sequence[str]) -> None:
        """Unsubscribe and subscribe again with the cursor of that moment, so that nothing may be missed between."""
        socket = self._socket
        if socket is None:
            return
        with contextlib.suppress(websockets.ConnectionClosed):
            await self._ask(socket, {"type": "unsubscribe", "topics": list(patterns)})
            since = self._cursor_at_stop
            ack = await self._ask(socket, {"type": "subscribe", "topics": list(patterns), "since": since})
            assert ack["recovered"], ack

    async def _run(self) -> None:
        while not self._stopping:
            url = self._urls[self.connections % len(self._urls)]
            self.connections += 1
            try:
                async with connect(
                    url + self._query, max_size=None, ping_interval=None, open_timeout=10, close_timeout=1
                ) as socket:
                    self._socket = socket
                    await self._converse(socket)
            except websockets.ConnectionClosed as closed:
                if closed.rcvd is not None:
                    self.close_codes.append(closed.rcvd.code)
            except (OSError, TimeoutError, websockets.InvalidHandshake, websockets.InvalidMessage):
                pass
            finally:
                self._socket = None
                for future in self._acks.values():
                    future.cancel()
                self._acks.clear()
            await asyncio.sleep(random.uniform(0.05, 0.3))

    async def _converse(self, socket: ClientConnection) -> None:
        message: dict[str, Any] = {"type": "subscribe", "topics": self._patterns, "request_id": 0}
        if self._cursor is not None:
            message["since"] = self._cursor
        await socket.send(json.dumps(message))
        pinging = asyncio.create_task(self._ping(socket))
        try:
            while True:
                text = await asyncio.wait_for(socket.recv(), SILENCE_SECONDS)
                frames = json.loads(text)
                check_received(frames)
                for frame in frames if isinstance(frames, list) else [frames]:
                    self._read(frame)
        finally:
            pinging.cancel()

    async def _ping(self, socket: ClientConnection) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await asyncio.sleep(PING_SECONDS)
                await socket.send('{"type": "ping"}')

    async def _ask(self, socket: ClientConnection, message: dict[str, Any]) -> dict[str, Any]:
        request_id = random.randrange(1, 2**31)
        future = self._acks[request_id] = asyncio.get_running_loop().create_future()
        await socket.send(json.dumps({**message, "request_id": request_id}))
        return await future

    def _read(self, frame: dict[str, Any]) -> None:
        if "event_type" in frame:
            seq = _seq(frame["cursor"])
            self.story.happenings.append(ReceivedEvent(frame["id"], seq, frame["topic"]))
            self.received_at.setdefault(frame["id"], time.monotonic())
            self.last_seq = max(self.last_seq, seq)
            self._cursor = frame["cursor"]
        elif frame["type"] == "ack":
            self._acknowledged(frame)
        elif frame["type"] == "pong":
            if frame["cursor"] is not None:
                self._cursor = frame["cursor"]
                self.last_seq = max(self.last_seq, _seq(frame["cursor"]))
        elif frame["type"] == "error" and frame["code"] not in ("RESTARTING", "TOO_SLOW"):
            raise AssertionError(f"{self.story.name} received {frame}")

    def _acknowledged(self, frame: dict[str, Any]) -> None:
        if frame["action"] == "subscribe":
            seq = _seq(frame["cursor"])
            patterns = tuple(frame["topics"])
            if self._cursor is not None and not self.story.happenings:
                self.story.happenings.append(Started(_seq(self._cursor), patterns))
            if frame.get("recovered") is False:
                self.story.happenings.append(Missed(seq))
                self._cursor = frame["cursor"]
            elif "recovered" not in frame or frame["request_id"] != 0:
                self.story.happenings.append(Started(seq, patterns))
            if self._cursor is None:
                self._cursor = frame["cursor"]
            self.ready.set()
        elif frame["action"] == "unsubscribe":
            # Now, not when someone waits for it has its turn: what comes next moves the cursor on.
            self.story.happenings.append(Stopped(tuple(frame["topics"])))
            self._cursor_at_stop = self._cursor
        if future := self._acks.pop(frame.get("request_id"), None):
            future.set_result(frame)


def _seq(cursor: str) -> int:
    return int(cursor.rpartition(".")[2])
