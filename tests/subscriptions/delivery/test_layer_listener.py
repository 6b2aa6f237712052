"""The layer listener: a silent, hanging or broken channel layer delays no event for long."""

# Long because each fault of the layer is brought about by hand.

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db import OperationalError

from events.announcements.announcement import group_of
from events.log import reader
from subscriptions.delivery import layer_listener
from subscriptions.delivery.layer_listener import ACCESS_CHANGED
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


async def test_the_first_subscriber_of_a_process_waits_for_its_channel(
    transactional_db: None, fresh_layer: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, go_on = get_channel_layer(), asyncio.Event()
    new_channel = layer.new_channel

    async def slowly() -> Any:
        await go_on.wait()
        return await new_channel()

    monkeypatch.setattr(layer, "new_channel", slowly)
    harness = HubHarness(check_seconds=3600)
    harness.hub.start()
    acme = new_customer()
    subscribing = asyncio.create_task(subscribed(harness, acme))
    await until(lambda: acme in harness.hub.layer._wanted, "the subscriber to ask for the group")
    go_on.set()
    await subscribing
    assert members(acme) == 1
    await harness.hub.stop()


async def test_while_the_layer_is_silent_the_log_is_read_instead(
    make_harness: MakeHarness, silent_layer: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer_listener, "TIMEOUT_SECONDS", 0.05)
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
    monkeypatch.setattr(layer_listener, "TIMEOUT_SECONDS", 0.05)
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


async def test_a_layer_that_hangs_does_not_make_the_log_be_read_less_often(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the canary nor a group that cannot be joined is waited for."""
    harness = await make_harness(check_seconds=0.01)
    acme = new_customer()
    client = await subscribed(harness, acme)

    async def hang(*_: Any) -> None:
        await asyncio.sleep(3600)

    for name in ("send", "group_send", "group_add", "group_discard"):
        monkeypatch.setattr(get_channel_layer(), name, hang)
    began = asyncio.get_running_loop().time()
    harness.hub.layer.join_again(acme)
    for count in range(1, 11):
        await harness.store(acme)
        await until(lambda count=count: len(client.events) == count)
    assert asyncio.get_running_loop().time() - began < layer_listener.TIMEOUT_SECONDS


async def test_an_outage_of_the_database_is_no_silence_of_the_layer(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer_listener, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(layer_listener, "RESET_SECONDS", 0.2)
    harness = await make_harness(check_seconds=0.02)
    acme = new_customer()
    client = await subscribed(harness, acme)
    channel = harness.hub.layer._channel
    outages = 0

    def away(customer_ids: Any) -> Any:
        nonlocal outages
        outages += 1
        raise OperationalError("away")

    monkeypatch.setattr(reader, "heads", away)
    await until(lambda: outages >= 40, "an outage longer than the layer may be silent")
    assert (harness.hub.layer.is_silent, harness.hub.layer._channel) == (False, channel)
    assert harness.hub.layer.silence_seconds < 0.2
    await harness.publish(acme)
    await until(lambda: client.events)


async def test_a_database_that_hangs_keeps_no_stalled_connection_open(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = await make_harness(check_seconds=0.02, max_stalled_seconds=0.05)
    acme = new_customer()
    stalled = await subscribed(harness, acme)
    hanging, answer = threading.Event(), threading.Event()

    def hang(customer_ids: Any) -> Any:
        hanging.set()
        answer.wait(60)
        return {}

    monkeypatch.setattr(reader, "heads", hang)
    assert await asyncio.to_thread(hanging.wait, 30)
    stalled.reader.reads.clear()
    try:
        await harness.publish(acme)
        await until(lambda: stalled.closed)
    finally:
        answer.set()


async def test_a_process_that_stood_still_does_not_connect_anew(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(layer_listener, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(layer_listener, "RESET_SECONDS", 0.2)
    harness = await make_harness(check_seconds=0.02)
    channel = harness.hub.layer._channel
    for _ in range(3):
        time.sleep(0.5)  # noqa: ASYNC251 - as by SIGSTOP
        await asyncio.sleep(0.1)
    assert harness.hub.layer._channel == channel
    assert "silent" not in caplog.text


async def test_a_lost_membership_of_the_process_is_noticed(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer_listener, "TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(layer_listener, "RESET_SECONDS", 0.1)
    harness = await make_harness(check_seconds=0.02)
    first = harness.hub.layer._channel
    get_channel_layer().groups.clear()
    await until(lambda: harness.hub.layer._channel not in ("", first), "a new channel")
    await until(lambda: not harness.hub.layer.is_silent)
    assert ACCESS_CHANGED in get_channel_layer().groups


async def test_a_lost_membership_of_a_customers_group_is_repaired(make_harness: MakeHarness) -> None:
    harness = await make_harness(check_seconds=0.02)
    acme = new_customer()
    client = await subscribed(harness, acme)
    del get_channel_layer().groups[group_of(acme)]
    await harness.publish(acme)
    await until(lambda: client.events, "the event, from the log")
    await until(lambda: members(acme) == 1, "the group to be joined again")


async def test_memberships_outlive_a_day_and_a_clock_that_is_set(
    harness: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = new_customer()
    client = await subscribed(harness, acme)
    await harness.announce(*await harness.store(acme))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 2 * 86_400)
    await harness.publish(acme, 2)
    await until(lambda: len(client.events) == 3)
    assert harness.hub.gap_fills == 0
    assert members(acme) == 1
