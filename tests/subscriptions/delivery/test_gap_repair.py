"""Gap repair: missing entries are read from the log, in order, as soon as it can be read."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError

from events.log import reader
from events.models import CustomerLog, Event
from subscriptions.delivery import gap_repair
from subscriptions.delivery.gap_repair import LogReplaced
from subscriptions.protocol.codes import CloseCode
from tests.subscriptions.conftest import MakeHarness
from tests.subscriptions.support.hub_harness import (
    HubHarness,
    new_customer,
    subscribed,
    until,
)


async def test_announcements_that_crossed_are_put_in_order_without_the_log(
    harness: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gap_repair, "REORDER_SECONDS", 3600)
    acme = new_customer()
    client = await subscribed(harness, acme)
    one, two, three = await harness.store(acme, 3)
    await harness.announce(three, two, one)
    await until(lambda: len(client.events) == 3)
    assert client.numbers == [1, 2, 3]
    assert harness.hub.gap_fills == 0


async def test_a_lost_announcement_shows_and_is_read_from_the_log(harness: HubHarness) -> None:
    acme = new_customer()
    client = await subscribed(harness, acme)
    lost = await harness.store(acme, 7)
    await harness.announce(lost[0], lost[3], lost[6])
    await until(lambda: len(client.events) == 7)
    assert client.numbers == [1, 2, 3, 4, 5, 6, 7]
    assert harness.hub.gap_fills > 0


async def test_a_gap_of_many_pages_is_read(harness: HubHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gap_repair, "PAGE", 3)
    acme = new_customer()
    client = await subscribed(harness, acme)
    *_, last = await harness.store(acme, 20)
    await harness.announce(last)
    await until(lambda: len(client.events) == 20)
    assert client.numbers == list(range(1, 21))


async def test_a_pruned_gap_closes_its_subscribers(harness: HubHarness) -> None:
    acme = new_customer()
    client = await subscribed(harness, acme)
    *_, last = await harness.store(acme, 4)
    await Event.objects.filter(customer_id=acme, seq__lte=2).adelete()
    await CustomerLog.objects.filter(customer_id=acme).aupdate(floor=2)
    await harness.announce(last)
    await until(lambda: client.closed == [CloseCode.RESTARTING])
    assert client.events == []


async def test_a_gap_of_a_log_that_was_replaced_closes_its_subscribers(harness: HubHarness) -> None:
    acme = new_customer()
    client = await subscribed(harness, acme)
    *_, last = await harness.store(acme, 4)
    await CustomerLog.objects.filter(customer_id=acme).aupdate(epoch="f" * 12)
    await harness.announce(last)
    await until(lambda: client.closed == [CloseCode.RESTARTING])
    assert client.events == []
    assert harness.hub.open_logs == 0


async def test_the_pauses_of_a_repair_double_up_to_a_limit(
    harness: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = new_customer()
    await subscribed(harness, acme)
    _, two = await harness.store(acme, 2)

    monkeypatch.setattr(reader, "read", Mock(side_effect=OperationalError("away")))
    opened = harness.hub._feeds[acme]
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        if asyncio.current_task() is opened._repair:
            pauses.append(seconds)
        await sleep(0 if seconds >= gap_repair.REORDER_SECONDS else seconds)

    monkeypatch.setattr(asyncio, "sleep", noted)
    await harness.announce(two)
    await until(lambda: len(pauses) >= 8)
    assert pauses[:8] == [gap_repair.REORDER_SECONDS, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


async def test_the_repair_of_a_feed_ends_with_it(
    harness: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = new_customer()
    await subscribed(harness, acme)
    _, two = await harness.store(acme, 2)
    read = Mock(side_effect=OperationalError("away"))
    monkeypatch.setattr(reader, "read", read)
    opened = harness.hub._feeds[acme]
    await harness.announce(two)
    await until(lambda: read.called)
    harness.hub._close_replaced(acme)
    assert opened._repair is not None
    await asyncio.wait([opened._repair], timeout=20)
    assert opened._repair.cancelled()


async def test_waiting_for_a_number_ends_when_the_log_is_replaced(make_harness: MakeHarness) -> None:
    harness = await make_harness(check_seconds=0.02)
    acme = new_customer()
    await subscribed(harness, acme)
    waiting = asyncio.ensure_future(harness.hub.reach(acme, 5))
    await CustomerLog.objects.filter(customer_id=acme).aupdate(epoch="f" * 12)
    with pytest.raises(LogReplaced):
        await asyncio.wait_for(waiting, 30)


async def test_while_the_database_is_away_the_order_is_kept_and_sockets_stay(
    harness: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gap_repair, "RETRY_FIRST_SECONDS", 0.005)
    acme = new_customer()
    client = await subscribed(harness, acme)
    failures = 3
    read = reader.read

    def away(*args: Any, **kwargs: Any) -> Any:
        nonlocal failures
        if failures:
            failures -= 1
            raise OperationalError("away")
        return read(*args, **kwargs)

    monkeypatch.setattr(reader, "read", away)
    _, two, three, four = await harness.store(acme, 4)
    await harness.announce(two)
    await until(lambda: failures < 3)
    await harness.announce(four, three)
    await until(lambda: len(client.events) == 4)
    assert client.numbers == [1, 2, 3, 4]
    assert (client.closed, failures) == ([], 0)


async def test_a_subscribers_lag_is_known_while_the_log_cannot_be_read(
    harness: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, globex = new_customer(), new_customer()
    late, well = await subscribed(harness, acme), await subscribed(harness, globex)
    await harness.publish(acme)
    await until(lambda: late.numbers == [1])
    read, is_away = reader.read, True

    def away(*args: Any, **kwargs: Any) -> Any:
        if is_away:
            raise OperationalError("away")
        return read(*args, **kwargs)

    monkeypatch.setattr(reader, "read", away)
    messages = await harness.store(acme, 3)
    assert harness.hub.missing == (0, 0.0)
    await harness.announce(messages[2])
    await until(lambda: harness.hub.lag(late.subscriber) == 3)
    assert harness.hub.lag(well.subscriber) == 0
    assert harness.hub.missing.events == 2
    before = harness.hub.missing.seconds
    await until(lambda: harness.hub.missing.seconds > before)
    is_away = False
    await until(lambda: harness.hub.lag(late.subscriber) == 0)
    assert harness.hub.missing == (0, 0.0)
    await until(lambda: late.numbers == [1, 2, 3, 4])
