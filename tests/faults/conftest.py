"""What the drills start with: gateways alone and in pairs, and the load around a fault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.faults.drill import SOME, Drill
from tests.machinery.gateway import Gateway
from tests.machinery.gateways import Gateways

FAILPOINTS = {"DJANGO_SETTINGS_MODULE": "tests.faults.failpoints.settings"}

Start = Callable[..., AbstractAsyncContextManager[Drill]]


@pytest.fixture(params=["daphne", "uvicorn"])
def server(request: pytest.FixtureRequest) -> str:
    """Each server in turn."""
    return request.param


@pytest.fixture
def alone(gateway: Gateways, server: str) -> Gateway:
    """One process on SQLite and the in-memory layer, on each server in turn."""
    return gateway(server)


@pytest.fixture
def pair(gateway: Gateways) -> tuple[Gateway, Gateway]:
    """Two processes, one on each server, that share PostgreSQL and Redis."""
    first = gateway("daphne", postgres=True, redis=True, DATABASE_ANSWER_SECONDS="2")
    second = gateway("uvicorn", database_url=first.database_url, redis=True, DATABASE_ANSWER_SECONDS="2")
    return first, second


@pytest.fixture
def drill(record_property: Callable[[str, object], None]) -> Start:
    """Begins a drill on some gateways: load before, during and after the fault, and no problem at the end."""

    @asynccontextmanager
    async def start(*gateways: Gateway, **options: object) -> AsyncIterator[Drill]:
        async with Drill(gateways, **options) as load:  # type: ignore[arg-type]
            await load.published(SOME)
            yield load
            await load.published(SOME)
            verdict = await load.settle()
        for name in ("published", "delivered", "lost", "doubled"):
            record_property(name, getattr(verdict, name))
        record_property("longest_delay", round(load.longest_delay(), 1))
        assert not verdict.problems

    return start
