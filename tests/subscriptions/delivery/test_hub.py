"""The hub: one group membership a customer, numbers checked, gaps read from the log, each event once and in order."""

# Long because everything that a layer, a log and a reader can do to the hub is tried here.
from __future__ import annotations

import asyncio
import threading
from typing import Any
from unittest.mock import Mock

import msgpack
import pytest
from channels.layers import get_channel_layer
from django.db import OperationalError

from events.announcements.announcement import group_of
from events.log import reader as log
from events.models import CustomerLog, Event
from subscriptions.delivery import hub as hub_module
from subscriptions.delivery import layer_listener as layer_listener_module
from subscriptions.delivery.hub import LogReplaced
from subscriptions.protocol.frames import text_frame
from subscriptions.protocol.messages import CloseCode
from tests.subscriptions.conftest import MakeStage
from tests.subscriptions.support.hub_harness import Client, Stage, new_customer, until


def everything(customer_id: str) -> str:
    return f"customer_id:{customer_id}:*:*"


def members(customer_id: str) -> int:
    return len(get_channel_layer().groups.get(group_of(customer_id), {}))


async def listening(stage: Stage, customer_id: str, *topics: str, **options: Any) -> Client:
    client = Client(stage, **options)
    await client.subscribe(*(topics or (everything(customer_id),)), customer_id=customer_id)
    return client


# --- Hearing ---


async def test_an_event_reaches_those_whose_patterns_cover_it_and_no_stranger(stage: Stage) -> None:
    acme, globex = new_customer(), new_customer()
    all_of_acme = await listening(stage, acme)
    messages = await listening(stage, acme, f"customer_id:{acme}:message:*")
    stranger = await listening(stage, globex)
    await stage.publish(acme)
    await stage.publish(acme, event_type="message.received")
    await stage.publish(globex)
    await until(lambda: len(all_of_acme.events) == 2 and stranger.events and messages.events)
    assert [event["event_type"] for event in all_of_acme.events] == ["call.status", "message.received"]
    assert [event["event_type"] for event in messages.events] == ["message.received"]
    assert [event["topic"] for event in stranger.events] == [f"customer_id:{globex}:call:c1"]


async def test_however_many_listen_the_process_is_in_a_customers_group_once(stage: Stage) -> None:
    acme = new_customer()
    assert members(acme) == 0
    clients = await asyncio.gather(*(listening(stage, acme) for _ in range(5)))
    assert members(acme) == 1
    await stage.publish(acme)
    await until(lambda: all(client.events for client in clients))


async def test_however_many_hear_an_event_its_frame_is_made_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = new_customer()
    made = Mock(side_effect=text_frame)
    monkeypatch.setattr(hub_module, "text_frame", made)
    clients = await asyncio.gather(*(listening(stage, acme) for _ in range(5)))
    await stage.publish(acme)
    await until(lambda: all(client.events for client in clients))
    made.assert_called_once()


async def test_a_subscription_is_live_from_its_cursor_on(stage: Stage) -> None:
    acme = new_customer()
    await stage.publish(acme, 3)
    client = await listening(stage, acme)
    assert stage.hub.cursor(client.listener).endswith(".3")
    await stage.publish(acme)
    await until(lambda: client.events)
    assert client.numbers == [4]
    assert stage.hub.cursor(client.listener) == client.events[0]["cursor"]


async def test_what_is_announced_while_a_feed_opens_is_neither_lost_nor_doubled(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = new_customer()
    before = await stage.store(acme, 2)
    opening, go_on = threading.Event(), threading.Event()
    open_log = log.open_log

    def slowly(customer_id: str) -> log.Head:
        head = open_log(customer_id)
        opening.set()
        assert go_on.wait(30)
        return head

    monkeypatch.setattr(log, "open_log", slowly)
    subscribing = asyncio.ensure_future(listening(stage, acme))
    await asyncio.to_thread(opening.wait, 30)
    # Two that the head has, two that came after it was read; and one of a log that was there before.
    of_old = {
        "type": "log.announced",
        "announcement": {"customer_id": acme, "epoch": "0" * 12, "entries": msgpack.packb([])},
    }
    await stage.ring(of_old, *before, of_old, *await stage.store(acme, 2))
    await until(lambda: len(stage.hub._early[acme]) == 6)
    go_on.set()
    client = await asyncio.wait_for(subscribing, 30)
    assert stage.hub.cursor(client.listener).endswith(".4")
    await stage.publish(acme)
    await until(lambda: client.events)
    assert client.numbers == [5]
    assert (client.closed, stage.hub.gap_fills) == ([], 0)


async def test_announcements_that_crossed_are_put_in_order_without_the_log(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "REORDER_SECONDS", 3600)
    acme = new_customer()
    client = await listening(stage, acme)
    one, two, three = await stage.store(acme, 3)
    await stage.ring(three, two, one)
    await until(lambda: len(client.events) == 3)
    assert client.numbers == [1, 2, 3]
    assert stage.hub.gap_fills == 0


async def test_an_announcement_that_comes_twice_is_delivered_once(stage: Stage) -> None:
    acme = new_customer()
    client = await listening(stage, acme)
    one, two, three = await stage.store(acme, 3)
    await stage.ring(one, one, two, one, two, three)
    await until(lambda: len(client.events) >= 3)
    assert client.numbers == [1, 2, 3]


async def test_a_lost_announcement_shows_and_is_read_from_the_log(stage: Stage) -> None:
    acme = new_customer()
    client = await listening(stage, acme)
    lost = await stage.store(acme, 7)
    await stage.ring(lost[0], lost[3], lost[6])
    await until(lambda: len(client.events) == 7)
    assert client.numbers == [1, 2, 3, 4, 5, 6, 7]
    assert stage.hub.gap_fills > 0


async def test_a_gap_of_many_pages_is_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "PAGE", 3)
    acme = new_customer()
    client = await listening(stage, acme)
    *_, last = await stage.store(acme, 20)
    await stage.ring(last)
    await until(lambda: len(client.events) == 20)
    assert client.numbers == list(range(1, 21))


async def test_the_loss_of_the_last_announcement_is_found_by_comparing_numbers(make_stage: MakeStage) -> None:
    stage = await make_stage(check_seconds=0.02)
    acme = new_customer()
    client = await listening(stage, acme)
    await stage.store(acme, 3)
    await until(lambda: len(client.events) == 3)
    assert client.numbers == [1, 2, 3]


async def test_no_message_of_the_layer_deafens_the_process(stage: Stage) -> None:
    acme = new_customer()
    client = await listening(stage, acme)
    layer, group = get_channel_layer(), group_of(acme)
    for message in (
        {"type": "nobody.knows"},
        {"type": "log.announced"},
        {"type": "log.announced", "announcement": {"customer_id": acme, "epoch": "x", "entries": [[1]]}},
        {"type": "log.announced", "announcement": None},
        {"no": "type"},
    ):
        await layer.group_send(group, message)
    await stage.publish(acme)
    await until(lambda: client.events)
    assert client.closed == []


# --- Leaving ---


async def test_what_was_unsubscribed_is_heard_no_more_and_the_rest_goes_on(stage: Stage) -> None:
    acme = new_customer()
    calls, messages = f"customer_id:{acme}:call:*", f"customer_id:{acme}:message:*"
    client = await listening(stage, acme, calls, messages)
    client.unsubscribe(calls, customer_id=acme)
    await stage.publish(acme)
    await stage.publish(acme, event_type="message.sent")
    await until(lambda: client.events)
    assert client.numbers == [2]


async def test_two_spellings_of_one_pattern_end_with_the_second(stage: Stage) -> None:
    acme = new_customer()
    short, whole = f"customer_id:{acme}:call", f"customer_id:{acme}:call:*"
    client = await listening(stage, acme, short, whole)
    client.unsubscribe(short, customer_id=acme)
    await stage.publish(acme)
    await until(lambda: client.events)
    client.unsubscribe(whole, customer_id=acme)
    assert stage.hub.feed(acme).is_idle
    assert stage.hub.cursor(client.listener) == ""


async def test_a_socket_that_left_leaves_nothing_behind(stage: Stage) -> None:
    acme = new_customer()
    client = await listening(stage, acme, everything(acme), f"customer_id:{acme}:call")
    stage.hub.leave(client.listener)
    stage.hub.leave(client.listener)
    assert client.listener not in stage.hub.listeners
    assert client.listener.hearings == {}
    assert stage.hub.feed(acme).is_idle


async def test_a_feed_without_listeners_is_left_after_a_while(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "IDLE_SECONDS", 0.01)
    stage = await make_stage(check_seconds=0.01)
    acme, globex = new_customer(), new_customer()
    client, stays = await listening(stage, acme), await listening(stage, globex)
    opened = await stage.hub.open([acme])
    stage.hub.leave(client.listener)
    await until(lambda: members(acme) == 0, "the group to be left")
    assert not stage.hub.are_open(opened)
    assert members(globex) == 1
    # Coming back opens it anew.
    again = await listening(stage, acme)
    await stage.publish(acme)
    await stage.publish(globex)
    await until(lambda: again.events and stays.events)
    assert client.events == []


# --- Slow readers ---


async def test_a_reader_that_is_too_slow_is_closed_and_harms_no_other(stage: Stage) -> None:
    acme = new_customer()
    slow = await listening(stage, acme, max_bytes=2000)
    good = await listening(stage, acme, max_bytes=2000)
    slow.reader.reads.clear()
    for number in range(20):
        await stage.publish(acme)
        await until(lambda expected=number + 1: len(good.events) == expected)
    assert good.numbers == list(range(1, 21))
    assert (slow.closed, good.closed) == ([CloseCode.TOO_SLOW], [])
    assert slow.listener not in stage.hub.listeners


async def test_a_reader_that_takes_nothing_is_closed_though_little_waits(make_stage: MakeStage) -> None:
    stage = await make_stage(check_seconds=0.01, max_stuck_seconds=0.05)
    acme = new_customer()
    stuck, quiet = await listening(stage, acme), await listening(stage, acme, f"customer_id:{acme}:queue:*")
    stuck.reader.reads.clear()
    await stage.publish(acme)
    await until(lambda: stuck.closed)
    assert (stuck.closed[0], quiet.closed) == (CloseCode.TOO_SLOW, [])


# --- The log is another, or not all there ---


async def test_a_log_that_was_replaced_sends_its_listeners_back(make_stage: MakeStage) -> None:
    stage = await make_stage(check_seconds=0.02)
    acme, globex = new_customer(), new_customer()
    client, other = await listening(stage, acme), await listening(stage, globex)
    await stage.publish(acme)
    await until(lambda: client.events)
    feeds = await stage.hub.open([acme])
    await CustomerLog.objects.filter(customer_id=acme).aupdate(epoch="f" * 12)
    await until(lambda: client.closed)
    assert (client.closed, other.closed) == ([CloseCode.RESTARTING], [])
    assert not stage.hub.are_open(feeds)
    again = await listening(stage, acme)
    assert stage.hub.cursor(again.listener) == "f" * 12 + ".1"
    await stage.publish(acme)
    await until(lambda: again.events)
    assert again.numbers == [2]


async def test_a_feed_opened_during_a_comparison_is_not_taken_for_one_without_a_log(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await make_stage(check_seconds=0.01)
    acme, globex = new_customer(), new_customer()
    await listening(stage, acme)
    heads, read, go_on, rounds = log.heads, threading.Event(), threading.Event(), []

    def slowly(customer_ids: Any) -> Any:
        found = heads(customer_ids)
        rounds.append(globex in customer_ids)
        read.set()
        assert go_on.wait(30)
        return found

    monkeypatch.setattr(log, "heads", slowly)
    assert await asyncio.to_thread(read.wait, 30)
    newcomer = await listening(stage, globex)
    go_on.set()
    await until(lambda: rounds[-1], "a comparison that knows the newcomer's log")
    assert rounds[0] is False
    assert newcomer.closed == []


async def test_a_feed_opened_anew_during_a_comparison_is_not_judged_by_the_one_before(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await make_stage(check_seconds=0.05)
    acme = new_customer()
    before = await listening(stage, acme)
    heads, read, go_on, rounds = log.heads, threading.Event(), threading.Event(), []

    def slowly(customer_ids: Any) -> Any:
        if not rounds:
            # The comparison under way reads the new log for a feed that still is of the old one.
            CustomerLog.objects.filter(customer_id=acme).update(epoch="f" * 12)
        found = heads(customer_ids)
        rounds.append(None)
        read.set()
        assert go_on.wait(30)
        return found

    monkeypatch.setattr(log, "heads", slowly)
    assert await asyncio.to_thread(read.wait, 30)
    await stage.publish(acme)
    await until(lambda: before.closed)
    again = await listening(stage, acme)
    go_on.set()
    await until(lambda: len(rounds) > 1, "the comparison under way to be over")
    assert again.closed == []


async def test_a_log_that_is_gone_sends_its_listeners_back(make_stage: MakeStage) -> None:
    stage = await make_stage(check_seconds=0.02)
    acme = new_customer()
    client = await listening(stage, acme)
    await CustomerLog.objects.filter(customer_id=acme).adelete()
    await until(lambda: client.closed == [CloseCode.RESTARTING])


async def test_an_announcement_of_another_log_sends_its_listeners_back(stage: Stage) -> None:
    acme = new_customer()
    client = await listening(stage, acme)
    await CustomerLog.objects.filter(customer_id=acme).aupdate(epoch="f" * 12)
    await stage.publish(acme)
    await until(lambda: client.closed == [CloseCode.RESTARTING])
    assert client.events == [], "events of another log were taken for this one's"


async def test_a_gap_that_was_pruned_is_told(stage: Stage) -> None:
    acme = new_customer()
    client = await listening(stage, acme)
    *_, last = await stage.store(acme, 4)
    await Event.objects.filter(customer_id=acme, seq__lte=2).adelete()
    await CustomerLog.objects.filter(customer_id=acme).aupdate(floor=2)
    await stage.ring(last)
    await until(lambda: client.closed == [CloseCode.RESTARTING])
    assert client.events == []


async def test_who_waits_for_a_number_hears_that_it_will_never_come(make_stage: MakeStage) -> None:
    stage = await make_stage(check_seconds=0.02)
    acme = new_customer()
    await listening(stage, acme)
    waiting = asyncio.ensure_future(stage.hub.reach(acme, 5))
    await CustomerLog.objects.filter(customer_id=acme).aupdate(epoch="f" * 12)
    with pytest.raises(LogReplaced):
        await asyncio.wait_for(waiting, 30)


# --- Outages ---


async def test_while_the_database_is_away_the_order_is_kept_and_sockets_stay(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "RETRY_FIRST_SECONDS", 0.005)
    acme = new_customer()
    client = await listening(stage, acme)
    failures = 3
    read = log.read

    def away(*args: Any, **kwargs: Any) -> Any:
        nonlocal failures
        if failures:
            failures -= 1
            raise OperationalError("away")
        return read(*args, **kwargs)

    monkeypatch.setattr(log, "read", away)
    _, two, three, four = await stage.store(acme, 4)
    await stage.ring(two)
    await until(lambda: failures < 3)
    await stage.ring(four, three)
    await until(lambda: len(client.events) == 4)
    assert client.numbers == [1, 2, 3, 4]
    assert (client.closed, failures) == ([], 0)


async def test_how_far_a_listener_is_behind_is_known_while_the_log_cannot_be_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, globex = new_customer(), new_customer()
    late, well = await listening(stage, acme), await listening(stage, globex)
    read, is_away = log.read, True

    def away(*args: Any, **kwargs: Any) -> Any:
        if is_away:
            raise OperationalError("away")
        return read(*args, **kwargs)

    monkeypatch.setattr(log, "read", away)
    messages = await stage.store(acme, 3)
    await stage.ring(messages[2])
    await until(lambda: stage.hub.behind(late.listener) == 3)
    assert stage.hub.behind(well.listener) == 0
    is_away = False
    await until(lambda: stage.hub.behind(late.listener) == 0)
    await until(lambda: late.numbers == [1, 2, 3])


async def test_an_unreadable_log_does_not_end_the_watch(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await make_stage(check_seconds=0.01)
    acme = new_customer()
    client = await listening(stage, acme)
    heads, errors = log.heads, [OperationalError("away"), RuntimeError("worse"), OperationalError("away")]

    def away(customer_ids: Any) -> Any:
        if errors:
            raise errors.pop()
        return heads(customer_ids)

    monkeypatch.setattr(log, "heads", away)
    await stage.store(acme)
    await until(lambda: client.events)
    assert errors == []


@pytest.fixture
def dumb_layer(fresh_layer: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """The layer takes everything and passes on nothing while `silent` is set, as behind a half-open connection."""
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
    make_stage: MakeStage, dumb_layer: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(layer_listener_module, "RESET_SECONDS", 3600)
    stage = await make_stage(check_seconds=0.02)
    acme = new_customer()
    client = await listening(stage, acme)
    dumb_layer["silent"] = True
    await until(lambda: stage.hub.lagging, "the silence to be noticed")
    await stage.publish(acme, 3)
    await until(lambda: len(client.events) == 3)
    # Whoever comes meanwhile hears too, though its group cannot be joined.
    globex = new_customer()
    newcomer = await listening(stage, globex)
    await stage.publish(globex)
    await until(lambda: newcomer.events)
    dumb_layer["silent"] = False
    await until(lambda: not stage.hub.lagging, "the layer to be heard again")
    await until(lambda: members(globex) == 1)
    await stage.publish(acme)
    await until(lambda: len(client.events) == 4)
    assert client.numbers == [1, 2, 3, 4]


async def test_a_layer_that_stays_silent_is_connected_to_anew(
    make_stage: MakeStage, dumb_layer: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(layer_listener_module, "RESET_SECONDS", 0.1)
    stage = await make_stage(check_seconds=0.02)
    acme = new_customer()
    client = await listening(stage, acme)
    first = stage.hub._ear._channel
    dumb_layer["silent"] = True
    await until(lambda: stage.hub._ear._channel not in ("", first), "a new channel")
    dumb_layer["silent"] = False
    await until(lambda: not stage.hub.lagging and members(acme) == 1)
    await stage.publish(acme)
    await until(lambda: client.events)
    assert client.numbers == [1]


async def test_a_layer_that_hangs_does_not_hold_up_the_comparing_of_numbers(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Joining waits for its time-out; with many customers that must not add up."""
    monkeypatch.setattr(layer_listener_module, "TIMEOUT_SECONDS", 0.2)
    stage = await make_stage(check_seconds=0.01)
    tries = 0

    async def hang(*_: Any) -> None:
        nonlocal tries
        tries += 1
        await asyncio.sleep(3600)

    monkeypatch.setattr(get_channel_layer(), "group_add", hang)
    customers = [new_customer() for _ in range(10)]
    clients = await asyncio.gather(*(listening(stage, customer) for customer in customers))
    tries = 0
    await stage.store(customers[0])
    await until(lambda: clients[0].events)
    await stage.store(customers[0])
    await until(lambda: len(clients[0].events) == 2)
    assert tries <= 4, "each customer's group was waited for before numbers were compared again"
