"""One socket's outbox: in order, bounded, several events in a frame where asked for, and an end that is told."""

# Long because the ends of an outbox are tried one by one.
from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from subscriptions.outbox import BATCH_MAX_CHARACTERS, Outbox, OutboxClosed
from subscriptions.transport import Transport

LIMIT = 1000


class Peer:
    """A server's side of a socket: what it was given, and whether the client reads."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.is_gone = False

    async def send(self, message: Mapping[str, Any]) -> None:
        if self.is_gone:
            raise ConnectionResetError
        self.frames.append(message["text"])
        await self.reads.wait()


class Box:
    """An outbox, its peer, and how often it said that the peer is slow."""

    def __init__(self, *, batch: bool = False, limit: int = LIMIT) -> None:
        self.peer = Peer()
        self.verdicts = 0
        self.outbox = Outbox(
            Transport(self.peer.send), max_characters=limit, batch=batch, on_slow=self._count
        )

    def _count(self) -> None:
        self.verdicts += 1

    async def settled(self) -> None:
        """Everything that can happen without the peer has happened."""
        for _ in range(10):
            await asyncio.sleep(0)


async def test_frames_leave_in_the_order_in_which_they_came() -> None:
    box = Box()
    for number in range(50):
        put = box.outbox.put_event if number % 3 else box.outbox.put_answer
        put(str(number))
    await box.settled()
    assert box.peer.frames == [str(number) for number in range(50)]
    assert box.outbox.waiting == 0


async def test_events_that_wait_leave_together_where_asked_for_and_answers_alone() -> None:
    box = Box(batch=True)
    box.peer.reads.clear()
    box.outbox.put_event('{"n": 0}')
    await box.settled()
    for put, number in (
        (box.outbox.put_event, 1),
        (box.outbox.put_event, 2),
        (box.outbox.put_answer, 3),
        (box.outbox.put_event, 4),
        (box.outbox.put_answer, 5),
        (box.outbox.put_answer, 6),
        (box.outbox.put_event, 7),
        (box.outbox.put_event, 8),
    ):
        put(f'{{"n": {number}}}')
    box.peer.reads.set()
    await box.settled()
    single = [{"n": number} for number in range(9)]
    assert [json.loads(frame) for frame in box.peer.frames] == [
        single[0],
        single[1:3],
        single[3],
        single[4],
        single[5],
        single[6],
        single[7:9],
    ]
    assert box.outbox.sent == 6


async def test_nothing_is_batched_unasked() -> None:
    box = Box()
    for number in range(3):
        box.outbox.put_event(str(number))
    await box.settled()
    assert box.peer.frames == ["0", "1", "2"]


async def test_a_batch_is_bounded_and_a_large_event_goes_alone() -> None:
    box = Box(batch=True, limit=10 * BATCH_MAX_CHARACTERS)
    half, large = "h" * (BATCH_MAX_CHARACTERS // 2), "l" * BATCH_MAX_CHARACTERS
    for frame in (half, half, half, large, half):
        box.outbox.put_event(frame)
    await box.settled()
    assert box.peer.frames == [f"[{half}, {half}]", half, large, half]


async def test_a_slow_peer_is_told_of_once() -> None:
    box = Box()
    box.peer.reads.clear()
    box.outbox.put_event("x" * 400)
    await box.settled()
    box.outbox.put_event("y" * 600)
    assert box.verdicts == 0, "exactly as much as may wait"
    for _ in range(5):
        box.outbox.put_event("z")
    assert box.verdicts == 1


async def test_what_the_server_has_not_got_rid_of_counts() -> None:
    box = Box()
    box.peer.reads.clear()
    box.outbox.put_event("x" * 400)
    await box.settled()
    assert box.outbox.waiting == 400
    box.peer.reads.set()
    await box.settled()
    assert box.outbox.waiting == 0


async def test_it_says_how_long_a_peer_has_taken_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box()
    now = 100.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    await box.settled()
    assert box.outbox.stuck_for() == 0
    box.peer.reads.clear()
    box.outbox.put_event("x")
    await box.settled()
    now += 31
    assert box.outbox.stuck_for() == 31
    box.peer.reads.set()
    await box.settled()
    assert box.outbox.stuck_for() == 0


async def test_a_replay_waits_for_room_and_goes_on() -> None:
    box = Box()
    box.peer.reads.clear()
    box.outbox.put_event("x" * 251)
    waiting = asyncio.ensure_future(box.outbox.room())
    await box.settled()
    assert not waiting.done()
    box.peer.reads.set()
    await asyncio.wait_for(waiting, 5)


async def test_a_replay_hears_that_there_will_be_no_room() -> None:
    for end in ("close", "finish", "gone"):
        box = Box()
        box.peer.reads.clear()
        box.outbox.put_event("x" * 251)
        box.outbox.put_event("y")
        waiting = asyncio.ensure_future(box.outbox.room())
        await box.settled()
        if end == "close":
            box.outbox.close()
        elif end == "finish":
            finishing = asyncio.ensure_future(box.outbox.finish(last_frame=None, timeout_seconds=0))
            await finishing
        else:
            box.peer.is_gone = True
            box.peer.reads.set()
        with pytest.raises(OutboxClosed):
            await asyncio.wait_for(waiting, 5)


async def test_the_last_frame_comes_last_and_nothing_after_it() -> None:
    box = Box()
    box.peer.reads.clear()
    box.outbox.put_event("1")
    box.outbox.put_event("2")
    finishing = asyncio.ensure_future(box.outbox.finish(last_frame="last", timeout_seconds=60))
    await box.settled()
    box.outbox.put_event("too late")
    box.outbox.put_answer("too late")
    assert not finishing.done()
    box.peer.reads.set()
    await asyncio.wait_for(finishing, 5)
    await box.settled()
    assert box.peer.frames == ["1", "2", "last"]
    box.outbox.put_event("far too late")
    await box.settled()
    assert box.peer.frames == ["1", "2", "last"]


async def test_a_peer_that_does_not_read_gets_its_last_frame_behind_what_the_server_still_holds() -> None:
    box = Box()
    box.peer.reads.clear()
    box.outbox.put_event("x" * 900)
    await box.settled()
    box.outbox.put_event("y" * 900)
    box.outbox.discard()
    finishing = asyncio.ensure_future(box.outbox.finish(last_frame="why", timeout_seconds=60))
    await box.settled()
    assert not finishing.done(), "what the server holds was taken for sent"
    box.peer.reads.set()
    await asyncio.wait_for(finishing, 5)
    assert box.peer.frames == ["x" * 900, "why"]


async def test_finishing_gives_up_after_its_time() -> None:
    box = Box()
    box.peer.reads.clear()
    box.outbox.put_event("1")
    await asyncio.wait_for(box.outbox.finish(last_frame="last", timeout_seconds=0.01), 5)
    await box.settled()
    box.peer.reads.set()
    await box.settled()
    assert box.peer.frames == ["1"]


async def test_finishing_does_not_wait_for_a_peer_that_has_gone() -> None:
    box = Box()
    box.peer.reads.clear()
    box.outbox.put_event("1")
    box.outbox.put_event("2")
    finishing = asyncio.ensure_future(box.outbox.finish(last_frame="last", timeout_seconds=3600))
    await box.settled()
    box.peer.is_gone = True
    box.peer.reads.set()
    await asyncio.wait_for(finishing, 5)


async def test_closing_ends_a_finish_at_once() -> None:
    box = Box()
    box.peer.reads.clear()
    box.outbox.put_event("1")
    finishing = asyncio.ensure_future(box.outbox.finish(last_frame="last", timeout_seconds=3600))
    await box.settled()
    box.outbox.close()
    await asyncio.wait_for(finishing, 5)


async def test_a_peer_that_has_gone_leaves_nothing_waiting() -> None:
    box = Box()
    box.peer.is_gone = True
    box.outbox.put_event("1")
    await box.settled()
    assert (box.outbox.is_closed, box.outbox.waiting) == (True, 0)
    box.outbox.put_event("2" * LIMIT * 2)
    assert (box.outbox.waiting, box.verdicts, box.outbox.stuck_for()) == (0, 0, 0)
