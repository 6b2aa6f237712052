"""Clients that vanish, come back in crowds, and change their minds."""

from __future__ import annotations

import asyncio

from tests.faults.conftest import Start
from tests.faults.drill import LONG, SOME
from tests.machinery.gateway import Gateway

off = asyncio.to_thread


async def test_many_clients_that_are_dropped_at_once(pair: tuple[Gateway, Gateway], drill: Start) -> None:
    async with drill(*pair) as load:
        owner = load.companies[0]
        many = [
            load.subscribe(
                owner, f"one of many {number}", owner.key("of the customer"), f"customer_id:{owner.id}:call:*"
            )
            for number in range(90 if not LONG else 500)
        ]
        await asyncio.gather(*(each.ready.wait() for each in many))
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
        await fickle.ready.wait()
        for _ in range(100 if LONG else 25):
            await fickle.toggle([f"{topics}:queue:*"])
            await load.published(1)
