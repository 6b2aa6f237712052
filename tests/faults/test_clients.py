"""Clients that vanish, come back in crowds, and change their minds."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.faults.conftest import FAILPOINTS, Start
from tests.faults.support.databases import change, query
from tests.faults.support.drill import LONG, SOME, until
from tests.faults.support.oracle import Missed
from tests.faults.support.proxy import Proxy
from tests.faults.support.subscriber import Subscriber
from tests.journeys.support.cast import Company, company, settle
from tests.support.gateway import Gateway

off = asyncio.to_thread


async def test_many_clients_that_are_dropped_at_once(pair: tuple[Gateway, Gateway], drill: Start) -> None:
    async with drill(*pair) as load:
        owner = load.companies[0]
        many = [
            load.subscribe(
                owner, f"one of many {number}", owner.key("of the customer"), f"customer_id:{owner.id}:call:*"
            )
            for number in range(500 if LONG else 90)
        ]
        await load.all_ready()
        await load.published(SOME)
        for each in many:
            each.drop()
        await load.published(SOME)
    assert all(each.connections >= 2 for each in many)


async def test_subscribing_and_unsubscribing_during_a_burst(alone: Gateway, drill: Start) -> None:
    async with drill(alone) as load:
        owner = load.companies[0]
        topics = f"customer_id:{owner.id}"
        fickle = load.subscribe(
            owner, "fickle", owner.key("of the customer"), f"{topics}:call:*", f"{topics}:queue:*"
        )
        await load.all_ready()
        for _ in range(100 if LONG else 25):
            await fickle.toggle([f"{topics}:queue:*"])
            await load.published(1)


NEVER_READING = 5


# Who also talks is the harder case: on daphne whatever it says makes it look alive.
@pytest.mark.parametrize(
    "chatty", [False, True] if LONG else [True], ids=lambda each: "chatty" if each else "silent"
)
async def test_a_client_that_stops_reading(
    start_alone: Callable[..., Gateway], drill: Start, chatty: bool
) -> None:
    # With one arena, and large blocks given back at once, what is resident is about what is in use.
    allocator = {
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": "131072",
        "MALLOC_TRIM_THRESHOLD_": "1048576",
    }
    alone = start_alone(**allocator, OUTBOX_MAX_BYTES=str(2 * 2**20))
    owner = company("Initech")
    await off(settle, alone, owner)
    url = f"{alone.ws_url}?token={owner.key('of the customer')}"
    files = f"customer_id:{owner.id}:file:*"
    async with drill(alone) as load:
        # What publishing itself takes, and the allocator keeps, is not the slow clients'.
        await _publish_files(alone, owner, megabytes=24)
        before = _resident_bytes(alone.pid)
        async with contextlib.AsyncExitStack() as stack:
            late, since = await stack.enter_async_context(_reads_nothing(alone, url, files))
            never = [
                await stack.enter_async_context(_reads_nothing(alone, url, files))
                for _ in range(NEVER_READING)
            ]
            chatting = [asyncio.create_task(_chat(each)) for each, _ in [(late, since), *never] if chatty]
            sent = await _publish_files(alone, owner, megabytes=16)
            received, code = await _read_to_the_end(late)
            assert code == 4408
            assert received == sent[: len(received)]
            assert len(received) < len(sent)
            await _publish_files(alone, owner, megabytes=64)
            # A third of what it would be if everything were kept for them.
            assert _resident_bytes(alone.pid) - before < NEVER_READING * (16 + 64) / 3 * 2**20
            for task in chatting:
                task.cancel()
        async with connect(url, max_size=None) as socket:
            last = received[-1][1] if received else since
            await socket.send(json.dumps({"type": "subscribe", "topics": [files], "since": last}))
            assert json.loads(await socket.recv())["recovered"]
            rest = [json.loads(await socket.recv()) for _ in sent[len(received) :]]
            assert [(event["id"], event["cursor"]) for event in rest] == sent[len(received) :]
    assert all(each.connections == 1 for each in load.subscribers)


async def test_a_client_whose_connection_is_half_open(
    start_alone: Callable[..., Gateway], drill: Start
) -> None:
    alone = start_alone(PING_SECONDS="1", PONG_SECONDS="4")
    async with Proxy([alone.port]) as proxy, drill(alone) as load:
        owner = load.companies[0]
        far = Subscriber(
            "far away",
            owner.id,
            [f"ws://127.0.0.1:{proxy.port}/v1.0/ws"],
            owner.token("manager"),
            [f"customer_id:{owner.id}:*:*"],
        )
        load.subscribers.append(far)
        await load.all_ready()
        await load.published(SOME)
        proxy.swallow()
        # The gateway notices by itself, whatever the client does.
        await until(lambda: _ended_connections(alone) >= 1)
        proxy.heal()
        await until(lambda: far.connections >= 2)


async def test_pruning_while_clients_read_the_past(start_alone: Callable[..., Gateway], drill: Start) -> None:
    slow = start_alone(**FAILPOINTS, FAILPOINTS="no_tail")
    async with drill(slow) as load:
        owner = load.companies[0]
        begin = f"{await _epoch(slow, owner)}.0"
        for _ in range(10):
            await _publish(slow, owner, [_call(number) for number in range(200)])
        await load.remember()
        change(
            slow.database_url,
            # Of the company that has so many.
            "UPDATE events_event SET stored_at = '2020-01-01 00:00:00+00' WHERE seq <= 1800 "
            "AND customer_id IN (SELECT customer_id FROM events_event WHERE seq = 1800)",
        )
        for number in range(8):
            load.subscribe(
                owner,
                f"late {number}",
                owner.key("of the customer"),
                f"customer_id:{owner.id}:*:*",
                cursor=begin,
            )
        await off(slow.manage, "prune_events", "--older-than", "1h")
        await load.all_ready()
        load.subscribe(
            owner, "too late", owner.key("of the customer"), f"customer_id:{owner.id}:*:*", cursor=begin
        )
    too_late = load.subscribers[-1].story.happenings
    assert any(isinstance(each, Missed) for each in too_late)


@contextlib.asynccontextmanager
async def _reads_nothing(
    gateway: Gateway, url: str, topic: str
) -> AsyncIterator[tuple[ClientConnection, str]]:
    """A connection that takes little before someone reads it, and the cursor from which it is subscribed."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    narrow.connect(("127.0.0.1", gateway.port))
    narrow.setblocking(False)
    async with connect(url, sock=narrow, max_queue=1, max_size=None, ping_interval=None) as connection:
        await connection.send(json.dumps({"type": "subscribe", "topics": [topic]}))
        yield connection, json.loads(await connection.recv())["cursor"]
        connection.transport.abort()


async def _chat(connection: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await connection.send('{"type": "ping"}')
            await asyncio.sleep(0.02)


async def _read_to_the_end(connection: ClientConnection) -> tuple[list[tuple[str, str]], int]:
    """Ids and cursors of the events that still come, and the code of the close."""
    received: list[tuple[str, str]] = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            frame = json.loads(await connection.recv())
            if "event_type" in frame:
                received.append((frame["id"], frame["cursor"]))
    assert connection.close_code is not None
    return received, connection.close_code


async def _publish_files(gateway: Gateway, owner: Company, *, megabytes: int) -> list[tuple[str, str]]:
    """Publish large events; returns their ids and cursors."""
    sent: list[tuple[str, str]] = []
    for _ in range(megabytes // 4):
        events = [
            {"event_type": "file.created", "data": {"id": f"f{number}", "text": "x" * 40_000}}
            for number in range(100)
        ]
        sent += await _publish(gateway, owner, events)
    return sent


async def _publish(gateway: Gateway, owner: Company, events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    headers = {"Authorization": f"Bearer {owner.key('that publishes')}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        answer = await client.post(f"{gateway.url}/v1.0/events", json=events)
    assert answer.status_code == 201, answer.text
    return [(receipt["id"], receipt["cursor"]) for receipt in answer.json()]


def _call(number: int) -> dict[str, Any]:
    return {"event_type": "call.status", "data": {"id": f"call-{number}"}}


async def _epoch(gateway: Gateway, owner: Company) -> str:
    ((_, cursor),) = await _publish(gateway, owner, [_call(1)])
    return cursor.partition(".")[0]


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def _ended_connections(gateway: Gateway) -> int:
    ((count,),) = query(
        gateway.database_url, "SELECT count(*) FROM subscriptions_auditrecord WHERE action = 'disconnect'"
    )
    return int(count)
