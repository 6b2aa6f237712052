"""The hub: puts each event that arrives into the outboxes of its subscribers.

A process joins one group of the channel layer for each customer. An announcement that the layer loses shows as a gap in
the numbers, and its events are read from the log. The hub belongs to one event loop.
"""

# Long because delivering, comparing numbers and closing idle feeds change the same set of feeds.

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django import db

from events.announcements.announcement import read_announcement
from events.database.threads import in_database_thread, until_database_answers
from events.domain.cursor import Mark, Position, join_positions
from events.domain.event import Entry
from events.log import epochs, reader
from subscriptions.delivery.feed import Feed
from subscriptions.delivery.gap_repair import REORDER_SECONDS, LogReplaced, OpenFeed
from subscriptions.delivery.latency_histogram import LatencyHistogram
from subscriptions.delivery.layer_listener import LayerListener
from subscriptions.delivery.outbox import Flusher
from subscriptions.delivery.subscriber import PLAIN, Subscriber, View
from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.effects import HeldTopic
from subscriptions.protocol.frames import text_frame

logger = logging.getLogger(__name__)

IDLE_SECONDS = 30.0
"""How long a feed without subscribers stays open, for clients that reconnect at once."""


class Missing(NamedTuple):
    """Stored events that have not arrived, as far as known, and the age of the oldest gap."""

    events: int
    seconds: float


class Hub:
    """All feeds and subscribers of one process.

    `check_seconds` is the interval at which numbers are compared with the log: the longest time for which the lost last
    announcement of a burst, or an event from a process without a common layer, goes unnoticed. `max_stalled_seconds` is
    how long a client may read nothing while frames wait for it. `on_access_changed` is called when a process announces
    changed permissions.
    """

    def __init__(
        self,
        flusher: Flusher,
        *,
        check_seconds: float,
        max_stalled_seconds: float,
        on_access_changed: Callable[[], None],
    ) -> None:
        self.gap_fills = 0
        self.deliveries = 0
        self.latencies = LatencyHistogram()
        self.subscribers: set[Subscriber] = set()
        self._put_event = flusher.put
        self._max_stalled_seconds = max_stalled_seconds
        self._feeds: dict[str, OpenFeed] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._must_compare = asyncio.Event()
        self._unconfirmed: set[str] = set()
        self._confirming = asyncio.Lock()
        self._early: dict[str, list[tuple[str, list[Entry]]]] = {}
        self.layer = LayerListener(
            on_announcement=self._receive_announcement,
            on_access_changed=on_access_changed,
            check_seconds=check_seconds,
        )
        self._watch_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to receive announcements. Called in the event loop."""
        self.layer.start()
        self._watch_task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """End all tasks."""
        tasks = [opened.close() for opened in self._feeds.values()]
        if self._watch_task is not None:
            self._watch_task.cancel()
            tasks.append(self._watch_task)
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)
        await self.layer.stop()

    @property
    def open_logs(self) -> int:
        """The number of customers whose logs are followed."""
        return len(self._feeds)

    @property
    def missing(self) -> Missing:
        """The missing events of all feeds."""
        now = asyncio.get_running_loop().time()
        events, seconds = 0, 0.0
        for opened in self._feeds.values():
            if gap := opened.feed.gap:
                events += gap.upto - gap.after
                seconds = max(seconds, now - opened.late_since)
        return Missing(events, seconds)

    # --- Subscribers ---

    async def open(self, customer_ids: Iterable[str]) -> dict[str, Feed[Subscriber]]:
        """Open the feeds of these customers where they are not open, and restart their idle time.

        A feed can be closed while another one is opened: check `are_open` before using them.
        """
        feeds: dict[str, Feed[Subscriber]] = {}
        for customer_id in sorted(set(customer_ids)):
            async with self._opening.setdefault(customer_id, asyncio.Lock()):
                opened = self._feeds.get(customer_id) or await self._open(customer_id)
                opened.idle_since = None
                feeds[customer_id] = opened.feed
        return feeds

    def are_open(self, feeds: Mapping[str, Feed[Subscriber]]) -> bool:
        """Whether none of these feeds was closed or replaced since it was opened."""
        return all(
            (opened := self._feeds.get(customer_id)) is not None and opened.feed is feed
            for customer_id, feed in feeds.items()
        )

    def feed(self, customer_id: str) -> Feed[Subscriber]:
        """The open feed of this customer."""
        return self._feeds[customer_id].feed

    def open_feed(self, customer_id: str) -> Feed[Subscriber]:
        """The feed of this customer.

        Raises:
            LogReplaced: it is not open any more.
        """
        if (opened := self._feeds.get(customer_id)) is None:
            raise LogReplaced(customer_id)
        return opened.feed

    def attach(self, subscriber: Subscriber, topics: Sequence[HeldTopic]) -> None:
        """Deliver what these topics cover after each feed's position. The feeds must be open."""
        self.subscribers.add(subscriber)
        for customer_id, patterns in subscriber.hold(topics).items():
            feed = self.feed(customer_id)
            subscription = subscriber.subscriptions[customer_id]
            for pattern in patterns:
                subscription.starts.setdefault(pattern, feed.position)
            feed.attach(subscriber, patterns, subscription.filters)

    def refilter(self, subscriber: Subscriber, topics: Iterable[HeldTopic]) -> None:
        """Replace the filters of these topics, as far as the subscriber holds them."""
        held = [topic for topic in topics if subscriber.holds(topic)]
        for customer_id, patterns in subscriber.hold(held).items():
            subscription = subscriber.subscriptions[customer_id]
            if subscription.replay is not None:
                subscription.replay.refilter(subscription.filters)
            elif opened := self._feeds.get(customer_id):
                opened.feed.attach(subscriber, patterns, subscription.filters)

    def detach(self, subscriber: Subscriber, topics: Sequence[HeldTopic]) -> None:
        """End these topics."""
        for customer_id, patterns in subscriber.release(topics).items():
            if opened := self._feeds.get(customer_id):
                opened.feed.detach(subscriber, patterns)

    def leave(self, subscriber: Subscriber) -> None:
        """Remove the subscriber from all feeds."""
        self.subscribers.discard(subscriber)
        for customer_id, subscription in subscriber.subscriptions.items():
            if opened := self._feeds.get(customer_id):
                opened.feed.detach(subscriber, subscription.topics)
        subscriber.subscriptions.clear()

    def cursor(self, subscriber: Subscriber) -> str:
        """The cursor up to which the subscriber's events are in its outbox; empty without topics.

        A log that was replaced is left out: its subscribers are about to be closed.
        """
        return join_positions(
            Position(
                self.feed(customer_id).epoch,
                subscription.sent_to if subscription.replay else self.feed(customer_id).position,
            )
            for customer_id, subscription in sorted(subscriber.subscriptions.items())
            if customer_id in self._feeds
        )

    def lag(self, subscriber: Subscriber) -> int:
        """Events of the subscriber's logs, as far as known, that its outbox has not received yet."""
        return sum(
            max(0, opened.feed.head - (subscription.sent_to if subscription.replay else opened.feed.position))
            for customer_id, subscription in subscriber.subscriptions.items()
            if (opened := self._feeds.get(customer_id))
        )

    async def reach(self, customer_id: str, seq: int) -> None:
        """Wait until this feed has delivered up to number `seq`, which is in its log.

        Raises:
            LogReplaced: the feed was closed before.
        """
        await self._feeds[customer_id].reach(seq)

    async def next_after(self, customer_id: str, seq: int) -> None:
        """Wait until this feed has delivered more than the number `seq`.

        Raises:
            LogReplaced: the feed was closed before.
        """
        if (opened := self._feeds.get(customer_id)) is None:
            raise LogReplaced(customer_id)
        await opened.has_reached(seq + 1)

    # --- Entries ---

    async def _open(self, customer_id: str) -> OpenFeed:
        # Entries that arrive between joining the group and reading the log's last number wait here.
        early = self._early[customer_id] = []
        try:
            await self.layer.join(customer_id)
            head = await until_database_answers(reader.open_log, customer_id)
        finally:
            del self._early[customer_id]
        opened = self._feeds[customer_id] = OpenFeed(
            Feed(customer_id, head.epoch, head.last_seq, head.last_id),
            deliver=self._deliver_late,
            on_replaced=self._close_replaced,
        )
        for epoch, entries in early:
            # Entries of another epoch are older than the head, or the next comparison finds the new log.
            if epoch == head.epoch:
                self._take(customer_id, epoch, entries)
        return opened

    def _receive_announcement(self, message: dict[str, Any]) -> None:
        customer_id, epoch, entries, at = read_announcement(message)
        if (early := self._early.get(customer_id)) is not None:
            early.append((epoch, entries))
        elif customer_id in self._feeds:
            before = self.deliveries
            self._take(customer_id, epoch, entries)
            if (deliveries := self.deliveries - before) and at:
                # After the outboxes have written, which was scheduled just before.
                asyncio.get_running_loop().call_soon(self._record_latency, at, deliveries)

    def _record_latency(self, committed_at: float, deliveries: int) -> None:
        self.latencies.add(time.time() - committed_at, deliveries)

    def _take(self, customer_id: str, epoch: str, entries: Sequence[Entry]) -> None:
        opened = self._feeds[customer_id]
        if epoch != opened.feed.epoch:
            # Of the log before or after the followed one: only the log itself tells.
            self._must_compare.set()
            return
        self._deliver(opened, opened.feed.offer(entries))
        opened.repair_if_needed()

    def _deliver(self, opened: OpenFeed, entries: Sequence[Entry]) -> None:
        feed = opened.feed
        opened.moved.set()
        for entry in entries:
            for topic, form, subscribers in feed.receivers(entry):
                self.deliveries += len(subscribers)
                # By identity: comparing views would cost as much as all else that one subscriber takes here.
                plain = [each.outbox for each in subscribers if each.view is PLAIN]
                is_alone = len(entries) == 1
                if plain:
                    self._put_event(plain, text_frame(entry.frame(topic, form)), is_alone=is_alone)
                if len(plain) < len(subscribers):
                    for same in _by_view(subscribers):
                        frame = same[0].frame(entry, topic, form)
                        self._put_event([each.outbox for each in same], frame, is_alone=is_alone)

    async def _deliver_late(self, opened: OpenFeed, entries: Sequence[Entry]) -> None:
        """Deliver entries from the log, and count all of them with the latency of the oldest."""
        self.gap_fills += 1
        before = self.deliveries
        self._deliver(opened, entries)
        if deliveries := self.deliveries - before:
            with contextlib.suppress(db.Error):
                at = await in_database_thread(reader.stored_at, opened.feed.customer_id, entries[0].seq)
                if at is not None:
                    self._record_latency(at, deliveries)

    def _close_replaced(self, customer_id: str) -> None:
        """Close the feed of a replaced or pruned log: its clients learn that on reconnecting."""
        opened = self._feeds.pop(customer_id, None)
        if opened is None:
            return
        opened.close()
        logger.warning(
            "The log of customer %s was replaced or pruned: its clients have to come back", customer_id
        )
        for subscriber in list(self.subscribers):
            if customer_id in subscriber.subscriptions:
                subscriber.close(
                    CloseCode.RESTARTING, "The event log was replaced: connect again with your cursor"
                )

    # --- Watching ---

    async def _watch(self) -> None:
        # Each by itself: a database that does not answer must not keep stalled connections open.
        await asyncio.gather(
            self._repeat(self._compare_numbers, self._must_compare),
            self._repeat(self._close_unused, asyncio.Event()),
        )

    async def _repeat(self, work: Callable[[], Awaitable[None]], at_once: asyncio.Event) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.layer.check_pause):
                    await at_once.wait()
            at_once.clear()
            try:
                await work()
            except db.Error as error:
                logger.warning("The log cannot be compared now: %s", error)
            except Exception:
                logger.exception("The watch over the feeds failed and goes on")

    async def _close_unused(self) -> None:
        self._close_stalled()
        await self._close_idle()

    def _close_stalled(self) -> None:
        for subscriber in list(self.subscribers):
            if subscriber.outbox.stalled_seconds() > self._max_stalled_seconds:
                subscriber.close(
                    CloseCode.TOO_SLOW, f"Nothing was read for {self._max_stalled_seconds:.0f} seconds"
                )

    async def _compare_numbers(self) -> None:
        """Find events without an announcement: a lost last one, or no common channel layer."""
        # Feeds that are opened meanwhile know newer heads than those read here.
        compared = dict(self._feeds)
        if not compared:
            return
        marks = self._marks(compared)
        heads = await in_database_thread(epochs.verified_heads, marks)
        # The announcements of the newest commits may still be in transit.
        await asyncio.sleep(REORDER_SECONDS)
        self._close_contradicted(marks, heads)
        for customer_id, opened in compared.items():
            head = heads.get(customer_id)
            if head is not None and self._feeds.get(customer_id) is opened:
                if head.last_seq > opened.feed.head:
                    self.layer.join_again(customer_id)
                opened.repair_to(head.last_seq)

    async def confirm(self, customer_ids: Iterable[str]) -> None:
        """Check now that these feeds' logs did not go backwards; closes those that did.

        The connections that request it while a check runs share the next one.
        """
        wanted = {each for each in customer_ids if each in self._feeds}
        self._unconfirmed |= wanted
        async with self._confirming:
            if wanted & self._unconfirmed:
                checked, self._unconfirmed = self._unconfirmed, set()
                marks = self._marks(checked)
                try:
                    heads = await until_database_answers(epochs.verified_heads, marks)
                except BaseException:
                    self._unconfirmed |= checked
                    raise
                self._close_contradicted(marks, heads)

    def _marks(self, customer_ids: Iterable[str]) -> dict[str, Mark]:
        return {each: self._feeds[each].feed.mark for each in customer_ids if each in self._feeds}

    def _close_contradicted(self, marks: Mapping[str, Mark], heads: Mapping[str, reader.Head]) -> None:
        """Close the feeds whose logs were replaced since the marks were taken."""
        for customer_id, mark in marks.items():
            opened, head = self._feeds.get(customer_id), heads.get(customer_id)
            if opened is None or opened.feed.epoch != mark.epoch:
                continue  # The feed was closed meanwhile.
            if head is None or head.epoch != mark.epoch:
                self._close_replaced(customer_id)
            else:
                opened.feed.verified(mark)

    async def _close_idle(self) -> None:
        """Close the feeds that have had no subscriber for `IDLE_SECONDS`."""
        now = asyncio.get_running_loop().time()
        for customer_id, opened in list(self._feeds.items()):
            # A subscriber whose replay runs is attached to no feed.
            if not opened.feed.is_idle or any(
                customer_id in subscriber.subscriptions for subscriber in self.subscribers
            ):
                opened.idle_since = None
            elif opened.idle_since is None:
                opened.idle_since = now
            elif now - opened.idle_since > IDLE_SECONDS:
                async with self._opening[customer_id]:
                    if opened.idle_since is not None and self._feeds.get(customer_id) is opened:
                        del self._feeds[customer_id]
                        opened.close()
                        self.layer.leave(customer_id)


def _by_view(subscribers: Iterable[Subscriber]) -> Iterable[list[Subscriber]]:
    """Group the subscribers with another view than the plain one by their views."""
    groups: dict[View, list[Subscriber]] = {}
    for each in subscribers:
        if each.view is not PLAIN:
            groups.setdefault(each.view, []).append(each)
    return groups.values()
