"""What the drills start with: gateways alone and in pairs, and the load around a fault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.faults.support.drill import LONG, SOME, Drill
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.stacks import STACKS, Stack

FAILPOINTS = {"DJANGO_SETTINGS_MODULE": "tests.faults.failpoints.settings"}

Start = Callable[..., AbstractAsyncContextManager[Drill]]


@pytest.fixture(params=STACKS if LONG else [stack for stack in STACKS if not stack.shared], ids=str)
def stack(request: pytest.FixtureRequest) -> Stack:
    """Each server in turn, with SQLite and the in-memory layer; in the long drills with PostgreSQL and Redis too."""
    return request.param


@pytest.fixture
def start_alone(gateway: Gateways, stack: Stack) -> Callable[..., Gateway]:
    """Starts one process on the stack, with settings of the drill's."""
    return lambda **settings: gateway(stack.server, postgres=stack.shared, redis=stack.shared, **settings)


@pytest.fixture
def alone(start_alone: Callable[..., Gateway]) -> Gateway:
    """One process on the stack."""
    return start_alone()


@pytest.fixture
def pair(gateway: Gateways) -> tuple[Gateway, Gateway]:
    """Two processes, one on each server, that share PostgreSQL and Redis."""
    settings = {"redis": True, "DATABASE_ANSWER_SECONDS": "2", "CONNECTIONS_PER_CREDENTIAL": "1000"}
    first = gateway("daphne", postgres=True, **settings)
    second = gateway("uvicorn", database_url=first.database_url, **settings)
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
        for name in ("published", "delivered", "lost", "doubled", "explained", "unknown"):
            record_property(name, getattr(verdict, name))
        record_property("longest_delay", round(load.longest_delay(), 1))
        assert not verdict.problems

    return start
