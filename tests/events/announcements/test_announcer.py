"""The announcer: announcements arrive whole and in order; failures are counted and harm no publisher."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from events.announcements import announcer as module
from events.announcements.announcement import group_of, read_announcement
from events.announcements.announcer import Announcer
from events.domain.event import Entry
from tests.events.support.people import new_id
from tests.support.redis_server import RedisServer

CUSTOMER = new_id()
EPOCH = "0123456789ab"


def entry(seq: int, size: int = 10) -> Entry:
    return Entry(
        seq, '{"head": "' + "h" * size, f'é\\ud83d\\ude00", "n": {seq}}}', (f"customer_id:{CUSTOMER}:call:c",)
    )


def entries_of(messages: list[dict[str, Any]]) -> list[Entry]:
    return [each for message in messages for each in read_announcement(message).entries]


@pytest.fixture
def layer(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisPubSubChannelLayer:
    """A layer on the real Redis, as the settings would configure it."""
    made = RedisPubSubChannelLayer(hosts=[redis_server.url], prefix=f"test-{new_id()}")
    monkeypatch.setattr(module, "get_channel_layer", lambda: made)
    return made


async def joined(layer: RedisPubSubChannelLayer) -> str:
    channel: str = await layer.new_channel()
    await layer.group_add(group_of(CUSTOMER), channel)
    return channel


async def received(layer: RedisPubSubChannelLayer, channel: str, count: int) -> list[Entry]:
    found: list[Entry] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found.extend(entries_of([await layer.receive(channel)]))
    return found


async def test_a_process_without_a_loop_of_its_own_has_sent_when_announce_returns(
    layer: RedisPubSubChannelLayer,
) -> None:
    channel = await joined(layer)
    announcer = Announcer()
    await asyncio.to_thread(announcer.announce, CUSTOMER, EPOCH, [entry(1), entry(2)])
    assert await received(layer, channel, 2) == [entry(1), entry(2)]
    assert announcer.failures == 0


async def test_a_server_sends_from_its_loop_in_the_order_of_the_calls(
    layer: RedisPubSubChannelLayer,
) -> None:
    channel = await joined(layer)
    announcer = Announcer()
    announcer.attach(asyncio.get_running_loop())

    def announce_many() -> None:
        for seq in range(1, 101):
            announcer.announce(CUSTOMER, EPOCH, [entry(seq)])

    publisher = threading.Thread(target=announce_many)
    publisher.start()
    assert [each.seq for each in await received(layer, channel, 100)] == list(range(1, 101))
    publisher.join()


async def test_the_groups_of_other_customers_receive_nothing(layer: RedisPubSubChannelLayer) -> None:
    stranger = await layer.new_channel()
    await layer.group_add(group_of(new_id()), stranger)
    channel = await joined(layer)
    announcer = Announcer()
    await asyncio.to_thread(announcer.announce, CUSTOMER, EPOCH, [entry(1)])
    await received(layer, channel, 1)
    await layer.send(stranger, {"type": "end"})
    assert await layer.receive(stranger) == {"type": "end"}


@pytest.mark.parametrize("attached", [False, True])
async def test_a_broker_that_is_away_is_counted_logged_once_and_no_error(
    attached: bool,
    layer: RedisPubSubChannelLayer,
    redis_server: RedisServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.0)
    announcer = Announcer()
    if attached:
        announcer.attach(asyncio.get_running_loop())

    async def announce_and_count(failures: int) -> None:
        await asyncio.to_thread(announcer.announce, CUSTOMER, EPOCH, [entry(1)])
        async with asyncio.timeout(20):
            while announcer.failures < failures:
                await asyncio.sleep(0.01)

    redis_server.kill()
    await announce_and_count(1)
    await announce_and_count(2)
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "from the log" in warnings[0].getMessage()

    redis_server.restart()
    channel = await joined(layer)
    async with asyncio.timeout(20):
        receiving = asyncio.ensure_future(received(layer, channel, 1))
        while not receiving.done():
            await asyncio.to_thread(announcer.announce, CUSTOMER, EPOCH, [entry(2)])
            await asyncio.wait([receiving], timeout=0.1)
    assert (await receiving)[0] == entry(2)
    assert any("again" in record.getMessage() for record in caplog.records)


async def test_after_a_failure_no_publisher_waits_for_the_next_one(
    layer: RedisPubSubChannelLayer, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENT_SECONDS", 3600.0)
    announcer = Announcer()
    redis_server.kill()
    await asyncio.to_thread(announcer.announce, CUSTOMER, EPOCH, [entry(1)])
    redis_server.restart()
    channel = await joined(layer)
    await asyncio.to_thread(announcer.announce, CUSTOMER, EPOCH, [entry(2)])
    assert announcer.failures == 2
    await layer.send(channel, {"type": "end"})
    assert await layer.receive(channel) == {"type": "end"}


async def test_a_layer_that_takes_nothing_fills_no_memory(
    layer: RedisPubSubChannelLayer, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 5)
    announcer = Announcer()
    announcer.attach(asyncio.get_running_loop())
    redis_server.stop()
    for seq in range(1, 51):
        announcer.announce(CUSTOMER, EPOCH, [entry(seq)])
    async with asyncio.timeout(20):
        while announcer.failures < 44:
            await asyncio.sleep(0.01)
    assert len(announcer._waiting) <= 5


def test_without_a_broker_a_command_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The in-memory layer reaches no other process: those read the log."""
    monkeypatch.setattr(module, "get_channel_layer", InMemoryChannelLayer)
    announcer = Announcer()
    announcer.announce(CUSTOMER, EPOCH, [entry(1)])
    assert announcer.failures == 0
