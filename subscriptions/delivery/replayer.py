"""The replay of events after a cursor, in order and before live events."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from events.database.threads import until_database_answers
from events.domain.cursor import number_in
from events.domain.event import Entry
from events.log import reader
from subscriptions.delivery.feed import Feed
from subscriptions.delivery.gap_repair import PAGE
from subscriptions.delivery.hub import Hub
from subscriptions.delivery.outbox import OutboxClosed
from subscriptions.delivery.replay import Replay
from subscriptions.delivery.subscriber import CustomerSubscription, Subscriber
from subscriptions.protocol.effects import HeldTopic


class LogPruned(Exception):
    """Entries that were to be replayed have been pruned."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """The number after which each customer's replay begins; or the reason why none can."""

    starts: Mapping[str, int]
    reason: str | None = None


class Replayer:
    """The replays of one hub: at most `max_events` each, and `at_once` reading the log."""

    def __init__(self, hub: Hub, *, max_events: int, at_once: int) -> None:
        self.replays = 0
        self.deliveries = 0
        self._hub = hub
        self._max_events = max_events
        self._turns = asyncio.Semaphore(at_once)

    async def recovery(self, feeds: Mapping[str, Feed[Subscriber]], since: Mapping[str, int]) -> Recovery:
        """Decide whether the feeds' events after `since`, numbers by epoch, can be replayed."""
        # Numbers that were given anew after a failover would be taken for those before it.
        await self._hub.confirm(feeds)
        starts: dict[str, int] = {}
        unsure: list[str] = []
        for customer_id, feed in feeds.items():
            start = number_in(since, feed.epoch)
            if start is None:
                return Recovery(
                    {}, "the cursor is of another log: the log was replaced, or it is another customer's"
                )
            starts[customer_id] = start
            if start > feed.position or feed.tail_after(start) is None:
                unsure.append(customer_id)
        heads = await until_database_answers(reader.heads, unsure) if unsure else {}
        for customer_id in unsure:
            feed, start, head = feeds[customer_id], starts[customer_id], heads.get(customer_id)
            if head is None or head.epoch != feed.epoch or start > head.last_seq:
                return Recovery({}, "the cursor is of another log: it is ahead of this one")
            if start < head.floor:
                return Recovery({}, "the cursor is older than what is kept")
            if head.last_seq - start > self._max_events:
                return Recovery(
                    {}, f"the cursor is too far behind: more than {self._max_events} events were missed"
                )
        return Recovery(starts)

    def begin(self, subscriber: Subscriber, topics: Sequence[HeldTopic], starts: Mapping[str, int]) -> None:
        """Detach the subscriber from these customers' feeds and prepare its replays.

        Nothing may be awaited between this and the acknowledgement: an event between the two would be lost.
        """
        hub = self._hub
        hub.subscribers.add(subscriber)
        filters_before = {each: dict(held.filters) for each, held in subscriber.subscriptions.items()}
        for customer_id, patterns in subscriber.hold(topics).items():
            subscription = subscriber.subscriptions[customer_id]
            start = starts[customer_id]
            feed = hub.feed(customer_id)
            subscription.replay = Replay(
                subscription.starts,
                dict.fromkeys(patterns, start),
                feed.position,
                filters_before.get(customer_id, {}),
                subscription.filters,
            )
            # Not beyond events that patterns held before have not received.
            subscription.sent_to = min(start, feed.position) if subscription.starts else start
            feed.detach(subscriber, subscription.starts)

    async def run(self, subscriber: Subscriber) -> None:
        """Run all replays that were begun.

        Raises:
            OutboxClosed: the connection was closed meanwhile.
            LogReplaced: the feed to attach to was closed.
            LogPruned: entries to replay were pruned meanwhile.
        """
        for customer_id, subscription in list(subscriber.subscriptions.items()):
            if subscription.replay is not None:
                if subscriber.subscriptions.get(customer_id) is not subscription:
                    raise OutboxClosed  # While another customer's replay ran.
                self.replays += 1
                await self._catch_up(subscriber, customer_id, subscription, subscription.replay)

    async def _catch_up(
        self, subscriber: Subscriber, customer_id: str, subscription: CustomerSubscription, replay: Replay
    ) -> None:
        """Send page after page until the rest is in memory; send that and go live at once."""
        feed = self._hub.feed(customer_id)
        await self._hub.reach(customer_id, replay.begins_at)
        read_to = min(replay.begins_at, replay.position)
        while True:
            # Enough room for a page or the tail: both are far smaller than the rest of an outbox.
            await subscriber.outbox.room()
            if subscriber.subscriptions.get(customer_id) is not subscription:
                raise OutboxClosed  # The connection began to close, and left the hub.
            if (tail := feed.tail_after(read_to)) is not None:
                break
            # A turn is one page: a client that reads slowly must not delay the replays of others.
            async with self._turns:
                page = await until_database_answers(
                    reader.read, customer_id, feed.epoch, after=read_to, upto=feed.position, limit=PAGE
                )
            if not page or page[-1].seq != read_to + len(page):
                raise LogPruned(customer_id)
            self.deliveries += _send(subscriber, replay, page)
            read_to = page[-1].seq
            subscription.sent_to = max(subscription.sent_to, read_to)
        self.deliveries += _send(subscriber, replay, tail)
        subscription.starts = replay.starts
        subscription.replay = None
        feed.attach(subscriber, replay.starts, subscription.filters)


def _send(subscriber: Subscriber, replay: Replay, entries: Sequence[Entry]) -> int:
    sent = 0
    for entry in entries:
        if receipt := replay.receipt(entry):
            subscriber.outbox.put_event(subscriber.frame(entry, *receipt))
            sent += 1
    return sent
