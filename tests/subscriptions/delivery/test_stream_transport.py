"""StreamTransport: ids, heartbeats on a clock of the test's, and the end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from subscriptions.delivery.stream_transport import HEARTBEAT, HEARTBEAT_SECONDS, StreamTransport
from subscriptions.protocol.frames import text_frame

ACK = text_frame('{"type": "ack", "topics": ["t"], "cursor": "aaaaaaaaaaaa.5,bbbbbbbbbbbb.7"}')
REFUSAL = text_frame('{"type": "error", "code": "INVALID_TOPIC", "topics": ["x"], "message": "m"}')


class Peer:
    """What was sent, by a peer that reads only while `reads` is set."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.cuts = 0

    async def send(self, message: Mapping[str, Any]) -> None:
        await self.reads.wait()
        self.sent.append(message["body"] if message["more_body"] else b"END")

    def cut(self) -> None:
        self.cuts += 1


class Clock:
    """The event loop's clock, which can be put forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        loop = asyncio.get_running_loop()
        real = loop.time
        monkeypatch.setattr(loop, "time", lambda: real() + self.ahead)

    async def forward(self, seconds: float) -> None:
        self.ahead += seconds
        await settled()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def event(cursor: str) -> bytes:
    return text_frame(f'{{"event_type": "call.created", "cursor": "{cursor}"}}')


async def test_each_id_is_the_position_in_all_logs() -> None:
    peer = Peer()
    transport = StreamTransport(peer.send, peer.cut)
    for frame in (ACK, event("bbbbbbbbbbbb.8"), event("aaaaaaaaaaaa.6") + event("bbbbbbbbbbbb.9")):
        transport.write(frame)
        await settled()
    ids = [line for line in b"".join(peer.sent).split(b"\n") if line.startswith(b"id: ")]
    assert [line.removeprefix(b"id: ").decode() for line in ids] == [
        "aaaaaaaaaaaa.5,bbbbbbbbbbbb.7",
        "aaaaaaaaaaaa.5,bbbbbbbbbbbb.8",
        "aaaaaaaaaaaa.6,bbbbbbbbbbbb.8",
        "aaaaaaaaaaaa.6,bbbbbbbbbbbb.9",
    ]
    transport.end()


async def test_a_heartbeat_comes_after_silence_only(monkeypatch: pytest.MonkeyPatch) -> None:
    peer, clock = Peer(), Clock(monkeypatch)
    transport = StreamTransport(peer.send, peer.cut)
    transport.write(ACK)
    await settled()
    await clock.forward(HEARTBEAT_SECONDS - 5)
    transport.write(event("aaaaaaaaaaaa.6"))
    await settled()
    await clock.forward(6)
    assert HEARTBEAT not in peer.sent
    await clock.forward(HEARTBEAT_SECONDS - 5)
    assert peer.sent[-1] == HEARTBEAT
    await clock.forward(HEARTBEAT_SECONDS + 1)
    assert peer.sent[-2:] == [HEARTBEAT, HEARTBEAT]
    transport.end()
    await clock.forward(10 * HEARTBEAT_SECONDS)
    assert peer.sent.count(HEARTBEAT) == 2


async def test_no_heartbeats_pile_up_for_a_client_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    peer, clock = Peer(), Clock(monkeypatch)
    transport = StreamTransport(peer.send, peer.cut)
    transport.write(ACK)
    await settled()
    peer.reads.clear()
    for _ in range(5):
        await clock.forward(HEARTBEAT_SECONDS + 1)
    peer.reads.set()
    await settled()
    assert peer.sent.count(HEARTBEAT) == 1
    transport.end()


async def test_a_frame_behind_a_heartbeat_has_not_been_read_before_it_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peer, clock = Peer(), Clock(monkeypatch)
    transport = StreamTransport(peer.send, peer.cut)
    transport.write(ACK)
    await settled()
    sent_when_writable: list[int] = []
    transport.on_writable = lambda: sent_when_writable.append(len(peer.sent))
    peer.reads.clear()
    await clock.forward(HEARTBEAT_SECONDS + 1)
    assert not transport.write(event("aaaaaaaaaaaa.6"))
    peer.reads.set()
    await settled()
    assert sent_when_writable == [3]
    transport.end()


async def test_refusals_are_part_of_a_stream_that_begins_after_them() -> None:
    peer = Peer()
    transport = StreamTransport(peer.send, peer.cut)
    assert transport.write(REFUSAL)
    assert not transport.has_begun
    transport.write(ACK)
    await settled()
    assert b"".join(peer.sent).count(b"data: ") == 2
    assert b"INVALID_TOPIC" in peer.sent[0]
    transport.end()


async def test_the_last_frame_after_a_release_arrives_once_the_client_reads() -> None:
    peer = Peer()
    transport = StreamTransport(peer.send, peer.cut)
    transport.write(ACK)
    await settled()
    peer.reads.clear()
    assert not transport.write(event("aaaaaaaaaaaa.6"))

    async def close() -> None:
        transport.release()
        assert transport.write(text_frame('{"type": "error", "code": "TOO_SLOW"}'))
        transport.stop()
        await transport.close(4408, "read faster")

    closing = asyncio.create_task(close())
    await settled()
    peer.reads.set()
    await closing
    assert b"TOO_SLOW" in peer.sent[-2]
    assert peer.sent[-1] == b"END"
    transport.abort()
    assert peer.cuts == 1


async def test_a_cut_reaches_the_connection_also_after_the_end() -> None:
    peer = Peer()
    transport = StreamTransport(peer.send, peer.cut)
    transport.end()
    transport.abort()
    assert peer.cuts == 1
