"""Fixtures: a hub on a stage of its own, and a customer with its admin."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from channels.layers import channel_layers

from events.announcements.announcer import announcer
from subscriptions.connections.runtime import Runtime, runtime
from subscriptions.models import Customer
from subscriptions.protocol import messages as protocol
from tests.subscriptions.support.admin_client import Desk, admin_of
from tests.subscriptions.support.hub_harness import Stage
from tests.subscriptions.support.people import customer
from tests.subscriptions.support.platform_server import Platform, platform
from tests.support.frames import check_received

MakeStage = Callable[..., Awaitable[Stage]]


@pytest.fixture(scope="session", autouse=True)
def _answers_are_as_described() -> Iterator[None]:
    """Every answer that is made in this process is one of docs/asyncapi.yaml."""
    encode = protocol.encode

    def checked(frame: object) -> str:
        text = encode(frame)
        check_received(json.loads(text))
        return text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "encode", checked)
        yield


@pytest.fixture
def acme() -> Customer:
    return customer()


@pytest.fixture
def ada(acme: Customer) -> Desk:
    """Acme's admin."""
    return admin_of(acme)[0]


@pytest.fixture
def fresh_layer() -> Iterator[None]:
    """An in-memory layer of the test's own: its queues belong to one event loop."""
    before, channel_layers.backends = channel_layers.backends, {}
    yield
    channel_layers.backends = before


@pytest_asyncio.fixture
async def make_stage(
    transactional_db: None, fresh_layer: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MakeStage]:
    """Makes a stage: `await make_stage(check_seconds=…)`."""
    stages: list[Stage] = []

    async def make(**options: float) -> Stage:
        stage = Stage(**options)
        monkeypatch.setattr(announcer, "announce", stage.note)
        await stage.start()
        stages.append(stage)
        return stage

    yield make
    for stage in stages:
        await stage.hub.stop()


@pytest_asyncio.fixture
async def stage(make_stage: MakeStage) -> Stage:
    """A hub that never compares numbers by itself: what it knows, it knows from announcements."""
    return await make_stage()


@pytest_asyncio.fixture
async def process(transactional_db: None, fresh_layer: None) -> AsyncIterator[Runtime]:
    """The process's runtime, with an end."""
    process = runtime()
    yield process
    await process.audit.flush()
    await process.renewer.stop()
    await process.presence.stop()
    await process.hub.stop()
    announcer.detach()


@pytest.fixture
def theirs(settings: Any) -> Iterator[Platform]:
    """The platform of all customers, which says yes to everything."""
    with platform() as server:
        settings.PLATFORM_API_URLS = {"": server.url}
        yield server
