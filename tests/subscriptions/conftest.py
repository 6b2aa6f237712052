"""Fixtures: a hub in its harness, and a customer with its admin."""

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
from tests.subscriptions.support.admin_client import AdminClient, admin_of
from tests.subscriptions.support.hub_harness import HubHarness
from tests.subscriptions.support.people import customer
from tests.subscriptions.support.platform_server import Platform, platform
from tests.support.frames import check_received

MakeHarness = Callable[..., Awaitable[HubHarness]]


@pytest.fixture(scope="session", autouse=True)
def _answers_are_as_described() -> Iterator[None]:
    """Check that every frame of this process is described in docs/asyncapi.yaml."""
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
def ada(acme: Customer) -> AdminClient:
    """Acme's admin."""
    return admin_of(acme)[0]


@pytest.fixture
def fresh_layer() -> Iterator[None]:
    """An in-memory layer for this test: its queues belong to one event loop."""
    before, channel_layers.backends = channel_layers.backends, {}
    yield
    channel_layers.backends = before


@pytest_asyncio.fixture
async def make_harness(
    transactional_db: None, fresh_layer: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MakeHarness]:
    """Make a harness: `await make_harness(check_seconds=…)`."""
    harnesses: list[HubHarness] = []

    async def make(**options: float) -> HubHarness:
        harness = HubHarness(**options)
        monkeypatch.setattr(announcer, "announce", harness.hold_back)
        await harness.start()
        harnesses.append(harness)
        return harness

    yield make
    for harness in harnesses:
        await harness.hub.stop()


@pytest_asyncio.fixture
async def harness(make_harness: MakeHarness) -> HubHarness:
    """A hub that never compares numbers: it knows only announcements."""
    return await make_harness()


@pytest_asyncio.fixture
async def process(transactional_db: None, fresh_layer: None) -> AsyncIterator[Runtime]:
    """The process's runtime, ended after the test."""
    process = runtime()
    yield process
    await process.audit.flush()
    await process.reauthorizer.stop()
    await process.presence.stop()
    await process.hub.stop()
    announcer.detach()


@pytest.fixture
def theirs(settings: Any) -> Iterator[Platform]:
    """The platform of all customers, which accepts every request."""
    with platform() as server:
        settings.PLATFORM_API_URLS = {"": server.url}
        yield server
