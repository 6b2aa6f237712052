"""The drills can fail: with each of the gateway's safeguards switched off, the oracle finds out."""

from __future__ import annotations

import re

import psycopg
import pytest

from tests.faults.conftest import FAILPOINTS
from tests.faults.support.drill import SOME, Drill
from tests.faults.support.oracle import Verdict
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways


async def verdict_on(*gateways: Gateway, drops: int = 0) -> Verdict:
    """What the oracle says of a gateway under load, with clients that are dropped now and then."""
    async with Drill(list(gateways), settle_seconds=10) as load:
        for _ in range(drops):
            await load.published(15)
            for subscriber in load.subscribers:
                subscriber.drop()
        await load.published(SOME)
        return await load.settle()


@pytest.mark.parametrize(
    ("failpoints", "drops", "problem"),
    [
        ("lossy_announcer no_back_fill", 0, "never received"),
        ("silent_announcer no_number_check", 0, "never received"),
        ("no_tail no_hold_while_replaying", 6, "received number|twice"),
        ("lossy_announcer no_deduplication", 0, "twice"),
    ],
)
async def test_a_switched_off_safeguard_is_noticed(
    gateway: Gateways, failpoints: str, drops: int, problem: str
) -> None:
    broken = gateway("uvicorn", **FAILPOINTS, FAILPOINTS=failpoints)
    verdict = await verdict_on(broken, drops=drops)
    assert any(re.search(problem, each) for each in verdict.problems), verdict.problems


@pytest.mark.parametrize("failpoints", ["lossy_announcer", "silent_announcer", "no_tail"])
async def test_the_same_faults_are_harmless_with_all_safeguards(gateway: Gateways, failpoints: str) -> None:
    faulty = gateway("uvicorn", **FAILPOINTS, FAILPOINTS=failpoints, CHECK_INTERVAL_SECONDS="0.5")
    verdict = await verdict_on(faulty, drops=3)
    assert not verdict.problems


async def test_numbers_without_the_row_lock_are_noticed(gateway: Gateways) -> None:
    # Two processes: one alone commits for one publisher after the other.
    broken = gateway("uvicorn", postgres=True, **FAILPOINTS, FAILPOINTS="no_row_lock")
    other = gateway("uvicorn", database_url=broken.database_url, **FAILPOINTS, FAILPOINTS="no_row_lock")
    # The database's own constraint would refuse what the missing lock lets through.
    with psycopg.connect(broken.database_url) as connection:
        connection.execute("ALTER TABLE events_event DROP CONSTRAINT event_number")
    verdict = await verdict_on(broken, other)
    assert any("holes or doubles" in each for each in verdict.problems), verdict.problems
