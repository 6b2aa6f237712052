"""Live connections in the database while their process is alive."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any
from unittest.mock import Mock

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from events.database.threads import in_database_thread
from events.log.publish import publish
from subscriptions.auth.tokens import issue_token
from subscriptions.connections.runtime import Runtime
from subscriptions.models import AccessKey, Customer, GatewayProcess, LiveConnection
from subscriptions.presence import registry
from subscriptions.presence.heartbeat import Presence
from subscriptions.presence.pending_changes import ConnectionStats
from subscriptions.presence.registry import ProcessEntry, Report, live, stats_of
from tests.subscriptions.support.app_socket import PATIENCE_SECONDS, Socket
from tests.subscriptions.support.hub_harness import draft
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _news_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subscriptions.presence.heartbeat.MIN_PAUSE_SECONDS", 0.02)


@pytest.fixture
def acme(transactional_db: None) -> Customer:
    return customer()


@pytest.fixture
def key(acme: Customer) -> tuple[AccessKey, str]:
    return access_key(acme)


async def seen() -> list[LiveConnection]:
    return [each async for each in live(LiveConnection.objects.all())]


async def until_seen(condition: Any) -> list[LiveConnection]:
    """Wait until the live connections are so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition(rows := await seen()):
            await asyncio.sleep(0.01)
    return rows


async def test_a_connection_is_listed_with_its_identity_and_topics_until_it_closes(
    process: Runtime, acme: Customer, key: tuple[AccessKey, str]
) -> None:
    before = timezone.now()
    socket = await Socket(f"token={key[1]}", user_agent="reports/2").open()
    topics = [f"customer_id:{acme.pk}:call", f"customer_id:{acme.pk}:queue:q"]
    await socket.subscribe(*topics)
    [row] = await until_seen(lambda rows: rows and rows[0].topic_count == 2)
    assert (row.customer_id, row.agent_id, row.key_id) == (acme.pk, None, key[0].pk)
    assert (row.credential, row.address, row.client) == (f"key {key[0].prefix}", "192.0.2.7", "reports/2")
    assert row.topics.split("\n") == topics
    assert before <= row.opened_at <= timezone.now()
    await socket.ask({"type": "unsubscribe", "topics": topics[:1]})
    [row] = await until_seen(lambda rows: rows[0].topic_count == 1)
    assert row.topics == topics[1]
    await socket.leave()
    await until_seen(lambda rows: not rows)


async def test_an_agent_is_listed_as_such_and_staff_as_staff(process: Runtime, acme: Customer) -> None:
    @sync_to_async
    def people() -> list[Any]:
        return [(person := agent(acme, role), issue_token(person)) for role in ("agent", "staff")]

    sockets = []
    for _, token in (made := await people()):
        sockets.append(await Socket(f"token={token}").open())
    rows = await until_seen(lambda rows: len(rows) == 2)
    assert {(row.agent_id, row.key_id, row.is_platform_staff) for row in rows} == {
        (made[0][0].pk, None, False),
        (made[1][0].pk, None, True),
    }
    for socket in sockets:
        await socket.leave()


async def test_stats_count_what_was_sent(
    process: Runtime, acme: Customer, key: tuple[AccessKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process.presence, "_beat_seconds", 0.05)
    socket = await Socket(f"token={key[1]}").open()
    await socket.subscribe(f"customer_id:{acme.pk}")
    for _ in range(3):
        await in_database_thread(publish, [draft(str(acme.pk))])
        await socket.frame()
    async with asyncio.timeout(PATIENCE_SECONDS):
        figures: dict[Any, Any] = {}
        while list(figures.values()) != [(3, 0, 0, 0)]:
            figures = await sync_to_async(lambda: stats_of(live(LiveConnection.objects.all())))()
            process.presence._wake.set()
            await asyncio.sleep(0.01)
    await socket.leave()


async def test_a_process_that_stops_takes_its_rows_along(
    process: Runtime, key: tuple[AccessKey, str]
) -> None:
    socket = await Socket(f"token={key[1]}").open()
    await until_seen(lambda rows: rows)
    await process.presence.stop()
    await socket.leave()
    assert await GatewayProcess.objects.acount() == 0
    assert await LiveConnection.objects.acount() == 0


# --- Trouble ---


async def test_connections_survive_an_outage_of_the_database_and_are_stored_afterwards(
    process: Runtime, key: tuple[AccessKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    def away(self: ProcessEntry, report: Report) -> bool:
        loop.call_soon_threadsafe(tries.release)
        raise OperationalError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(registry.ProcessEntry, "save", away)
        socket = await Socket(f"token={key[1]}").open()
        gone = await Socket(f"token={key[1]}").open()
        await gone.leave()
        process.presence._wake.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await tries.acquire()
        assert (await socket.ask({"type": "ping"}))["type"] == "pong"
    process.presence._wake.set()
    assert len(await until_seen(lambda rows: rows)) == 1
    await socket.leave()


def test_for_how_long_a_connection_is_behind_is_seen_from_beat_to_beat() -> None:
    async def run() -> list[Any]:
        presence = Presence(beat_seconds=60)
        late: Any = Mock(connection_id=uuid.uuid4())
        steps = [
            (0.0, (1, 0, 0, 5)),
            (8.0, (1, 0, 0, 9)),
            (9.0, (1, 0, 30, 9)),
            (12.0, (1, 0, 0, 0)),
            (16.0, (1, 0, 0, 1)),
        ]
        return [presence._with_lag_seconds(late, ConnectionStats(*figures), now) for now, figures in steps]

    assert asyncio.run(run()) == [(1, 0, 0, 5), (1, 0, 8, 9), (1, 0, 30, 9), (1, 0, 0, 0), (1, 0, 0, 1)]


def test_ten_thousand_sockets_take_no_more_than_slices_of_the_loop() -> None:
    """Other tasks of the event loop get turns while all connections are read."""

    class Quiet:
        def __init__(self, number: int) -> None:
            self.connection_id = number

        def stats(self) -> Any:
            return ConnectionStats(1, 0, 0, 0)

    class Hex(int):
        @property
        def hex(self) -> str:
            return str(int(self))

    async def run() -> int:
        presence = Presence(beat_seconds=0.1)
        for number in range(10_000):
            quiet: Any = Quiet(Hex(number))
            presence._connections[quiet.connection_id] = quiet
        turns = 0

        async def another() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(another())
        figures = await presence._stats()
        task.cancel()
        assert len(figures or {}) == 10_000
        assert len(json.dumps(figures)) < 1_000_000
        return turns

    assert asyncio.run(run()) >= 40
