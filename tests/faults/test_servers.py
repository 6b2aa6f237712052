"""Servers that are killed, restarted or stand still."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from tests.faults.conftest import FAILPOINTS, Start
from tests.faults.drill import LONG, SOME
from tests.faults.proxy import Proxy
from tests.machinery.gateway import Gateway
from tests.machinery.gateways import Gateways

off = asyncio.to_thread


async def test_a_killed_server_alone(alone: Gateway, drill: Start) -> None:
    async with drill(alone):
        await off(alone.kill)
        await off(alone.restart)


async def test_a_killed_server_of_two(pair: tuple[Gateway, Gateway], drill: Start) -> None:
    async with drill(*pair) as load:
        for each in pair:
            await off(each.kill)
            await load.published(SOME)
            await off(each.restart)


async def test_a_server_that_dies_between_commit_and_announcement(gateway: Gateways, drill: Start) -> None:
    dying = gateway("uvicorn", postgres=True, redis=True, **FAILPOINTS, FAILPOINTS="kill_after_commit")
    other = gateway("daphne", database_url=dying.database_url, redis=True)
    deaths = 0
    async with drill(dying, other) as load:
        while deaths < 3:
            await load.published(1)
            if not dying.running:
                deaths += 1
                if deaths == 3:
                    dying.environment = {**dying.environment, "FAILPOINTS": ""}
                await off(dying.restart)


async def test_a_rolling_restart_behind_a_proxy(pair: tuple[Gateway, Gateway], drill: Start) -> None:
    async with Proxy([each.port for each in pair]) as proxy:
        address = f"127.0.0.1:{proxy.port}"
        options = {"publish_urls": [f"http://{address}"], "listen_urls": [f"ws://{address}/v1.0/ws"]}
        async with drill(*pair, **options) as load:
            for each in pair:
                await off(each.terminate)
                await load.published(SOME)
                await off(each.restart)
        codes = {code for each in load.subscribers for code in each.close_codes}
        assert codes == {4012}


async def test_a_stalled_event_loop(start_alone: Callable[..., Gateway], drill: Start) -> None:
    stalling = start_alone(**FAILPOINTS, FAILPOINTS="stall_on_signal", CHECK_INTERVAL_SECONDS="0.5")
    async with drill(stalling) as load:
        for _ in range(5 if LONG else 1):
            os.kill(stalling.pid, signal.SIGUSR1)
            await load.published(SOME)
