"""A channel layer that dies, stands still, forgets, or is cut off without a word."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.conftest import Start
from tests.faults.support.drill import LONG, SOME, until
from tests.faults.support.proxy import Proxy
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.redis_server import RedisServer

off = asyncio.to_thread


async def test_a_redis_that_is_killed_and_comes_back_empty(
    pair: tuple[Gateway, Gateway], redis_server: RedisServer, drill: Start
) -> None:
    async with drill(*pair) as load:
        await off(redis_server.kill)
        await load.published(SOME)
        await off(redis_server.restart)
        await load.published(SOME)
        with redis_server.client() as client:
            await off(client.flushall)
            await off(client.execute_command, "CLIENT", "KILL", "TYPE", "pubsub")
            await off(client.execute_command, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert 503 not in load.statuses()
    assert all(each.connections == 1 for each in load.subscribers)


@pytest.mark.parametrize("seconds", [2, 8, 30] if LONG else [2])
async def test_a_redis_that_stands_still(
    pair: tuple[Gateway, Gateway], redis_server: RedisServer, seconds: float, drill: Start
) -> None:
    async with drill(*pair) as load:
        redis_server.stop()
        await asyncio.sleep(seconds)
        await load.published(SOME)
        redis_server.resume()
        assert 503 not in load.statuses()
    assert all(each.connections == 1 for each in load.subscribers)


async def test_a_network_that_swallows_everything_between_server_and_redis(
    gateway: Gateways, redis_server: RedisServer, drill: Start
) -> None:
    async with Proxy([redis_server.port]) as proxy:
        through = f"redis://127.0.0.1:{proxy.port}/0"
        behind = await off(gateway, "uvicorn", postgres=True, redis_url=through, CHECK_INTERVAL_SECONDS="0.5")
        beside = await off(gateway, "daphne", database_url=behind.database_url, redis=True)
        async with drill(behind, beside) as load:
            proxy.swallow()
            await load.published(SOME)
            proxy.heal()
            await until(lambda: "The channel layer is heard again" in behind.log_text())
        assert all(each.connections == 1 for each in load.subscribers)
