"""Live connections in the database: who is there, with what, for as long as the process lives."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.publishing import publish
from events.threads import in_database_thread
from subscriptions import live_connections
from subscriptions.live_connections import News, ProcessEntry, figures_of, live, sweep
from subscriptions.models import AccessKey, CloseOrder, Customer, GatewayProcess, LiveConnection
from subscriptions.presence import Presence
from subscriptions.runtime import Runtime
from subscriptions.tokens import issue_token
from tests.subscriptions.app_socket import PATIENCE_SECONDS, Socket
from tests.subscriptions.people import access_key, agent, customer
from tests.subscriptions.stage import draft

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _news_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subscriptions.presence.NEWS_PAUSE_SECONDS", 0.02)


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


async def test_a_socket_is_listed_with_who_it_is_and_what_it_hears_until_it_goes(
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


async def test_figures_tell_what_was_sent(
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
            figures = await sync_to_async(lambda: figures_of(live(LiveConnection.objects.all())))()
            process.presence._news.set()
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


# --- The database's side, by hand ---


def row_of(entry: ProcessEntry, **fields: Any) -> LiveConnection:
    return LiveConnection(
        id=uuid.uuid4(),
        process_id=entry.process_id,
        customer_id=uuid.uuid4(),
        credential="key vb_12345678",
        is_platform_staff=False,
        opened_at=timezone.now(),
        **fields,
    )


def news(*rows: LiveConnection, gone: Any = (), figures: Any = None) -> News:
    return News(rows, gone, figures, len(rows))


def end_lease(entry: ProcessEntry) -> None:
    GatewayProcess.objects.filter(pk=entry.process_id).update(lease_ends_at=Now() - timedelta(seconds=1))


def test_a_process_that_says_nothing_any_more_is_not_shown_and_others_delete_it() -> None:
    crashed, alive = (ProcessEntry(timedelta(seconds=60)) for _ in range(2))
    rows = [row_of(crashed), row_of(alive)]
    for entry, row in zip((crashed, alive), rows, strict=True):
        entry.tell(news(row))
    assert live(LiveConnection.objects.all()).count() == 2
    end_lease(crashed)
    assert [each.pk for each in live(LiveConnection.objects.all())] == [rows[1].pk]
    assert LiveConnection.objects.count() == 2
    sweep()
    assert [each.pk for each in LiveConnection.objects.all()] == [rows[1].pk]
    assert [each.pk for each in GatewayProcess.objects.all()] == [alive.process_id]


def test_a_process_that_was_taken_for_dead_learns_of_it_and_comes_back() -> None:
    entry = ProcessEntry(timedelta(seconds=60))
    row = row_of(entry)
    assert entry.tell(news(row))
    end_lease(entry)
    sweep()
    assert not entry.tell(news(row_of(entry)))
    assert not LiveConnection.objects.exists()
    assert entry.tell(news(row))
    assert live(LiveConnection.objects.all()).count() == 1


def test_a_beat_without_news_is_one_query_and_writes_no_figures_anew() -> None:
    entry = ProcessEntry(timedelta(seconds=60))
    row = row_of(entry)
    figures = {row.pk.hex: (1, 2, 3, 4)}
    entry.tell(news(row, figures=figures))
    with CaptureQueriesContext(connection) as queries:
        assert entry.tell(news(figures=figures))
        assert entry.tell(news(figures=None))
    assert [query["sql"][:6] for query in queries] == ["UPDATE", "UPDATE"]
    assert "figures" not in str(queries.captured_queries)
    assert figures_of([row]) == {row.pk: (1, 2, 3, 4)}
    entry.tell(news(figures={}))
    assert figures_of([row]) == {}


def test_a_lease_lasts_as_long_as_it_says() -> None:
    entry = ProcessEntry(timedelta(seconds=60))
    entry.tell(news())
    found = GatewayProcess.objects.get()
    left = found.lease_ends_at - timezone.now()
    assert timedelta(seconds=50) < left <= timedelta(seconds=61)
    # Told by each beat anew.
    end_lease(entry)
    entry.tell(news())
    found.refresh_from_db()
    assert found.lease_ends_at > timezone.now() + timedelta(seconds=50)


def test_old_orders_are_swept_and_new_ones_stay() -> None:
    CloseOrder.objects.create(change=1, word="old", given_at=timezone.now() - timedelta(hours=2))
    CloseOrder.objects.create(change=2, word="new")
    sweep()
    assert [order.word for order in CloseOrder.objects.all()] == ["new"]


# --- Trouble ---


async def test_while_the_database_is_away_sockets_stay_and_later_it_is_told_all(
    process: Runtime, key: tuple[AccessKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    def away(self: ProcessEntry, news: News) -> bool:
        loop.call_soon_threadsafe(tries.release)
        raise OperationalError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(live_connections.ProcessEntry, "tell", away)
        socket = await Socket(f"token={key[1]}").open()
        gone = await Socket(f"token={key[1]}").open()
        await gone.leave()
        process.presence._news.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await tries.acquire()
        assert (await socket.ask({"type": "ping"}))["type"] == "pong"
    process.presence._news.set()
    assert len(await until_seen(lambda rows: rows)) == 1
    await socket.leave()


def test_ten_thousand_sockets_take_no_more_than_slices_of_the_loop() -> None:
    """The loop is never held for all of them at once: a task that wants its turn gets it in between."""

    class Quiet:
        def __init__(self, number: int) -> None:
            self.connection_id = number

        def figures(self) -> Any:
            return (1, 0, 0, 0)

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
        figures = await presence._figures()
        task.cancel()
        assert len(figures or {}) == 10_000
        assert len(json.dumps(figures)) < 1_000_000
        return turns

    assert asyncio.run(run()) >= 40
