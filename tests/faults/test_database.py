"""A database that restarts, stands still, or has no room left."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import uuid

import httpx
import pytest

from tests.faults.conftest import Start
from tests.faults.drill import LONG, SOME, until
from tests.journeys.cast import company, settle
from tests.machinery.gateway import Gateway
from tests.machinery.postgres_server import PostgresServer
from tests.machinery.stacks import Stack

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


async def test_a_full_disk(
    alone: Gateway, stack: Stack, drill: Start, request: pytest.FixtureRequest
) -> None:
    # No file of the processes that write the database may grow past this: what a full disk is to them. PostgreSQL's
    # own log has files of a megabyte.
    most = 2 * 2**20 if stack.shared else 4096

    def writers() -> list[int]:
        return request.getfixturevalue("postgres_server").processes() if stack.shared else [alone.pid]

    async with drill(alone) as load:
        _, hard = resource.prlimit(alone.pid, resource.RLIMIT_FSIZE)
        _limit_files(writers(), (most, hard))
        await until(lambda: load.statuses().get(503))
        _limit_files(writers(), (hard, hard))


def _limit_files(processes: list[int], limits: tuple[int, int]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process, resource.RLIMIT_FSIZE, limits)


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
