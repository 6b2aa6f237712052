"""The hub: each event once and in order, whatever the layer loses or repeats."""

# Long because every failure of layer, log and client is tested on one hub.
from __future__ import annotations

import asyncio
import threading
from typing import Any
from unittest.mock import Mock

import msgpack
import pytest
from django.db import OperationalError

from events.log import reader
from events.models import CustomerLog
from subscriptions.delivery import hub as hub_module
from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.frames import text_frame
from tests.subscriptions.conftest import MakeHarness
from tests.subscriptions.support.hub_harness import (
    HubHarness,
    everything,
    members,
    new_customer,
    subscribed,
    until,
)

# --- Receiving ---


async def test_an_event_reaches_those_whose_patterns_cover_it_and_no_stranger(harness: HubHarness) -> None:
    acme, globex = new_customer(), new_customer()
    all_of_acme = await subscribed(harness, acme)
    messages = await subscribed(harness, acme, f"customer_id:{acme}:message:*")
    stranger = await subscribed(harness, globex)
    await harness.publish(acme)
    await harness.publish(acme, event_type="message.received")
    await harness.publish(globex)
    await until(lambda: len(all_of_acme.events) == 2 and stranger.events and messages.events)
    assert [event["event_type"] for event in all_of_acme.events] == ["call.status", "message.received"]
    assert [event["event_type"] for event in messages.events] == ["message.received"]
    assert [event["topic"] for event in stranger.events] == [f"customer_id:{globex}:call:c1"]


async def test_the_process_joins_a_customers_group_once_for_all_subscribers(harness: HubHarness) -> None:
    acme = new_customer()
    assert members(acme) == 0
    clients = await asyncio.gather(*(subscribed(harness, acme) for _ in range(5)))
    assert members(acme) == 1
    await harness.publish(acme)
    await until(lambda: all(client.events for client in clients))


async def test_the_frame_of_an_event_is_built_once_for_all_subscribers(
    harness: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = new_customer()
    made = Mock(side_effect=text_frame)
    monkeypatch.setattr(hub_module, "text_frame", made)
    clients = await asyncio.gather(*(subscribed(harness, acme) for _ in range(5)))
    await harness.publish(acme)
    await until(lambda: all(client.events for client in clients))
    made.assert_called_once()


async def test_a_subscription_is_live_from_its_cursor_on(harness: HubHarness) -> None:
    acme = new_customer()
    await harness.publish(acme, 3)
    client = await subscribed(harness, acme)
    assert harness.hub.cursor(client.subscriber).endswith(".3")
    await harness.publish(acme)
    await until(lambda: client.events)
    assert client.numbers == [4]
    assert harness.hub.cursor(client.subscriber) == client.events[0]["cursor"]


async def test_what_is_announced_while_a_feed_opens_is_neither_lost_nor_doubled(
    harness: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = new_customer()
    before = await harness.store(acme, 2)
    opening, go_on = threading.Event(), threading.Event()
    open_log = reader.open_log

    def slowly(customer_id: str) -> reader.Head:
        head = open_log(customer_id)
        opening.set()
        assert go_on.wait(30)
        return head

    monkeypatch.setattr(reader, "open_log", slowly)
    subscribing = asyncio.ensure_future(subscribed(harness, acme))
    await asyncio.to_thread(opening.wait, 30)
    # Two are in the head, two came after it was read, and one is of an earlier log.
    of_old = {
        "type": "log.announced",
        "announcement": {"customer_id": acme, "epoch": "0" * 12, "entries": msgpack.packb([])},
    }
    await harness.announce(of_old, *before, of_old, *await harness.store(acme, 2))
    await until(lambda: len(harness.hub._early[acme]) == 6)
    go_on.set()
    client = await asyncio.wait_for(subscribing, 30)
    assert harness.hub.cursor(client.subscriber).endswith(".4")
    await harness.publish(acme)
    await until(lambda: client.events)
    assert client.numbers == [5]
    assert (client.closed, harness.hub.gap_fills) == ([], 0)


async def test_an_announcement_that_comes_twice_is_delivered_once(harness: HubHarness) -> None:
    acme = new_customer()
    client = await subscribed(harness, acme)
    one, two, three = await harness.store(acme, 3)
    await harness.announce(one, one, two, one, two, three)
    await until(lambda: len(client.events) >= 3)
    assert client.numbers == [1, 2, 3]


async def test_the_loss_of_the_last_announcement_is_found_by_comparing_numbers(
    make_harness: MakeHarness,
) -> None:
    harness = await make_harness(check_seconds=0.02)
    acme = new_customer()
    client = await subscribed(harness, acme)
    await harness.store(acme, 3)
    await until(lambda: len(client.events) == 3)
    assert client.numbers == [1, 2, 3]


async def test_the_logs_that_are_followed_are_counted(harness: HubHarness) -> None:
    assert harness.hub.open_logs == 0
    acme, globex = new_customer(), new_customer()
    for customer_id in (acme, globex, acme):
        await subscribed(harness, customer_id)
    assert harness.hub.open_logs == 2


# --- Leaving ---


async def test_an_unsubscribed_topic_ends_and_the_others_stay(harness: HubHarness) -> None:
    acme = new_customer()
    calls, messages = f"customer_id:{acme}:call:*", f"customer_id:{acme}:message:*"
    client = await subscribed(harness, acme, calls, messages)
    client.unsubscribe(calls, customer_id=acme)
    await harness.publish(acme)
    await harness.publish(acme, event_type="message.sent")
    await until(lambda: client.events)
    assert client.numbers == [2]


async def test_two_topics_of_one_pattern_end_with_the_second(harness: HubHarness) -> None:
    acme = new_customer()
    short, whole = f"customer_id:{acme}:call", f"customer_id:{acme}:call:*"
    client = await subscribed(harness, acme, short, whole)
    client.unsubscribe(short, customer_id=acme)
    await harness.publish(acme)
    await until(lambda: client.events)
    client.unsubscribe(whole, customer_id=acme)
    assert harness.hub.feed(acme).is_idle
    assert harness.hub.cursor(client.subscriber) == ""


async def test_nothing_of_a_subscriber_that_left_remains(harness: HubHarness) -> None:
    acme = new_customer()
    client = await subscribed(harness, acme, everything(acme), f"customer_id:{acme}:call")
    harness.hub.leave(client.subscriber)
    harness.hub.leave(client.subscriber)
    assert client.subscriber not in harness.hub.subscribers
    assert client.subscriber.subscriptions == {}
    assert harness.hub.feed(acme).is_idle


async def test_a_feed_without_subscribers_is_closed_after_a_while(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "IDLE_SECONDS", 0.01)
    harness = await make_harness(check_seconds=0.01)
    acme, globex = new_customer(), new_customer()
    client, stays = await subscribed(harness, acme), await subscribed(harness, globex)
    opened = await harness.hub.open([acme])
    harness.hub.leave(client.subscriber)
    await until(lambda: members(acme) == 0, "the group to be left")
    assert not harness.hub.are_open(opened)
    assert members(globex) == 1
    # A new subscription opens it again.
    again = await subscribed(harness, acme)
    await harness.publish(acme)
    await harness.publish(globex)
    await until(lambda: again.events and stays.events)
    assert client.events == []


# --- Slow readers ---


async def test_a_reader_that_is_too_slow_is_closed_and_harms_no_other(harness: HubHarness) -> None:
    acme = new_customer()
    slow = await subscribed(harness, acme, max_bytes=2000)
    good = await subscribed(harness, acme, max_bytes=2000)
    slow.reader.reads.clear()
    for number in range(20):
        await harness.publish(acme)
        await until(lambda expected=number + 1: len(good.events) == expected)
    assert good.numbers == list(range(1, 21))
    assert (slow.closed, good.closed) == ([CloseCode.TOO_SLOW], [])
    assert slow.subscriber not in harness.hub.subscribers


async def test_a_reader_that_takes_nothing_is_closed_though_little_waits(make_harness: MakeHarness) -> None:
    harness = await make_harness(check_seconds=0.01, max_stalled_seconds=0.05)
    acme = new_customer()
    stalled, quiet = (
        await subscribed(harness, acme),
        await subscribed(harness, acme, f"customer_id:{acme}:queue:*"),
    )
    stalled.reader.reads.clear()
    await harness.publish(acme)
    await until(lambda: stalled.closed)
    assert (stalled.closed[0], quiet.closed) == (CloseCode.TOO_SLOW, [])


@pytest.mark.parametrize("count", [1, 2])
async def test_a_connection_that_cannot_be_written_to_is_dropped_and_harms_no_other(
    harness: HubHarness, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """One event is written at once, several at the end of the event loop's turn."""
    acme = new_customer()
    clients = [await subscribed(harness, acme) for _ in range(3)]
    broken = clients[1].outbox
    abort = Mock()
    monkeypatch.setattr(broken, "_write_frames", Mock(side_effect=OSError("broken")))
    monkeypatch.setattr(broken._transport, "abort", abort)
    announced = await harness.store(acme, count)
    for message in announced[1:]:  # As one announcement of several.
        for part in ("entries", "tags"):
            values = [msgpack.unpackb(each["announcement"][part])[0] for each in (announced[0], message)]
            announced[0]["announcement"][part] = msgpack.packb(values)
    await harness.announce(announced[0])
    await until(lambda: len(clients[0].events) == len(clients[2].events) == count)
    assert broken.is_closed
    abort.assert_called_once()


# --- Replaced and pruned logs ---


async def test_a_replaced_log_closes_its_subscribers(make_harness: MakeHarness) -> None:
    harness = await make_harness(check_seconds=0.02)
    acme, globex = new_customer(), new_customer()
    client, other = await subscribed(harness, acme), await subscribed(harness, globex)
    await harness.publish(acme)
    await until(lambda: client.events)
    feeds = await harness.hub.open([acme])
    await CustomerLog.objects.filter(customer_id=acme).aupdate(epoch="f" * 12)
    await until(lambda: client.closed)
    assert (client.closed, other.closed) == ([CloseCode.RESTARTING], [])
    assert not harness.hub.are_open(feeds)
    again = await subscribed(harness, acme)
    assert harness.hub.cursor(again.subscriber) == "f" * 12 + ".1"
    await harness.publish(acme)
    await until(lambda: again.events)
    assert again.numbers == [2]


async def test_a_feed_opened_during_a_comparison_is_not_taken_for_one_without_a_log(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = await make_harness(check_seconds=0.01)
    acme, globex = new_customer(), new_customer()
    await subscribed(harness, acme)
    heads, read, go_on, rounds = reader.heads, threading.Event(), threading.Event(), []

    def slowly(customer_ids: Any) -> Any:
        found = heads(customer_ids)
        rounds.append(globex in customer_ids)
        read.set()
        assert go_on.wait(30)
        return found

    monkeypatch.setattr(reader, "heads", slowly)
    assert await asyncio.to_thread(read.wait, 30)
    newcomer = await subscribed(harness, globex)
    go_on.set()
    await until(lambda: rounds[-1], "a comparison that knows the newcomer's log")
    assert rounds[0] is False
    assert newcomer.closed == []


async def test_a_feed_opened_anew_during_a_comparison_is_not_judged_by_the_one_before(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = await make_harness(check_seconds=0.05)
    acme = new_customer()
    before = await subscribed(harness, acme)
    heads, read, go_on, rounds = reader.heads, threading.Event(), threading.Event(), []

    def slowly(customer_ids: Any) -> Any:
        if not rounds:
            # The running comparison reads the new log, while the feed still follows the old one.
            CustomerLog.objects.filter(customer_id=acme).update(epoch="f" * 12)
        found = heads(customer_ids)
        rounds.append(None)
        read.set()
        assert go_on.wait(30)
        return found

    monkeypatch.setattr(reader, "heads", slowly)
    assert await asyncio.to_thread(read.wait, 30)
    # As another comparison does, which a client requests that resumes.
    harness.hub._close_replaced(acme)
    assert before.closed
    again = await subscribed(harness, acme)
    go_on.set()
    await until(lambda: len(rounds) > 1, "the comparison under way to be over")
    assert again.closed == []


async def test_a_deleted_log_closes_its_subscribers(make_harness: MakeHarness) -> None:
    harness = await make_harness(check_seconds=0.02)
    acme = new_customer()
    client = await subscribed(harness, acme)
    await CustomerLog.objects.filter(customer_id=acme).adelete()
    await until(lambda: client.closed == [CloseCode.RESTARTING])


async def test_an_announcement_of_another_log_closes_its_subscribers(harness: HubHarness) -> None:
    acme = new_customer()
    client = await subscribed(harness, acme)
    await CustomerLog.objects.filter(customer_id=acme).aupdate(epoch="f" * 12)
    await harness.publish(acme)
    await until(lambda: client.closed == [CloseCode.RESTARTING])
    assert client.events == [], "events of another log were taken for this one's"


async def test_a_late_announcement_of_an_earlier_log_closes_no_subscriber(harness: HubHarness) -> None:
    acme = new_customer()
    (late,) = await harness.store(acme)
    await CustomerLog.objects.filter(customer_id=acme).aupdate(epoch="f" * 12)
    client = await subscribed(harness, acme)
    await harness.announce(late)
    await harness.publish(acme)
    await until(lambda: client.events)
    assert (client.numbers, client.closed) == ([2], [])


# --- Outages ---


async def test_an_unreadable_log_does_not_end_the_watch(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = await make_harness(check_seconds=0.01)
    acme = new_customer()
    client = await subscribed(harness, acme)
    heads, errors = reader.heads, [OperationalError("away"), RuntimeError("worse"), OperationalError("away")]

    def away(customer_ids: Any) -> Any:
        if errors:
            raise errors.pop()
        return heads(customer_ids)

    monkeypatch.setattr(reader, "heads", away)
    await harness.store(acme)
    await until(lambda: client.events)
    assert errors == []
