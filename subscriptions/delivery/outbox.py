"""The outbox of one connection: frames that wait to be written, bounded in size and age."""

# Long because all methods change the same queue, whose invariants hold between any two of them.

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from subscriptions.delivery.transport import Transport, nothing
from subscriptions.protocol.frames import Answer, in_batches

logger = logging.getLogger(__name__)

WRITE_MAX_BYTES = 64 * 1024
"""Most bytes of one write, and of one batch."""

FLUSHES_AT_ONCE = 500
"""Writes, about three milliseconds, after which the event loop can do other work."""

ROOM_SHARE = 0.25
"""A replay proceeds while less than this share of the outbox is filled; the rest is for live events."""


class OutboxClosed(Exception):
    """Nothing is sent any more: the connection is closed or about to close."""


class Flusher:
    """Writes the frames of all outboxes of one event loop.

    It writes at the end of the loop's turn, so that frames that are put at the same moment share a write.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: list[Outbox] = []

    def time(self) -> float:
        """The event loop's clock, in seconds."""
        return self._loop.time()

    def put(self, outboxes: Sequence[Outbox], frame: bytes, *, is_alone: bool) -> None:
        """Send an event's frame to each of these connections, after the frames that wait.

        `is_alone` means that no other event follows at this moment that could share the write.
        """
        # Runs for every delivery: without calls that can be avoided.
        size, due = len(frame), self._due
        was_idle = not due
        at_once = FLUSHES_AT_ONCE if is_alone else 0
        for outbox in outboxes:
            if outbox.is_closed:
                continue
            if at_once and not outbox._queued and outbox._stalled_since is None:
                at_once -= 1
                outbox.sent += 1
                try:
                    if not outbox._write_frames(frame):
                        outbox._wait_for_peer(size)
                except Exception:
                    outbox.fail()
                continue
            outbox._frames.append(frame)
            outbox._queued += size
            if not outbox._is_due:
                outbox._is_due = True
                due.append(outbox)
            elif outbox._queued > WRITE_MAX_BYTES:
                # Write early instead of queueing more; what waits after that is limited.
                outbox.flush()
                outbox._is_due = True
        if was_idle and due:
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        turn = self._due[:FLUSHES_AT_ONCE]
        del self._due[:FLUSHES_AT_ONCE]
        if self._due:
            self._loop.call_soon(self._flush)
        for outbox in turn:
            outbox.flush()


class Outbox:
    """Frames that wait for one connection. Belongs to one event loop and is not thread-safe.

    `on_slow` is called once, when more than `max_bytes` wait. With `batch`, events that wait share a message.
    """

    # A process has ten thousand of them.
    __slots__ = (
        "_answers",
        "_batch",
        "_flusher",
        "_frames",
        "_in_flight",
        "_is_due",
        "_is_slow",
        "_max_bytes",
        "_moved",
        "_on_slow",
        "_queued",
        "_stalled_since",
        "_transport",
        "_write_frames",
        "is_closed",
        "sent",
    )

    def __init__(
        self,
        transport: Transport,
        flusher: Flusher,
        *,
        max_bytes: int,
        batch: bool,
        on_slow: Callable[[], None],
    ) -> None:
        self.sent = 0
        self.is_closed = False
        self._transport = transport
        # Bound once: looking it up takes as long as the rest of a delivery.
        self._write_frames = transport.write
        self._flusher = flusher
        self._max_bytes = max_bytes
        self._batch = batch
        self._on_slow = on_slow
        self._frames: list[bytes] = []
        self._answers = 0
        self._queued = 0
        self._in_flight = 0
        self._is_due = False
        self._is_slow = False
        self._stalled_since: float | None = None
        self._moved: asyncio.Event | None = None
        transport.on_writable = self._writable
        transport.on_lost = self.close

    def put_event(self, frame: bytes) -> None:
        """Send an event's frame after those that wait; it may share a message with other events."""
        self._flusher.put((self,), frame, is_alone=False)

    def put_answer(self, frame: bytes) -> None:
        """Send any other frame after those that wait, as a message of its own."""
        if self.is_closed:
            return
        self._append_answer(frame)
        self.flush()

    def _append_answer(self, frame: bytes) -> None:
        self._frames.append(Answer(frame))
        self._answers += 1
        self._queued += len(frame)

    def _write_and_judge(self) -> None:
        self._write()
        if not self._is_slow and self.waiting > self._max_bytes:
            self._is_slow = True
            self._on_slow()

    def flush(self) -> None:
        """Write what waits, as far as the peer reads it."""
        self._is_due = False
        try:
            self._flush()
        except Exception:
            self.fail()

    def fail(self) -> None:
        """Drop the connection, to which nothing can be written: the others go on."""
        logger.exception("Frames cannot be written to a connection")
        self.close()
        self._transport.abort()

    def _flush(self) -> None:
        if len(self._frames) == 1 and self._stalled_since is None and not self._answers:
            # The most frequent case.
            frame = self._frames.pop()
            self._queued = 0
            self.sent += 1
            if not self._write_frames(frame):
                self._wait_for_peer(len(frame))
        else:
            self._write_and_judge()

    def _write(self) -> None:
        while self._frames and self._stalled_since is None:
            frames = self._take()
            size = self._queued
            self._queued -= sum(map(len, frames)) if self._frames else size
            self.sent += len(frames)
            if self._answers:
                answers = sum(isinstance(frame, Answer) for frame in frames)
                self.sent -= answers
                self._answers -= answers
            if not self._write_frames(b"".join(in_batches(frames) if self._batch else frames)):
                self._wait_for_peer(size - self._queued)

    def _wait_for_peer(self, in_flight: int) -> None:
        self._in_flight = in_flight
        self._stalled_since = self._flusher.time()

    def _take(self) -> list[bytes]:
        """The next frames to write: at most `WRITE_MAX_BYTES`, or a single larger one."""
        frames = self._frames
        if self._queued <= WRITE_MAX_BYTES:
            self._frames = []
            return frames
        count, size = 1, len(frames[0])
        while count < len(frames) and size + len(frames[count]) <= WRITE_MAX_BYTES:
            size += len(frames[count])
            count += 1
        taken = frames[:count]
        del frames[:count]
        return taken

    def _writable(self) -> None:
        self._in_flight = 0
        self._stalled_since = None
        self._write()
        self._wake()

    @property
    def waiting(self) -> int:
        """Bytes that wait for the peer to read."""
        return self._queued + self._in_flight

    @property
    def unsent_events(self) -> list[bytes]:
        """The frames of events that wait, in order."""
        return [frame for frame in self._frames if not isinstance(frame, Answer)]

    def stalled_seconds(self) -> float:
        """Seconds for which the peer has read nothing of what waits; 0 if nothing waits."""
        return 0.0 if self._stalled_since is None else self._flusher.time() - self._stalled_since

    async def room(self) -> None:
        """Wait until a replay may put more frames.

        Raises:
            OutboxClosed: the outbox was closed before.
        """
        while self.waiting > self._max_bytes * ROOM_SHARE and not self.is_closed:
            self._write()
            if self.waiting > self._max_bytes * ROOM_SHARE:
                await self._next_move()
        if self.is_closed:
            raise OutboxClosed

    async def _next_move(self) -> None:
        if self._moved is None:
            self._moved = asyncio.Event()
        await self._moved.wait()

    def _wake(self) -> None:
        if self._moved is not None:
            self._moved.set()
            self._moved = None

    async def finish(self, *, last_frame: bytes | None, timeout_seconds: float) -> None:
        """Send what waits and then `last_frame`, for at most `timeout_seconds`, and close."""
        if self.is_closed:
            return
        if last_frame is not None:
            self._append_answer(last_frame)
        self.is_closed = True
        self._wake()
        self._write()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while self.waiting:
                    await self._next_move()
        self.close()

    def discard(self) -> None:
        """Drop what waits and was not handed to the server."""
        self._frames = []
        self._answers = 0
        self._queued = 0
        self._wake()

    def close(self) -> None:
        """Drop what waits and every later frame."""
        self.is_closed = True
        self._in_flight = 0
        self._stalled_since = None
        self._transport.on_writable = nothing
        self._transport.on_lost = nothing
        self._transport.stop()
        self.discard()
