"""A database that restarts, stands still, or has no room left."""

from __future__ import annotations

import asyncio
import resource
import uuid
from pathlib import Path

import httpx
import pytest

from deploy.programs import POSTGRES
from tests.faults.conftest import Start
from tests.faults.support.drill import LONG, SOME, until
from tests.journeys.support.cast import company, settle
from tests.support.databases import MigratedPostgres
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.postgres_server import PostgresServer
from tests.support.requirement import require
from tests.support.stacks import STACKS

off = asyncio.to_thread


async def test_a_postgres_that_restarts_and_one_that_stands_still(
    pair: tuple[Gateway, Gateway], postgres_server: PostgresServer, drill: Start
) -> None:
    async with drill(*pair) as load:
        await off(postgres_server.restart)
        await load.published(SOME)
        await off(postgres_server.shut_down)
        await until(lambda: load.statuses().get(503))
        await off(postgres_server.restart)
        await load.published(SOME)
        refused = load.statuses()[503]
        await off(postgres_server.stop)
        await until(lambda: load.statuses()[503] > refused)
        await off(postgres_server.resume)
    assert all(each.connections == 1 for each in load.subscribers)


@pytest.mark.parametrize("stack", [stack for stack in STACKS if not stack.shared], ids=str)
async def test_a_full_disk(alone: Gateway, drill: Start) -> None:
    async with drill(alone) as load:
        before = resource.prlimit(alone.pid, resource.RLIMIT_FSIZE)
        # No file of this process may grow past its size now: what a full disk is to it.
        resource.prlimit(alone.pid, resource.RLIMIT_FSIZE, (4096, before[1]))
        await until(lambda: load.statuses().get(503))
        resource.prlimit(alone.pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(not LONG, reason="starts a PostgreSQL of its own: make drills")
async def test_a_full_disk_of_postgres(gateway: Gateways, drill: Start, postgres_folder: Path) -> None:
    server = PostgresServer(require(POSTGRES), postgres_folder, largest_file=2 * 2**20)
    try:
        url = MigratedPostgres(server).create_database()
        alone = gateway("uvicorn", database_url=url, redis=True, DATABASE_ANSWER_SECONDS="2")
        async with drill(alone) as load:
            await until(lambda: load.statuses().get(503))
            server.largest_file = None
            await off(server.restart)
    finally:
        server.kill()


async def test_twenty_parallel_publishes_with_one_key(pair: tuple[Gateway, Gateway]) -> None:
    owner = company("Acme")
    await off(settle, pair[0], owner)
    headers = {"Authorization": f"Bearer {owner.key('that publishes')}"}
    for _ in range(20 if LONG else 5):
        event = {"event_type": "call.status", "data": {"id": "x"}, "idempotency_key": uuid.uuid4().hex}
        async with httpx.AsyncClient(headers=headers, timeout=30) as client:
            answers = await asyncio.gather(
                *(client.post(f"{pair[turn % 2].url}/v1.0/events", json=event) for turn in range(20))
            )
        assert {answer.status_code for answer in answers} == {201}
        receipts = [answer.json() for answer in answers]
        assert len({receipt["id"] for receipt in receipts}) == 1
        assert [receipt["replayed"] for receipt in receipts].count(False) == 1
