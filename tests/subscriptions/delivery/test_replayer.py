"""The replay: missed events in order and once, before live events; or the reason why not."""

# Long because a replay can coincide with many other events.
from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from events.domain.cursor import NO_EPOCH
from events.log import reader
from events.models import CustomerLog, Event
from subscriptions.delivery import replayer as replayer_module
from subscriptions.delivery.gap_repair import LogReplaced
from subscriptions.delivery.outbox import OutboxClosed
from subscriptions.delivery.replayer import LogPruned
from subscriptions.protocol.codes import CloseCode
from tests.subscriptions.conftest import MakeHarness
from tests.subscriptions.support.hub_harness import Client, HubHarness, everything, new_customer, until


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replayer_module, "PAGE", 3)


class Reads:
    """Counts reads of the log, and stops them on request."""

    def __init__(self) -> None:
        self.count = 0
        self.stop_at: int | None = None
        self.stopped = threading.Event()
        self.go_on = threading.Event()
        self._read = reader.read

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.count += 1
        if self.count == self.stop_at:
            self.stopped.set()
            assert self.go_on.wait(30)
        return self._read(*args, **kwargs)

    async def has_stopped(self) -> None:
        assert await asyncio.to_thread(self.stopped.wait, 30)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reads]:
    reads = Reads()
    monkeypatch.setattr(reader, "read", reads)
    yield reads
    reads.go_on.set()


async def epoch_of(customer_id: str) -> str:
    return (await CustomerLog.objects.aget(customer_id=customer_id)).epoch


async def back(harness: HubHarness, customer_id: str, after: int, *topics: str, **options: Any) -> Client:
    """Reconnect a client with its cursor."""
    client = Client(harness, **options)
    reason = await client.subscribe(
        *(topics or (everything(customer_id),)),
        customer_id=customer_id,
        since=f"{await epoch_of(customer_id)}.{after}",
    )
    assert reason is None, reason
    return client


# --- Recovered ---


async def test_what_was_missed_is_read_from_the_log_in_pages(harness: HubHarness, reads: Reads) -> None:
    acme = new_customer()
    await harness.store(acme, 10)
    client = await back(harness, acme, 2)
    assert harness.hub.cursor(client.subscriber).endswith(".2"), "the ack's cursor is where the replay begins"
    await client.replayed()
    await until(lambda: len(client.events) == 8)
    assert client.numbers == [3, 4, 5, 6, 7, 8, 9, 10]
    assert (reads.count, harness.replayer.deliveries) == (3, 8)
    await harness.publish(acme)
    await until(lambda: len(client.events) == 9)
    assert client.numbers[-1] == 11


async def test_a_cursor_from_before_there_was_a_log_is_its_beginning(harness: HubHarness) -> None:
    acme = new_customer()
    await harness.store(acme, 4)
    client = Client(harness)
    assert await client.subscribe(everything(acme), customer_id=acme, since=f"{NO_EPOCH}.0") is None
    await client.replayed()
    await until(lambda: len(client.events) == 4)
    await prune(acme, 1)
    assert "older than what is kept" in await reason(harness, acme, f"{NO_EPOCH}.0")


async def test_what_was_missed_a_moment_ago_is_read_from_no_database(
    harness: HubHarness, reads: Reads
) -> None:
    acme = new_customer()
    other = Client(harness)
    await other.subscribe(everything(acme), customer_id=acme)
    await harness.publish(acme, 6)
    await until(lambda: len(other.events) == 6)
    clients = [await back(harness, acme, after) for after in (0, 3, 6)]
    await asyncio.gather(*(client.replayed() for client in clients))
    await harness.publish(acme)
    await until(lambda: all(client.numbers[-1:] == [7] for client in clients))
    assert [client.numbers for client in clients] == [[1, 2, 3, 4, 5, 6, 7], [4, 5, 6, 7], [7]]
    assert reads.count == 0


async def test_only_what_its_topics_cover_is_replayed(harness: HubHarness) -> None:
    acme = new_customer()
    for event_type in ("call.status", "message.sent", "call.ended", "queue.joined", "message.sent"):
        await harness.store(acme, event_type=event_type)
    client = await back(harness, acme, 1, f"customer_id:{acme}:message", f"customer_id:{acme}:*:c1")
    await client.replayed()
    await until(lambda: len(client.events) == 4)
    assert client.numbers == [2, 3, 4, 5]
    messages = await back(harness, acme, 0, f"customer_id:{acme}:message")
    await messages.replayed()
    await until(lambda: len(messages.events) == 2)
    assert messages.numbers == [2, 5]


async def test_what_happens_during_a_replay_comes_after_it(harness: HubHarness, reads: Reads) -> None:
    acme = new_customer()
    await harness.store(acme, 9)
    reads.stop_at = 2
    client = await back(harness, acme, 0)
    live = Client(harness)
    await live.subscribe(everything(acme), customer_id=acme)
    await reads.has_stopped()
    await harness.publish(acme, 3)
    await until(lambda: len(live.events) == 3)
    assert client.numbers == [1, 2, 3], "a live event came before what was missed"
    assert harness.hub.cursor(client.subscriber).endswith(".3"), "a pong would promise what was not sent yet"
    reads.go_on.set()
    await client.replayed()
    await harness.publish(acme)
    await until(lambda: len(client.events) >= 13)
    assert client.numbers == list(range(1, 14))


async def test_topics_held_before_lose_no_event_and_receive_none_twice(harness: HubHarness) -> None:
    acme = new_customer()
    kinds = ("call.status", "message.sent")
    for number in range(6):
        await harness.store(acme, event_type=kinds[number % 2])
    client = Client(harness)
    calls, messages = f"customer_id:{acme}:call", f"customer_id:{acme}:message"
    await client.subscribe(calls, customer_id=acme)
    for number in range(4):
        await harness.publish(acme, event_type=kinds[number % 2])
    await until(lambda: client.numbers == [7, 9])
    await client.subscribe(messages, customer_id=acme, since=f"{await epoch_of(acme)}.1")
    await client.replayed()
    await harness.publish(acme, 2)
    await until(lambda: len(client.events) == 9)
    assert client.numbers == [7, 9, 2, 4, 6, 8, 10, 11, 12]


async def test_a_cursor_ahead_of_this_process_waits_until_it_has_caught_up(harness: HubHarness) -> None:
    acme = new_customer()
    live = Client(harness)
    await live.subscribe(everything(acme), customer_id=acme)
    # Another process sent the client four events; none of them was announced here.
    unrung = await harness.store(acme, 4)
    client = await back(harness, acme, 4)
    await client.replayed()
    assert live.numbers == [1, 2, 3, 4], "the wait itself did not fetch what was missing"
    await harness.announce(*unrung)
    await harness.publish(acme)
    await until(lambda: client.events and len(live.events) == 5)
    assert client.numbers == [5]


async def test_a_topic_ended_during_its_replay_is_sent_no_more(harness: HubHarness, reads: Reads) -> None:
    acme = new_customer()
    for number in range(12):
        await harness.store(acme, event_type="message.sent" if number % 2 else "call.status")
    reads.stop_at = 2
    calls, messages = f"customer_id:{acme}:call", f"customer_id:{acme}:message"
    client = await back(harness, acme, 0, calls, messages)
    await reads.has_stopped()
    client.unsubscribe(calls, customer_id=acme)
    reads.go_on.set()
    await client.replayed()
    await harness.publish(acme)
    await harness.publish(acme, event_type="message.sent")
    await until(lambda: client.numbers[-1:] == [14])
    assert client.numbers == [1, 2, 3, 4, 6, 8, 10, 12, 14]


async def test_a_feed_with_only_a_replay_on_it_is_not_idle(
    make_harness: MakeHarness, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.delivery.hub.IDLE_SECONDS", 0.0)
    harness = await make_harness(check_seconds=0.01)
    acme, globex = new_customer(), new_customer()
    await harness.store(acme, 9)
    reads.stop_at = 2
    client = await back(harness, acme, 0)
    feeds = await harness.hub.open([globex])
    await reads.has_stopped()
    await until(lambda: not harness.hub.are_open(feeds), "the other feed to be found idle")
    reads.go_on.set()
    await client.replayed()
    assert client.closed == []


# --- Not recovered ---


async def reason(harness: HubHarness, customer_id: str, since: str) -> str:
    client = Client(harness)
    reason = await client.subscribe(everything(customer_id), customer_id=customer_id, since=since)
    assert reason is not None, "it was recovered"
    assert client.subscriber.subscriptions == {}
    return reason


async def test_a_cursor_of_another_log_is_not_recovered(harness: HubHarness) -> None:
    acme = new_customer()
    await harness.store(acme, 3)
    assert "another log" in await reason(harness, acme, "f" * 12 + ".2")


async def test_a_cursor_ahead_of_the_log_is_not_recovered(harness: HubHarness) -> None:
    acme = new_customer()
    await harness.store(acme, 3)
    assert "ahead" in await reason(harness, acme, f"{await epoch_of(acme)}.4")
    client = await back(harness, acme, 3)
    await client.replayed()


async def test_a_cursor_older_than_the_log_is_not_recovered(harness: HubHarness) -> None:
    acme = new_customer()
    await harness.store(acme, 6)
    await prune(acme, 3)
    assert "older than what is kept" in await reason(harness, acme, f"{await epoch_of(acme)}.2")
    client = await back(harness, acme, 3)
    await client.replayed()
    await until(lambda: client.numbers == [4, 5, 6])


async def test_a_cursor_too_far_behind_is_not_recovered(harness: HubHarness) -> None:
    acme = new_customer()
    await harness.store(acme, 6)
    harness.replayer._max_events = 5
    assert "more than 5 events" in await reason(harness, acme, f"{await epoch_of(acme)}.0")
    client = await back(harness, acme, 1)
    await client.replayed()
    await until(lambda: len(client.events) == 5)


async def prune(customer_id: str, upto: int) -> None:
    await CustomerLog.objects.filter(customer_id=customer_id).aupdate(floor=upto)
    await Event.objects.filter(customer_id=customer_id, seq__lte=upto).adelete()


@pytest.mark.parametrize("upto", [4, 9])
async def test_pruning_that_overtakes_a_replay_ends_it(harness: HubHarness, reads: Reads, upto: int) -> None:
    acme = new_customer()
    await harness.store(acme, 9)
    reads.stop_at = 2
    client = await back(harness, acme, 0)
    await reads.has_stopped()
    await prune(acme, upto)
    reads.go_on.set()
    with pytest.raises(LogPruned):
        await client.replayed()
    assert client.numbers == [1, 2, 3]


async def test_pruning_behind_a_replay_does_not_affect_it(harness: HubHarness, reads: Reads) -> None:
    acme = new_customer()
    await harness.store(acme, 9)
    reads.stop_at = 2
    client = await back(harness, acme, 0)
    await reads.has_stopped()
    await prune(acme, 3)
    reads.go_on.set()
    await client.replayed()
    await until(lambda: len(client.events) == 9)


async def test_a_hole_in_a_page_is_not_passed_over(
    harness: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = new_customer()
    await harness.store(acme, 6)
    read = reader.read

    def holed(*args: Any, **kwargs: Any) -> Any:
        page = read(*args, **kwargs)
        del page[1:2]
        return page

    monkeypatch.setattr(reader, "read", holed)
    client = await back(harness, acme, 0)
    with pytest.raises(LogPruned):
        await client.replayed()
    assert client.events == []


# --- Clients that leave meanwhile or read slowly ---


@pytest.mark.parametrize("how", ["leaves", "is reason to close"])
async def test_who_leaves_during_a_replay_leaves_nothing_behind(
    harness: HubHarness, reads: Reads, how: str
) -> None:
    acme = new_customer()
    await harness.store(acme, 5)
    reads.stop_at = 2
    client = await back(harness, acme, 0)
    await reads.has_stopped()
    harness.hub.leave(client.subscriber)
    if how == "leaves":
        client.outbox.close()
    reads.go_on.set()
    with pytest.raises(OutboxClosed):
        await client.replayed()
    assert harness.hub.feed(acme).is_idle
    assert client.subscriber.subscriptions == {}
    await harness.publish(acme)


async def test_a_log_replaced_during_a_replay_ends_it(make_harness: MakeHarness, reads: Reads) -> None:
    harness = await make_harness(check_seconds=0.01)
    acme = new_customer()
    await harness.store(acme, 5)
    reads.stop_at = 2
    client = await back(harness, acme, 0)
    await reads.has_stopped()
    await CustomerLog.objects.filter(customer_id=acme).aupdate(epoch="f" * 12)
    await until(lambda: client.closed)
    reads.go_on.set()
    with pytest.raises((OutboxClosed, LogReplaced, LogPruned)):
        await client.replayed()
    assert client.closed == [CloseCode.RESTARTING]


async def test_slow_readers_do_not_hold_up_the_replays_of_others(harness: HubHarness) -> None:
    acme = new_customer()
    await harness.store(acme, 9)
    # As many as may run at once, each without room before the end of its replay.
    slow = [await back(harness, acme, 0, max_bytes=2000, reads=False) for _ in range(2)]
    good = await back(harness, acme, 0, max_bytes=2000)
    await good.replayed()
    await until(lambda: len(good.events) == 9)
    for client in slow:
        assert client.replaying is not None
        assert not client.replaying.done()
        client.reader.reads.set()
    for client in slow:
        await client.replayed()
        await until(lambda client=client: len(client.events) == 9)


async def test_so_many_replays_read_at_once_and_no_more(
    harness: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = new_customer()
    await harness.store(acme, 9)
    reading, go_on, read = [], threading.Event(), reader.read

    def slowly(*args: Any, **kwargs: Any) -> Any:
        reading.append(threading.get_ident())
        assert go_on.wait(30)
        return read(*args, **kwargs)

    monkeypatch.setattr(reader, "read", slowly)
    clients = [await back(harness, acme, 0) for _ in range(4)]
    await until(lambda: len(reading) == 2)
    # There is a thread for a third replay, which could have run meanwhile.
    await harness.replayer.recovery(await harness.hub.open([acme]), {await epoch_of(acme): 1})
    assert len(reading) == 2
    go_on.set()
    for client in clients:
        await client.replayed()
        await until(lambda client=client: len(client.events) == 9)


async def test_a_replay_of_the_largest_events_never_overfills_the_outbox(
    harness: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replayer_module, "PAGE", 500)
    acme = new_customer()
    await harness.store(acme, 40, text="x" * 250_000)
    client = await back(harness, acme, 0, max_bytes=4 * 2**20)
    await client.replayed()
    await until(lambda: len(client.events) == 40 or client.closed)
    assert client.closed == []
    assert client.numbers == list(range(1, 41))


async def test_replays_of_several_customers_are_each_in_order(harness: HubHarness) -> None:
    acme, globex = new_customer(), new_customer()
    for _ in range(5):
        await harness.store(acme)
        await harness.store(globex)
    client = Client(harness)
    await harness.hub.open([acme, globex])
    for customer_id in (acme, globex):
        await client.subscribe(
            everything(customer_id), customer_id=customer_id, since=f"{await epoch_of(customer_id)}.1"
        )
        await client.replayed()
    await until(lambda: len(client.events) == 8)
    by_customer: Callable[[str], list[int]] = lambda which: [  # noqa: E731
        number for number, event in zip(client.numbers, client.events, strict=True) if which in event["topic"]
    ]
    assert by_customer(acme) == by_customer(globex) == [2, 3, 4, 5]
    assert harness.hub.cursor(client.subscriber).count(",") == 1
