"""Resuming after a break: whether all after a cursor can still be had, and sending it in order before what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from events.database.threads import until_database_answers
from events.domain.cursor import number_in
from events.domain.event import Entry
from events.log import reader as log
from subscriptions.delivery.feed import Feed, Replay
from subscriptions.delivery.hub import PAGE, Hub
from subscriptions.delivery.outbox import OutboxClosed
from subscriptions.delivery.subscriber import CustomerSubscription, Subscriber
from subscriptions.protocol.effects import HeldTopic
from subscriptions.protocol.frames import text_frame


class LogPruned(Exception):
    """What was to be replayed has been pruned meanwhile."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """Where each customer's replay begins; or none of them, with the reason to tell the client."""

    starts: Mapping[str, int]
    reason: str | None = None


class Replayer:
    """Replays for the sockets of one hub; `max_events` are the most of one, `at_once` run at a time."""

    def __init__(self, hub: Hub, *, max_events: int, at_once: int) -> None:
        self.replays = 0
        self.deliveries = 0
        self._hub = hub
        self._max_events = max_events
        self._turns = asyncio.Semaphore(at_once)

    async def recovery(self, feeds: Mapping[str, Feed[Subscriber]], since: Mapping[str, int]) -> Recovery:
        """Decide whether all of these feeds' events after the cursor `since` (numbers by epoch) can be replayed."""
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
        heads = await until_database_answers(log.heads, unsure) if unsure else {}
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
        """Take the subscriber off these customers' feeds and note what it has to be sent: no await between this and the
        acknowledgement, so that nothing falls between the two."""
        hub = self._hub
        hub.listeners.add(subscriber)
        for customer_id, patterns in subscriber.hold(topics).items():
            hearing = subscriber.hearings[customer_id]
            start = starts[customer_id]
            feed = hub.feed(customer_id)
            hearing.replay = Replay(hearing.starts, dict.fromkeys(patterns, start), feed.position)
            # Never past what patterns held before still have to be sent.
            hearing.sent_to = min(start, feed.position) if hearing.starts else start
            feed.detach(subscriber, hearing.starts)

    async def run(self, subscriber: Subscriber) -> None:
        """Carry out all replays that were begun.

        Raises:
            OutboxClosed: the socket went away meanwhile.
            LogReplaced: the feed that was to be joined is gone.
            LogPruned: not all of it can be had any more.
        """
        for customer_id, hearing in list(subscriber.hearings.items()):
            if hearing.replay is not None:
                if subscriber.hearings.get(customer_id) is not hearing:
                    raise OutboxClosed  # While another customer's replay ran.
                self.replays += 1
                await self._catch_up(subscriber, customer_id, hearing, hearing.replay)

    async def _catch_up(
        self, subscriber: Subscriber, customer_id: str, hearing: CustomerSubscription, replay: Replay
    ) -> None:
        """Send page after page until what is left is in memory; send that and go live in one go."""
        feed = self._hub.feed(customer_id)
        await self._hub.reach(customer_id, replay.begins_at)
        read_to = min(replay.begins_at, replay.position)
        while True:
            # Room for a page or the tail: both are far smaller than the rest of an outbox.
            await subscriber.outbox.room()
            if subscriber.hearings.get(customer_id) is not hearing:
                raise OutboxClosed  # It was told to close meanwhile, and left the hub.
            if (tail := feed.tail_after(read_to)) is not None:
                break
            # A turn is for one page: a client that reads slowly must not hold up the others' replays.
            async with self._turns:
                page = await until_database_answers(
                    log.read, customer_id, feed.epoch, after=read_to, upto=feed.position, limit=PAGE
                )
            if not page or page[-1].seq != read_to + len(page):
                raise LogPruned(customer_id)
            self.deliveries += _send(subscriber, replay, page)
            read_to = page[-1].seq
            hearing.sent_to = max(hearing.sent_to, read_to)
        self.deliveries += _send(subscriber, replay, tail)
        hearing.starts = replay.starts
        hearing.replay = None
        feed.attach(subscriber, replay.starts)


def _send(subscriber: Subscriber, replay: Replay, entries: Sequence[Entry]) -> int:
    sent = 0
    for entry in entries:
        if topic := replay.topic(entry):
            subscriber.outbox.put_event(text_frame(entry.frame(topic)))
            sent += 1
    return sent
