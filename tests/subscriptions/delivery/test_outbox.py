"""The outbox: order, bounds, batches, and the last frame of a connection."""

# Long because each way to end is tested by itself.
from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from subscriptions.delivery.outbox import (
    FLUSHES_AT_ONCE,
    WRITE_MAX_BYTES,
    Flusher,
    Outbox,
    OutboxClosed,
)
from subscriptions.delivery.transport import READY_FRAMES, nothing, transport_of
from subscriptions.protocol.frames import text_frame
from tests.subscriptions.support.frames import FrameReader

LIMIT = 1000


class Peer:
    """A server that takes ready frames, and its client.

    While `reads` is off, the next write is the last that it accepts, as if the server's own buffer were full.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.writes = 0
        self.reads = True
        self.writable = True
        self.is_closed = False
        self.on_writable: Callable[[], None] = nothing
        self.begin = self.abort = nothing
        self._reader = FrameReader()

    def write(self, frames: bytes) -> bool:
        assert self.writable, "the server had said that it wants no more"
        self.writes += 1
        self.texts += self._reader.read(frames)
        self.writable = self.reads
        return self.reads

    def read_on(self) -> None:
        self.reads = self.writable = True
        self.on_writable()

    def release(self) -> None:
        self.read_on()

    def hold_reading(self, hold: bool) -> None: ...

    async def send(self, message: Mapping[str, Any]) -> None:
        self.is_closed = True


class Box:
    """An outbox, its peer, and how often it reported a slow peer."""

    def __init__(self, *, batch: bool = False, limit: int = LIMIT, flusher: Flusher | None = None) -> None:
        self.peer = Peer()
        self.verdicts = 0
        self.transport = transport_of({"extensions": {READY_FRAMES: self.peer}}, self.peer.send)
        self.outbox = Outbox(
            self.transport, flusher or Flusher(), max_bytes=limit, batch=batch, on_slow=self._count
        )

    def _count(self) -> None:
        self.verdicts += 1

    def put(self, *texts: str) -> None:
        for text in texts:
            self.outbox.put_event(text_frame(text))

    def answer(self, text: str) -> None:
        self.outbox.put_answer(text_frame(text))

    async def settled(self) -> None:
        """Wait until everything that does not depend on the peer has happened."""
        for _ in range(10):
            await asyncio.sleep(0)


def text_of(frame_bytes: int, letter: str = "x") -> str:
    """A text whose frame has so many bytes."""
    return letter * (frame_bytes - (2 if frame_bytes < 128 else 4))


async def test_frames_leave_in_the_order_in_which_they_came() -> None:
    box = Box()
    for number in range(50):
        (box.put if number % 3 else box.answer)(str(number))
    await box.settled()
    assert box.peer.texts == [str(number) for number in range(50)]
    assert (box.outbox.waiting, box.outbox.sent) == (0, 33)


async def test_what_comes_at_the_same_moment_leaves_in_one_write() -> None:
    box = Box()
    box.put(*map(str, range(50)))
    assert box.peer.writes == 0
    await box.settled()
    assert box.peer.writes == 1
    assert box.peer.texts == [str(number) for number in range(50)]


def put_alone(boxes: list[Box], text: str) -> None:
    Flusher().put([box.outbox for box in boxes], text_frame(text), is_alone=True)


async def test_a_single_event_is_written_at_once_unless_frames_wait_or_are_stalled() -> None:
    free, waiting, stalled, closed = Box(), Box(), Box(), Box()
    waiting.put("before")
    stalled.peer.reads = False
    stalled.put("stalled")
    closed.outbox.close()
    await asyncio.sleep(0)
    waiting.put("before")
    put_alone([free, waiting, stalled, closed], "alone")
    assert free.peer.texts == ["alone"]
    await free.settled()
    assert (waiting.peer.texts, stalled.peer.texts) == (["before", "before", "alone"], ["stalled"])
    stalled.peer.read_on()
    assert (stalled.peer.texts, closed.peer.texts) == (["stalled", "alone"], [])
    assert [box.outbox.sent for box in (free, waiting, stalled)] == [1, 3, 2]


async def test_a_peer_that_stops_reading_at_an_event_that_came_alone_is_waited_for() -> None:
    box = Box()
    box.peer.reads = False
    put_alone([box], "1")
    assert box.outbox.waiting == len(text_frame("1"))
    put_alone([box], "2")
    box.peer.read_on()
    assert (box.peer.texts, box.outbox.waiting) == (["1", "2"], 0)


async def test_an_event_that_comes_alone_leaves_the_event_loop_its_turns() -> None:
    flusher = Flusher()
    boxes = [Box(flusher=flusher) for _ in range(2 * FLUSHES_AT_ONCE + 1)]
    put_alone(boxes, "alone")
    written = []
    while len(written) < 3:
        written.append(sum(box.peer.writes for box in boxes))
        await asyncio.sleep(0)
    assert written == [FLUSHES_AT_ONCE, 2 * FLUSHES_AT_ONCE, 2 * FLUSHES_AT_ONCE + 1]
    assert all(box.peer.texts == ["alone"] for box in boxes)


async def test_a_write_is_bounded_and_much_does_not_wait_for_the_end_of_the_moment() -> None:
    box = Box(limit=100 * WRITE_MAX_BYTES)
    half, large = text_of(WRITE_MAX_BYTES // 2), "l" * WRITE_MAX_BYTES
    box.put(half, half, half, large, half)
    assert box.peer.texts[:2] == [half, half], "it piled up"
    await box.settled()
    assert box.peer.texts == [half, half, half, large, half]
    assert box.peer.writes == 4


async def test_with_batch_waiting_events_are_combined_and_answers_are_not() -> None:
    box = Box(batch=True)
    box.peer.reads = False
    box.put('{"n": 0}')
    await box.settled()
    for put, number in (
        (box.put, 1),
        (box.put, 2),
        (box.answer, 3),
        (box.put, 4),
        (box.answer, 5),
        (box.answer, 6),
        (box.put, 7),
        (box.put, 8),
    ):
        put(f'{{"n": {number}}}')
    box.peer.read_on()
    await box.settled()
    single = [{"n": number} for number in range(9)]
    assert [json.loads(text) for text in box.peer.texts] == [
        single[0],
        single[1:3],
        single[3],
        single[4],
        single[5],
        single[6],
        single[7:9],
    ]
    assert box.outbox.sent == 6


async def test_a_batch_is_bounded_and_a_large_event_goes_alone() -> None:
    box = Box(batch=True, limit=10 * WRITE_MAX_BYTES)
    half, large = text_of(WRITE_MAX_BYTES // 2), "l" * WRITE_MAX_BYTES
    box.peer.reads = False
    box.put("first")
    await box.settled()
    box.put(half, half, half, large, half)
    box.peer.read_on()
    await box.settled()
    assert box.peer.texts == ["first", f"[{half}, {half}]", half, large, half]


async def test_a_slow_peer_is_reported_once() -> None:
    box = Box()
    box.peer.reads = False
    box.put(text_of(400))
    await box.settled()
    box.put(text_of(600))
    await box.settled()
    assert box.verdicts == 0, "exactly as much as may wait"
    for _ in range(5):
        box.put("z")
        await box.settled()
    assert box.verdicts == 1


async def test_a_peer_that_reads_is_not_slow_however_much_comes_at_one_moment() -> None:
    box = Box(limit=2 * WRITE_MAX_BYTES)
    box.put(*[text_of(1000)] * 1000)
    await box.settled()
    assert box.verdicts == 0
    assert len(box.peer.texts) == 1000


async def test_more_than_may_wait_is_seen_before_the_moment_ends() -> None:
    box = Box(limit=2 * WRITE_MAX_BYTES)
    box.peer.reads = False
    box.put(*[text_of(1000)] * 1000)
    assert box.verdicts == 1
    assert len(box.peer.texts) < 100


async def test_what_the_server_has_not_got_rid_of_counts() -> None:
    box = Box()
    box.peer.reads = False
    box.put(text_of(400))
    await box.settled()
    assert box.outbox.waiting == 400
    box.peer.read_on()
    assert box.outbox.waiting == 0


async def test_after_a_write_of_a_part_each_byte_counts_once() -> None:
    box = Box(limit=10 * WRITE_MAX_BYTES)
    box.peer.reads = False
    box.put("first")
    await box.settled()
    half = text_of(WRITE_MAX_BYTES // 2)
    box.put(half, half, half)
    waiting = box.outbox.waiting
    assert waiting == 3 * WRITE_MAX_BYTES // 2 + len(text_frame("first"))
    # One write of two frames; the server's buffer is full again.
    box.peer.writable = True
    box.peer.on_writable()
    assert box.peer.texts == ["first", half, half]
    assert box.outbox.waiting == 3 * WRITE_MAX_BYTES // 2


async def test_it_says_how_long_a_peer_has_taken_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box()
    now = 100.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    assert box.outbox.stalled_seconds() == 0
    box.peer.reads = False
    box.put("x")
    await box.settled()
    now += 31
    assert box.outbox.stalled_seconds() == 31
    box.peer.read_on()
    assert box.outbox.stalled_seconds() == 0


async def test_a_replay_waits_for_room_and_goes_on() -> None:
    box = Box()
    box.peer.reads = False
    box.put(text_of(251))
    waiting = asyncio.ensure_future(box.outbox.room())
    await box.settled()
    assert not waiting.done()
    box.peer.read_on()
    await asyncio.wait_for(waiting, 5)


async def test_a_replay_that_waits_for_room_ends_with_the_outbox() -> None:
    for end in ("close", "finish"):
        box = Box()
        box.peer.reads = False
        box.put(text_of(251), "y")
        waiting = asyncio.ensure_future(box.outbox.room())
        await box.settled()
        if end == "close":
            box.outbox.close()
        else:
            await box.outbox.finish(last_frame=None, timeout_seconds=0)
        with pytest.raises(OutboxClosed):
            await asyncio.wait_for(waiting, 5)


async def test_the_last_frame_comes_last_and_nothing_after_it() -> None:
    box = Box()
    box.peer.reads = False
    box.put("1")
    await box.settled()
    box.put("2")
    finishing = asyncio.ensure_future(box.outbox.finish(last_frame=text_frame("last"), timeout_seconds=60))
    await box.settled()
    box.put("too late")
    box.answer("too late")
    assert not finishing.done()
    box.peer.read_on()
    await asyncio.wait_for(finishing, 5)
    await box.settled()
    assert box.peer.texts == ["1", "2", "last"]
    box.put("far too late")
    await box.settled()
    assert box.peer.texts == ["1", "2", "last"]


async def test_a_peer_that_does_not_read_gets_its_last_frame_behind_what_the_server_still_holds() -> None:
    box = Box()
    box.peer.reads = False
    box.put(text_of(900))
    await box.settled()
    box.put(text_of(900, "y"))
    box.outbox.discard()
    finishing = asyncio.ensure_future(box.outbox.finish(last_frame=text_frame("why"), timeout_seconds=60))
    await box.settled()
    assert not finishing.done(), "what the server holds was taken for sent"
    box.transport.release()
    await asyncio.wait_for(finishing, 5)
    assert box.peer.texts == [text_of(900), "why"]


async def test_finishing_gives_up_after_its_time() -> None:
    box = Box()
    box.peer.reads = False
    box.put("1")
    await box.settled()
    await asyncio.wait_for(box.outbox.finish(last_frame=text_frame("last"), timeout_seconds=0.01), 5)
    box.peer.read_on()
    await box.settled()
    assert box.peer.texts == ["1"]


async def test_closing_ends_a_finish_at_once_and_leaves_nothing_waiting() -> None:
    box = Box()
    box.peer.reads = False
    box.put("1")
    await box.settled()
    box.put("2")
    finishing = asyncio.ensure_future(box.outbox.finish(last_frame=text_frame("last"), timeout_seconds=3600))
    await box.settled()
    box.outbox.close()
    await asyncio.wait_for(finishing, 5)
    box.put("3" * LIMIT * 2)
    await box.settled()
    assert (box.outbox.waiting, box.verdicts, box.outbox.stalled_seconds()) == (0, 0, 0)


async def test_a_thousand_outboxes_leave_the_event_loop_its_turns() -> None:
    flusher = Flusher()
    peers = [Peer() for _ in range(FLUSHES_AT_ONCE + 1)]
    for peer in peers:
        transport = transport_of({"extensions": {READY_FRAMES: peer}}, peer.send)
        outbox = Outbox(transport, flusher, max_bytes=LIMIT, batch=False, on_slow=nothing)
        outbox.put_event(text_frame("x"))
    written: list[int] = []
    asyncio.get_running_loop().call_soon(lambda: written.append(sum(peer.writes for peer in peers)))
    for _ in range(3):
        await asyncio.sleep(0)
    assert written == [FLUSHES_AT_ONCE]
    assert sum(peer.writes for peer in peers) == FLUSHES_AT_ONCE + 1


# --- On a server with ASGI only ---


class AsgiPeer:
    """A server whose `send` takes as long as the client does not read."""

    def __init__(self) -> None:
        self.messages: list[Mapping[str, Any]] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.is_gone = False

    async def send(self, message: Mapping[str, Any]) -> None:
        if self.is_gone:
            raise ConnectionResetError
        self.messages.append(message)
        await self.reads.wait()

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.messages if message["type"] == "websocket.send"]


class AsgiBox(Box):
    def __init__(self) -> None:
        super().__init__()
        self.asgi = AsgiPeer()
        self.outbox = Outbox(
            transport_of({}, self.asgi.send), Flusher(), max_bytes=LIMIT, batch=False, on_slow=self._count
        )


async def test_asgi_sends_carry_the_same_texts_in_order() -> None:
    box = AsgiBox()
    long, longer = "ü" * 100, "x" * 70_000
    box.put("short", long)
    box.answer(longer)
    await box.settled()
    assert box.asgi.texts == ["short", long, longer]


async def test_a_send_that_takes_its_time_is_waited_for() -> None:
    box = AsgiBox()
    box.asgi.reads.clear()
    box.put(text_of(400))
    await box.settled()
    assert box.outbox.waiting == 400
    box.put(text_of(601))
    await box.settled()
    assert (box.verdicts, len(box.asgi.texts)) == (1, 1)
    box.asgi.reads.set()
    await box.settled()
    assert (box.outbox.waiting, len(box.asgi.texts)) == (0, 2)


async def test_a_peer_of_whom_the_server_says_that_it_has_gone_leaves_nothing_waiting() -> None:
    box = AsgiBox()
    box.asgi.is_gone = True
    box.put("1", text_of(300))
    room = asyncio.ensure_future(box.outbox.room())
    await box.settled()
    with pytest.raises(OutboxClosed):
        await asyncio.wait_for(room, 5)
    assert (box.outbox.is_closed, box.outbox.waiting) == (True, 0)


async def test_a_closed_outbox_breaks_off_a_send() -> None:
    box = AsgiBox()
    box.asgi.reads.clear()
    box.put("1", "2")
    await box.settled()
    box.outbox.close()
    box.asgi.reads.set()
    await box.settled()
    assert box.asgi.texts == ["1"]


async def test_the_rest_of_a_transport_is_asgis_as_well() -> None:
    peer = AsgiPeer()
    transport = transport_of({"extensions": None}, peer.send)
    transport.hold_reading(True)
    transport.release()
    transport.abort()
    await transport.close(4408, "Too slow")
    assert peer.messages == [{"type": "websocket.close", "code": 4408, "reason": "Too slow"}]
