"""One socket's waiting frames: bounded in size and age, written in order by one task."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from subscriptions.transport import Transport

BATCH_MAX_CHARACTERS = 64 * 1024
"""Frames joined into one message at most: what one write to a socket takes in a go."""

ROOM_SHARE = 0.25
"""A replay goes on while less than this share of the outbox is filled: live frames have the rest."""


class OutboxClosed(Exception):
    """Nothing is sent any more: the socket is gone or about to close."""


class Outbox:
    """Frames on their way to one socket. Belongs to one event loop; nothing in it may be called from elsewhere.

    `on_slow` is called once, when more than `max_characters` wait.
    """

    def __init__(
        self, transport: Transport, *, max_characters: int, batch: bool, on_slow: Callable[[], None]
    ) -> None:
        self.sent = 0
        self.is_closed = False
        self._transport = transport
        self._max_characters = max_characters
        self._batch = batch
        self._on_slow = on_slow
        self._frames: deque[tuple[str, bool]] = deque()
        self._queued = 0
        self._in_flight = 0
        self._is_slow = False
        self._stuck_since: float | None = None
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._writer = self._loop.create_task(self._write())
        self._writer.add_done_callback(lambda _: self._drained.set())

    def put_event(self, frame: str) -> None:
        """Send an event's frame when its turn comes; it may share a message with others."""
        self._put(frame, True)

    def put_answer(self, frame: str) -> None:
        """Send any other frame when its turn comes, as a message of its own."""
        self._put(frame, False)

    def _put(self, frame: str, is_event: bool) -> None:
        if self.is_closed:
            return
        self._append(frame, is_event)
        if self.waiting > self._max_characters and not self._is_slow:
            self._is_slow = True
            self._on_slow()

    def _append(self, frame: str, is_event: bool) -> None:
        self._frames.append((frame, is_event))
        self._queued += len(frame)
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Characters that wait here for a peer to read."""
        return self._queued + self._in_flight

    @property
    def unsent_events(self) -> list[str]:
        """The events' frames that wait here, in their order."""
        return [frame for frame, is_event in self._frames if is_event]

    def stuck_for(self) -> float:
        """Seconds since the peer has taken nothing of what waits for it."""
        return 0.0 if self._stuck_since is None else self._loop.time() - self._stuck_since

    async def room(self) -> None:
        """Wait until a replay may put in more.

        Raises:
            OutboxClosed: there will be none.
        """
        while self.waiting > self._max_characters * ROOM_SHARE and not self.is_closed:
            self._drained.clear()
            await self._drained.wait()
        if self.is_closed:
            raise OutboxClosed

    async def finish(self, *, last_frame: str | None, timeout_seconds: float) -> None:
        """Send what waits and `last_frame` after it, for at most `timeout_seconds`. Nothing comes after that one."""
        if self.is_closed:
            return
        if last_frame is not None:
            self._append(last_frame, False)
        self.is_closed = True
        self._drained.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while self.waiting and not self._writer.done():
                    self._drained.clear()
                    await self._drained.wait()
        self.close()

    def discard(self) -> None:
        """Forget what waits and was not handed to the server yet."""
        self._frames.clear()
        self._queued = 0
        self._drained.set()

    def close(self) -> None:
        """Send nothing any more."""
        self.is_closed = True
        self._drained.set()
        self._writer.cancel()

    async def _write(self) -> None:
        try:
            while True:
                while self._frames:
                    text, count, size = self._next_message()
                    self._queued -= size
                    self._in_flight = size
                    self._stuck_since = self._loop.time()
                    await self._transport.send_text(text)
                    self._stuck_since = None
                    self._in_flight = 0
                    self.sent += count
                    self._drained.set()
                self._wake.clear()
                await self._wake.wait()
        except Exception:
            # The server says in its own ways that the peer is gone; the consumer hears of it by its disconnect.
            self.is_closed = True
            self._in_flight = 0
            self._stuck_since = None
            self.discard()

    def _next_message(self) -> tuple[str, int, int]:
        """The text of the next message, how many events are in it, and the characters that it takes from the outbox."""
        frames = self._frames
        first, is_event = frames.popleft()
        if not (self._batch and is_event and frames and frames[0][1]):
            return first, int(is_event), len(first)
        together = [first]
        size = len(first)
        while frames and frames[0][1] and size + len(frames[0][0]) <= BATCH_MAX_CHARACTERS:
            frame, _ = frames.popleft()
            together.append(frame)
            size += len(frame)
        text = f"[{', '.join(together)}]" if len(together) > 1 else first
        return text, len(together), size
