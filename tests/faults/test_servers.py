"""Servers that are killed, restarted or stand still."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from tests.faults.conftest import FAILPOINTS, Start
from tests.faults.support.drill import LONG, SOME
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways

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


async def test_a_stalled_event_loop(start_alone: Callable[..., Gateway], drill: Start) -> None:
    stalling = start_alone(**FAILPOINTS, FAILPOINTS="stall_on_signal", CHECK_INTERVAL_SECONDS="0.5")
    async with drill(stalling) as load:
        for _ in range(5 if LONG else 1):
            os.kill(stalling.pid, signal.SIGUSR1)
            await load.published(SOME)
