"""The Python client at the real gateway: slow callers, expiring tokens, several customers at once."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from voipbin_ws_client import Event, EventClient, Gap, StateChange

from tests.journeys.support.cast import Company, company, settle, token_of
from tests.journeys.support.conversation import publish
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways

SERVERS = ["daphne", "uvicorn"]


def call(number: int, **fields: Any) -> dict[str, Any]:
    return {"event_type": "call.status", "data": {"id": f"call-{number}", "number": number, **fields}}


@pytest.fixture
def acme() -> Company:
    return company("Acme")


@pytest.mark.parametrize("server", SERVERS)
async def test_a_slow_caller_is_disconnected_and_still_gets_everything_once(
    gateway: Gateways, acme: Company, server: str
) -> None:
    serving = gateway(server, OUTBOX_MAX_BYTES=str(2**21), OUTBOX_MAX_SECONDS="2")
    settle(serving, acme)
    changes: list[StateChange] = []
    async with EventClient(
        serving.ws_url,
        token=acme.token("admin"),
        topics=[f"customer_id:{acme.id}"],
        max_waiting=10,
        on_state=changes.append,
    ) as client:
        await _until(lambda: client.cursor is not None)
        before = client.cursor
        # No one knows how much the buffers between the two can hold: until it is too much.
        most = 0
        while not _closed_as_too_slow(serving):
            events = [call(number, filling="x" * 200_000) for number in range(most, most + 10)]
            await asyncio.to_thread(publish, serving, acme.key("that publishes"), *events)
            most += len(events)
            # All of it has to be replayed: no more than is needed.
            with contextlib.suppress(TimeoutError):
                await _until(lambda: _closed_as_too_slow(serving), seconds=0.5)
        assert client.cursor == before
        received = [await anext(client) for _ in range(most)]
    assert [item.data["number"] for item in received if isinstance(item, Event)] == list(range(most))
    assert [change.current for change in changes[:3]] == ["connected", "reconnecting", "connected"]
    assert changes[2].recovered


def _closed_as_too_slow(serving: Gateway) -> bool:
    with closing(sqlite3.connect(serving.database_url.removeprefix("sqlite:///"))) as database:
        requested = database.execute("SELECT count(*) FROM subscriptions_auditrecord WHERE rule = 'TOO_SLOW'")
        return requested.fetchone() != (0,)


@pytest.mark.parametrize("server", SERVERS)
async def test_a_token_that_expires_is_replaced_and_nothing_is_missed(
    gateway: Gateways, acme: Company, server: str
) -> None:
    serving = gateway(server)
    settle(serving, acme)
    reasons: list[str] = []

    async def provide(reason: str) -> str:
        reasons.append(reason)
        if reason == "expired":
            return acme.token("admin")
        # Short for a wait, and long for what a connection takes.
        return token_of(acme.person("admin").id, exp=time.time() + 4)

    async with EventClient(serving.ws_url, token=provide, topics=[f"customer_id:{acme.id}"]) as client:
        await _until(lambda: client.cursor is not None)
        received: list[Event | Gap] = []

        async def publish_one() -> None:
            await asyncio.to_thread(publish, serving, acme.key("that publishes"), call(len(received)))
            received.append(await anext(client))

        while len(reasons) < 2:
            await publish_one()
            # Some before the change are enough; the next one is published at once when it begins.
            with contextlib.suppress(TimeoutError):
                await _until(lambda: len(reasons) == 2, seconds=0.2)
        await publish_one()
    assert reasons == ["connect", "expired"]
    assert [item.data["number"] for item in received if isinstance(item, Event)] == list(range(len(received)))


async def test_platform_staff_resume_several_customers_at_once(gateway: Gateways, acme: Company) -> None:
    serving = gateway()
    globex, platform = company("Globex"), company("Platform")
    platform.person("admin").role = "staff"
    settle(serving, acme, globex, platform)
    topics = [f"customer_id:{acme.id}:call", f"customer_id:{globex.id}:call"]
    async with EventClient(serving.ws_url, token=platform.token("admin"), topics=topics) as client:
        await _until(lambda: client.cursor is not None and "," in client.cursor)
        for of in (acme, globex):
            await asyncio.to_thread(publish, serving, of.key("that publishes"), call(1))
            await anext(client)
        cursor = client.cursor
    for of in (acme, globex):
        await asyncio.to_thread(publish, serving, of.key("that publishes"), call(2))
    async with EventClient(
        serving.ws_url, token=platform.token("admin"), topics=topics, cursor=cursor
    ) as client:
        received = [await anext(client) for _ in range(2)]
        assert [item.data["number"] for item in received if isinstance(item, Event)] == [2, 2]
        assert not any(isinstance(item, Gap) for item in received)


async def _until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
