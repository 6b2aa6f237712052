"""The process's side of the channel layer: one membership a customer, numbers checked, each event to its sockets.

Whatever the layer loses shows as a gap in the numbers, and is read from the log. The hub belongs to one event loop.
"""

# Long because filling gaps, comparing numbers and delivering work on the same feeds, and are understood together.

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import Error as DatabaseTrouble

from events.announcements.announcement import MESSAGE_TYPE, read_announcement
from events.database.threads import in_database_thread, until_database_answers
from events.domain.cursor import Position, join_positions
from events.domain.event import Entry
from events.log import reader as log
from subscriptions.delivery.feed import Feed
from subscriptions.delivery.latency_histogram import Latencies
from subscriptions.delivery.layer_listener import TIMEOUT_SECONDS, LayerListener
from subscriptions.delivery.outbox import put_event
from subscriptions.delivery.subscriber import Subscriber
from subscriptions.protocol.effects import HeldTopic
from subscriptions.protocol.frames import text_frame
from subscriptions.protocol.messages import CloseCode

logger = logging.getLogger(__name__)

PAGE = 500
"""Entries in one read of the log: about 250 kB, a few milliseconds."""

REORDER_SECONDS = 0.02
"""How long a gap may be the mere crossing of two announcements on their way, before the log is read for it."""

IDLE_SECONDS = 30.0
"""How long a feed without listeners stays open, for those who come right back."""

RETRY_FIRST_SECONDS = 0.1
RETRY_LONGEST_SECONDS = 2.0
LAGGING_CHECK_SECONDS = 0.5
"""How often the log is asked while the channel layer is silent."""


class LogReplaced(Exception):
    """The log is not the one that the feed knew, or not all of it is kept: its listeners have to come back."""


class OpenFeed:
    """One customer's feed with what the hub keeps beside it."""

    def __init__(self, feed: Feed[Subscriber]) -> None:
        self.feed = feed
        self.idle_since: float | None = None
        self.repair: asyncio.Task[None] | None = None
        self.late_since = 0.0
        self.moved = asyncio.Event()


class Hub:
    """All feeds of one process.

    `check_seconds` is how often the numbers are compared with the log's: the longest that a lost last announcement of a
    burst, or an event from a process without a common layer, goes unnoticed. `max_stuck_seconds` is how long a socket
    may take nothing of what waits for it.
    `also_hears` are called for messages of these types, each sent to the group of the same name.
    """

    def __init__(
        self,
        *,
        check_seconds: float,
        max_stuck_seconds: float,
        also_hears: Mapping[str, Callable[[], None]] | None = None,
    ) -> None:
        self.gap_fills = 0
        self.deliveries = 0
        self.latencies = Latencies()
        self.listeners: set[Subscriber] = set()
        self._check_seconds = check_seconds
        self._max_stuck_seconds = max_stuck_seconds
        self._feeds: dict[str, OpenFeed] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._early: dict[str, list[tuple[str, list[Entry]]]] = {}
        others = also_hears or {}

        def tell(message: dict[str, Any]) -> None:
            others[message["type"]]()

        self._ear = LayerListener(
            {MESSAGE_TYPE: self._hear, **dict.fromkeys(others, tell)},
            groups=list(others),
            patience_seconds=2 * check_seconds + TIMEOUT_SECONDS,
        )
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen. Called in the event loop."""
        self._ear.start()
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """End all tasks."""
        tasks = [
            task for task in (self._watching, *(opened.repair for opened in self._feeds.values())) if task
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._ear.stop()

    @property
    def lagging(self) -> bool:
        """Whether the channel layer is silent and the log is read instead."""
        return self._ear.lagging

    @property
    def silence_seconds(self) -> float:
        """For how long the channel layer has not been heard; a little more than the check interval is usual."""
        return self._ear.silence_seconds

    @property
    def open_logs(self) -> int:
        """Customers whose logs are followed."""
        return len(self._feeds)

    @property
    def missing(self) -> tuple[int, float]:
        """Events that are known to be in the logs and have not come here yet, and for how many seconds the oldest."""
        now = asyncio.get_running_loop().time()
        events, seconds = 0, 0.0
        for opened in self._feeds.values():
            if gap := opened.feed.gap:
                events += gap[1] - gap[0]
                seconds = max(seconds, now - opened.late_since)
        return events, seconds

    # --- Listeners ---

    async def open(self, customer_ids: Iterable[str]) -> dict[str, Feed[Subscriber]]:
        """Make sure that these customers' feeds are open, and stay so for the next moments.

        One can be given up while another is opened: ask `are_open` before they are used.
        """
        feeds: dict[str, Feed[Subscriber]] = {}
        for customer_id in sorted(set(customer_ids)):
            async with self._opening.setdefault(customer_id, asyncio.Lock()):
                opened = self._feeds.get(customer_id) or await self._open(customer_id)
                opened.idle_since = None
                feeds[customer_id] = opened.feed
        return feeds

    def are_open(self, feeds: Mapping[str, Feed[Subscriber]]) -> bool:
        """Whether these very feeds are open now, none of them closed or replaced by one of another log."""
        return all(
            (opened := self._feeds.get(customer_id)) is not None and opened.feed is feed
            for customer_id, feed in feeds.items()
        )

    def feed(self, customer_id: str) -> Feed[Subscriber]:
        """An open feed."""
        return self._feeds[customer_id].feed

    def attach(self, listener: Subscriber, topics: Sequence[HeldTopic]) -> None:
        """Deliver what these topics cover from each feed's position on. The feeds must be open."""
        self.listeners.add(listener)
        for customer_id, patterns in listener.hold(topics).items():
            feed = self.feed(customer_id)
            starts = listener.hearings[customer_id].starts
            for pattern in patterns:
                starts.setdefault(pattern, feed.position)
            feed.attach(listener, patterns)

    def detach(self, listener: Subscriber, topics: Sequence[HeldTopic]) -> None:
        """End these topics."""
        for customer_id, patterns in listener.release(topics).items():
            if opened := self._feeds.get(customer_id):
                opened.feed.detach(listener, patterns)

    def leave(self, listener: Subscriber) -> None:
        """Forget the socket."""
        self.listeners.discard(listener)
        for customer_id, hearing in listener.hearings.items():
            if opened := self._feeds.get(customer_id):
                opened.feed.detach(listener, hearing.spellings)
        listener.hearings.clear()

    def cursor(self, listener: Subscriber) -> str:
        """Up to where all that the listener may hear has been put into its outbox; empty without topics.

        A log that was replaced is left out: its listeners are about to be closed.
        """
        return join_positions(
            Position(
                self.feed(customer_id).epoch,
                hearing.sent_to if hearing.replay else self.feed(customer_id).position,
            )
            for customer_id, hearing in sorted(listener.hearings.items())
            if customer_id in self._feeds
        )

    def behind(self, listener: Subscriber) -> int:
        """Events of the logs that the listener hears which have not been put into its outbox yet, as far as known."""
        return sum(
            max(0, opened.feed.head - (hearing.sent_to if hearing.replay else opened.feed.position))
            for customer_id, hearing in listener.hearings.items()
            if (opened := self._feeds.get(customer_id))
        )

    async def reach(self, customer_id: str, seq: int) -> None:
        """Wait until this feed has delivered up to number `seq`, which its log is known to have.

        Raises:
            LogReplaced: it never will.
        """
        opened = self._feeds[customer_id]
        opened.feed.note_head(seq)
        self._repair_if_needed(opened)
        while opened.feed.position < seq:
            opened.moved.clear()
            await opened.moved.wait()
            if self._feeds.get(customer_id) is not opened:
                raise LogReplaced(customer_id)

    # --- Numbers ---

    async def _open(self, customer_id: str) -> OpenFeed:
        # What arrives between joining the group and knowing the log's last number waits.
        early = self._early[customer_id] = []
        try:
            await self._ear.join(customer_id)
            head = await until_database_answers(log.open_log, customer_id)
        finally:
            del self._early[customer_id]
        opened = self._feeds[customer_id] = OpenFeed(Feed(customer_id, head.epoch, head.last_seq))
        for epoch, entries in early:
            # One of another log is from before what was just read, or the next comparison finds the new log.
            if epoch == head.epoch:
                self._take(customer_id, epoch, entries)
        return opened

    def _hear(self, message: dict[str, Any]) -> None:
        customer_id, epoch, entries, at = read_announcement(message)
        if (early := self._early.get(customer_id)) is not None:
            early.append((epoch, entries))
        elif customer_id in self._feeds:
            before = self.deliveries
            self._take(customer_id, epoch, entries)
            if (deliveries := self.deliveries - before) and at:
                # Behind the outboxes, whose turn to write was asked for just now.
                asyncio.get_running_loop().call_soon(self._note_latency, at, deliveries)

    def _note_latency(self, committed_at: float, deliveries: int) -> None:
        self.latencies.note(time.time() - committed_at, deliveries)

    def _take(self, customer_id: str, epoch: str, entries: Sequence[Entry]) -> None:
        opened = self._feeds[customer_id]
        if epoch != opened.feed.epoch:
            self._replaced(customer_id)
            return
        self._deliver(opened, opened.feed.offer(entries))
        self._repair_if_needed(opened)

    def _deliver(self, opened: OpenFeed, entries: Sequence[Entry]) -> None:
        feed = opened.feed
        opened.moved.set()
        for entry in entries:
            for topic, listeners in feed.receivers(entry):
                frame = text_frame(entry.frame(topic))
                self.deliveries += len(listeners)
                put_event([listener.outbox for listener in listeners], frame, is_alone=len(entries) == 1)

    def _repair_if_needed(self, opened: OpenFeed) -> None:
        if opened.feed.gap and (opened.repair is None or opened.repair.done()):
            opened.late_since = asyncio.get_running_loop().time()
            opened.repair = asyncio.get_running_loop().create_task(self._repair(opened))

    async def _repair(self, opened: OpenFeed) -> None:
        """Read what is missing, in order, for as long as it takes."""
        feed = opened.feed
        pause = RETRY_FIRST_SECONDS
        await asyncio.sleep(REORDER_SECONDS)
        while (gap := feed.gap) and self._feeds.get(feed.customer_id) is opened:
            after, upto = gap
            try:
                entries = await in_database_thread(
                    log.read, feed.customer_id, feed.epoch, after=after, upto=upto, limit=PAGE
                )
                ready = feed.offer(entries)
                if not ready and feed.gap == gap:
                    await self._explain_gap(opened)
            except DatabaseTrouble as error:
                logger.warning(
                    "Customer %s: events after %d cannot be read yet: %s", feed.customer_id, after, error
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_LONGEST_SECONDS)
                continue
            if ready:
                self.gap_fills += 1
                pause = RETRY_FIRST_SECONDS
                before = self.deliveries
                self._deliver(opened, ready)
                await self._note_late(feed, ready, self.deliveries - before)
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_LONGEST_SECONDS)

    async def _note_late(self, feed: Feed[Subscriber], ready: Sequence[Entry], deliveries: int) -> None:
        """Those of a filled gap by the oldest of them."""
        if deliveries:
            with contextlib.suppress(DatabaseTrouble):
                at = await in_database_thread(log.stored_at, feed.customer_id, ready[0].seq)
                if at is not None:
                    self._note_latency(at, deliveries)

    async def _explain_gap(self, opened: OpenFeed) -> None:
        """The log does not have what is missing: it was pruned or replaced, and whoever waits for it must be told."""
        feed = opened.feed
        head = (await in_database_thread(log.heads, [feed.customer_id])).get(feed.customer_id)
        if head is None or head.epoch != feed.epoch or head.floor > feed.position:
            self._replaced(feed.customer_id)

    def _replaced(self, customer_id: str) -> None:
        """Events can be missing here that cannot be had any more: let everybody come back and be told so."""
        opened = self._feeds.pop(customer_id, None)
        if opened is None:
            return
        opened.moved.set()
        logger.warning(
            "The log of customer %s was replaced or pruned: its clients have to come back", customer_id
        )
        for listener in list(self.listeners):
            if customer_id in listener.hearings:
                listener.close(
                    CloseCode.RESTARTING, "The event log was replaced: connect again with your cursor"
                )
        if opened.repair is not None and opened.repair is not asyncio.current_task():
            opened.repair.cancel()

    # --- Watching ---

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(
                min(LAGGING_CHECK_SECONDS, self._check_seconds) if self.lagging else self._check_seconds
            )
            try:
                self._close_stuck()
                await self._compare_numbers()
                await self._ear.check()
                for customer_id in list(self._feeds):
                    await self._ear.join(customer_id)
                    if not self._ear.hears(customer_id):
                        break  # The next one would only wait for the same time-out, and the numbers for all of them.
                await self._close_idle()
            except DatabaseTrouble as error:
                logger.warning("The log cannot be compared now: %s", error)
            except Exception:
                logger.exception("The watch over the feeds failed and goes on")

    def _close_stuck(self) -> None:
        for listener in list(self.listeners):
            if listener.outbox.stuck_for() > self._max_stuck_seconds:
                listener.close(
                    CloseCode.TOO_SLOW, f"Nothing was read for {self._max_stuck_seconds:.0f} seconds"
                )

    async def _compare_numbers(self) -> None:
        """Find what no announcement told of: lost last ones, and events of processes without a common layer."""
        # Those that are opened meanwhile know more than this reading does.
        compared = dict(self._feeds)
        if not compared:
            return
        heads = await in_database_thread(log.heads, list(compared))
        # Announcements of the newest commits are on their way: not everything that is ahead of us is missing.
        await asyncio.sleep(REORDER_SECONDS)
        for customer_id, opened in compared.items():
            if self._feeds.get(customer_id) is not opened:
                continue
            head = heads.get(customer_id)
            if head is None or head.epoch != opened.feed.epoch:
                self._replaced(customer_id)
            else:
                opened.feed.note_head(head.last_seq)
                self._repair_if_needed(opened)

    async def _close_idle(self) -> None:
        """Leave the groups of customers whom nobody has listened to for a while."""
        now = asyncio.get_running_loop().time()
        for customer_id, opened in list(self._feeds.items()):
            # A listener whose replay runs is on no feed, and listens all the same.
            if not opened.feed.is_idle or any(
                customer_id in listener.hearings for listener in self.listeners
            ):
                opened.idle_since = None
            elif opened.idle_since is None:
                opened.idle_since = now
            elif now - opened.idle_since > IDLE_SECONDS:
                async with self._opening[customer_id]:
                    if opened.idle_since is not None and self._feeds.get(customer_id) is opened:
                        del self._feeds[customer_id]
                        await self._ear.leave(customer_id)
