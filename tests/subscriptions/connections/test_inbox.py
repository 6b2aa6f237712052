"""The inbox: frames in order, pings in time, and a client that sends too much has to wait."""

from __future__ import annotations

import asyncio

import pytest

from subscriptions.connections import inbox
from subscriptions.connections.inbox import MAX_WAITING, Inbox
from subscriptions.protocol.messages import Ping
from tests.support.waiting import wait_until


class InboxHarness:
    """Handles frames as slowly as a test requires."""

    def __init__(self) -> None:
        self.acted: list[str | None] = []
        self.pongs: list[Ping] = []
        self.open = asyncio.Event()
        self.holds: list[bool] = []
        self.inbox = Inbox(
            act=self._act, ping_in=self._ping_in, pong=self.pongs.append, hold=self.holds.append
        )

    async def _act(self, text: str | None) -> None:
        await self.open.wait()
        self.acted.append(text)

    def _ping_in(self, text: str) -> Ping | None:
        return Ping(text) if text.startswith("ping") else None


async def turns() -> None:
    """Let all tasks run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "PING_WAITS_SECONDS", 0.0)


async def test_frames_are_acted_on_in_their_order_also_pings_while_nothing_takes_long() -> None:
    harness = InboxHarness()
    harness.open.set()
    for text in ("one", None, "ping", "two"):
        await harness.inbox.put(text)
    await turns()
    assert harness.acted == ["one", None, "ping", "two"]
    assert harness.pongs == []


async def test_a_ping_behind_a_slow_frame_is_answered_out_of_order_and_once(impatient: None) -> None:
    harness = InboxHarness()
    for text in ("slow", "ping 1", "next"):
        await harness.inbox.put(text)
    await turns()
    assert harness.pongs == [Ping("ping 1")]
    harness.open.set()
    await turns()
    assert harness.acted == ["slow", "next"]
    assert harness.pongs == [Ping("ping 1")]


async def test_a_client_that_sends_on_while_nothing_moves_has_to_wait() -> None:
    harness = InboxHarness()
    await harness.inbox.put("slow")
    await turns()
    for number in range(MAX_WAITING):
        await harness.inbox.put(str(number))
    one_more = asyncio.create_task(harness.inbox.put("one more"))
    await turns()
    assert not one_more.done()
    assert harness.holds == [True]
    harness.open.set()
    await one_more
    await turns()
    assert harness.acted == ["slow", *map(str, range(MAX_WAITING)), "one more"]
    assert harness.holds == [True]
    await asyncio.to_thread(wait_until, lambda: harness.holds == [True, False], "the server reads on")


async def test_of_a_flood_nothing_more_is_read() -> None:
    harness = InboxHarness()
    harness.inbox.stop_reading()
    harness.open.set()
    for number in range(MAX_WAITING + 1):
        await harness.inbox.put(str(number))
    await asyncio.sleep(2 * inbox.RESUME_SECONDS)
    assert harness.holds == [True]


async def test_a_closed_inbox_breaks_off_and_takes_nothing_more(impatient: None) -> None:
    harness = InboxHarness()
    for text in ("slow", "ping"):
        await harness.inbox.put(text)
    harness.inbox.close()
    await harness.inbox.put("late")
    harness.open.set()
    await turns()
    assert (harness.acted, harness.pongs) == ([], [])


async def test_closing_lets_go_of_a_sender_that_waits() -> None:
    harness = InboxHarness()
    await harness.inbox.put("slow")
    await turns()
    for number in range(MAX_WAITING):
        await harness.inbox.put(str(number))
    one_more = asyncio.create_task(harness.inbox.put("one more"))
    await turns()
    harness.inbox.close()
    await one_more
