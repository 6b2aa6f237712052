"""The layer listener: a silent, hanging or broken channel layer delays no event for long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer

from events.announcements.announcement import group_of
from subscriptions.delivery import hub as hub_module
from subscriptions.delivery import layer_listener
from tests.subscriptions.conftest import MakeHarness
from tests.subscriptions.support.hub_harness import (
    HubHarness,
    members,
    new_customer,
    subscribed,
    until,
)


@pytest.fixture
def silent_layer(fresh_layer: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """A layer that drops all messages while `silent` is set, as behind a half-open connection."""
    state = {"silent": False}
    layer = get_channel_layer()
    for name in ("send", "group_send"):
        real = getattr(layer, name)

        async def sometimes(*args: Any, real: Any = real) -> None:
            if not state["silent"]:
                await real(*args)

        monkeypatch.setattr(layer, name, sometimes)
    return state


async def test_while_the_layer_is_silent_the_log_is_read_instead(
    make_harness: MakeHarness, silent_layer: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(layer_listener, "RESET_SECONDS", 3600)
    harness = await make_harness(check_seconds=0.02)
    acme = new_customer()
    client = await subscribed(harness, acme)
    silent_layer["silent"] = True
    await until(lambda: harness.hub.layer.is_silent, "the silence to be noticed")
    await harness.publish(acme, 3)
    await until(lambda: len(client.events) == 3)
    # A new subscriber receives events too, though its group cannot be joined.
    globex = new_customer()
    newcomer = await subscribed(harness, globex)
    await harness.publish(globex)
    await until(lambda: newcomer.events)
    silent_layer["silent"] = False
    await until(lambda: not harness.hub.layer.is_silent, "the layer to deliver again")
    await until(lambda: members(globex) == 1)
    await harness.publish(acme)
    await until(lambda: len(client.events) == 4)
    assert client.numbers == [1, 2, 3, 4]


async def test_a_layer_that_stays_silent_is_connected_to_anew(
    make_harness: MakeHarness, silent_layer: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(layer_listener, "RESET_SECONDS", 0.1)
    harness = await make_harness(check_seconds=0.02)
    acme = new_customer()
    client = await subscribed(harness, acme)
    first = harness.hub.layer._channel
    silent_layer["silent"] = True
    await until(lambda: harness.hub.layer._channel not in ("", first), "a new channel")
    silent_layer["silent"] = False
    await until(lambda: not harness.hub.layer.is_silent and members(acme) == 1)
    await harness.publish(acme)
    await until(lambda: client.events)
    assert client.numbers == [1]


async def test_a_layer_that_hangs_does_not_hold_up_the_comparing_of_numbers(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time-outs of joining do not add up for many customers."""
    monkeypatch.setattr(layer_listener, "TIMEOUT_SECONDS", 0.2)
    harness = await make_harness(check_seconds=0.01)
    tries = 0

    async def hang(*_: Any) -> None:
        nonlocal tries
        tries += 1
        await asyncio.sleep(3600)

    monkeypatch.setattr(get_channel_layer(), "group_add", hang)
    customers = [new_customer() for _ in range(10)]
    clients = await asyncio.gather(*(subscribed(harness, customer) for customer in customers))
    tries = 0
    await harness.store(customers[0])
    await until(lambda: clients[0].events)
    await harness.store(customers[0])
    await until(lambda: len(clients[0].events) == 2)
    assert tries <= 4, "each customer's group was waited for before numbers were compared again"


async def test_no_message_of_the_layer_stops_the_process_from_receiving(harness: HubHarness) -> None:
    acme = new_customer()
    client = await subscribed(harness, acme)
    layer, group = get_channel_layer(), group_of(acme)
    for message in (
        {"type": "nobody.knows"},
        {"type": "log.announced"},
        {"type": "log.announced", "announcement": {"customer_id": acme, "epoch": "x", "entries": [[1]]}},
        {"type": "log.announced", "announcement": None},
        {"no": "type"},
    ):
        await layer.group_send(group, message)
    await harness.publish(acme)
    await until(lambda: client.events)
    assert client.closed == []
