"""The summaries that a process sends: on subscribing, and with each change.

There is at most one a second of each queue. They are neither stored nor replayed. A process folds the log of a customer
while it has a subscriber to a summary; the path of events is the same with and without.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from events.database.threads import until_database_answers
from events.reading.summaries import PROFILE_SECONDS, brought_up_to_date, refresh, summaries
from events.summary.customer_summary import Summary
from subscriptions.delivery.gap_repair import LogReplaced
from subscriptions.delivery.hub import IDLE_SECONDS, Hub
from subscriptions.delivery.subscriber import Subscriber, View
from subscriptions.delivery.summary_frames import (
    WantedSummary,
    comparable,
    figures_of,
    summary_frame,
    wanted_summaries,
)
from subscriptions.protocol.effects import HeldTopic
from subscriptions.protocol.permissions import SummaryAccess

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
"""The shortest time between two frames of a queue."""

REPLAY_PAUSE_SECONDS = 0.1
"""How soon a subscriber whose replay runs, or whose log was replaced, is looked at again."""

ENTRIES_AT_ONCE = 100
"""Entries that are folded, in about two milliseconds, before the event loop can do other work."""


@dataclass(slots=True)
class _Followed:
    """A customer with subscribers to summaries; `sent` are the figures of the last frames."""

    customer_id: str
    subscribers: dict[Subscriber, dict[str, HeldTopic]] = field(default_factory=dict)
    waiting: set[Subscriber] = field(default_factory=set)
    summary: Summary | None = None
    sent: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    sent_at: float = 0.0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class SummarySender:
    """The summaries that one process sends. Belongs to one event loop."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._followed: dict[str, _Followed] = {}

    def attach(self, subscriber: Subscriber, topics: Iterable[HeldTopic]) -> None:
        """Send the summaries of these topics, whose feeds are open, now and with each change."""
        for topic in topics:
            if topic.summary is SummaryAccess.NONE:
                continue
            followed = self._followed.get(topic.customer_id)
            if followed is None:
                followed = self._followed[topic.customer_id] = _Followed(topic.customer_id)
                followed.task = asyncio.get_running_loop().create_task(self._follow(followed))
            followed.subscribers.setdefault(subscriber, {})[topic.text] = topic
            followed.waiting.add(subscriber)
            followed.wake.set()

    def detach(self, subscriber: Subscriber, topics: Iterable[HeldTopic]) -> None:
        """End the summaries of these topics."""
        for topic in topics:
            followed = self._followed.get(topic.customer_id)
            held = followed.subscribers.get(subscriber) if followed else None
            if followed and held and held.pop(topic.text, None) and not held:
                del followed.subscribers[subscriber]
                followed.waiting.discard(subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """End all summaries of this subscriber."""
        for followed in self._followed.values():
            followed.subscribers.pop(subscriber, None)
            followed.waiting.discard(subscriber)

    async def stop(self) -> None:
        """End all tasks."""
        tasks = [each.task for each in self._followed.values() if each.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, followed: _Followed) -> None:
        try:
            while await self._has_subscribers(followed):
                followed.wake.clear()
                try:
                    summary = await self._catch_up(followed)
                    self._send(followed, summary)
                    await self._pause(followed, summary)
                except LogReplaced:
                    # Its clients reconnect, and the first may be here already.
                    followed.summary = None
                    await asyncio.sleep(REPLAY_PAUSE_SECONDS)
                except Exception:
                    logger.exception("The summaries of customer %s are built anew", followed.customer_id)
                    followed.summary = None
                    await asyncio.sleep(PAUSE_SECONDS)
        finally:
            if self._followed.get(followed.customer_id) is followed:
                del self._followed[followed.customer_id]

    async def _has_subscribers(self, followed: _Followed) -> bool:
        """Wait for a subscriber, for as long as a feed without one stays open."""
        if not followed.subscribers:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await followed.wake.wait()
        return bool(followed.subscribers)

    async def _catch_up(self, followed: _Followed) -> Summary:
        """Return the summary at the feed's position.

        Nothing may be awaited between this and the frames.

        Raises:
            LogReplaced: the feed was closed.
        """
        customer_id = followed.customer_id
        summary = followed.summary
        if summary is None:
            # Mostly the page has just read it.
            summary = await until_database_answers(summaries.read, customer_id, copy.deepcopy)
        elif (
            time.monotonic() - summary.profile_read_at > PROFILE_SECONDS
            and not await until_database_answers(refresh, summary)
        ):
            summary = await until_database_answers(summaries.read, customer_id, copy.deepcopy)
        while True:
            followed.summary = summary
            feed = self._hub.open_feed(customer_id)
            if summary.epoch != feed.epoch:
                raise LogReplaced(customer_id)
            if summary.seq == feed.position:
                return summary
            if summary.seq > feed.position:
                await self._hub.reach(customer_id, summary.seq)
            elif (tail := feed.tail_after(summary.seq)) is None:
                summary = await until_database_answers(brought_up_to_date, summary)
            else:
                summary.take(tail[:ENTRIES_AT_ONCE])
                if len(tail) > ENTRIES_AT_ONCE:
                    await asyncio.sleep(0)

    async def _pause(self, followed: _Followed, summary: Summary) -> None:
        """Wait for the next subscriber, or for the next change after the pause."""
        loop = asyncio.get_running_loop()
        if followed.waiting:
            await asyncio.sleep(REPLAY_PAUSE_SECONDS)
            return
        if (left := followed.sent_at + PAUSE_SECONDS - loop.time()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await followed.wake.wait()
            if followed.wake.is_set():
                return
        changes = [
            loop.create_task(self._hub.next_after(followed.customer_id, summary.seq)),
            loop.create_task(followed.wake.wait()),
        ]
        try:
            # With the next bucket, or other targets, figures change without an event.
            done, _ = await asyncio.wait(
                changes, timeout=PROFILE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            for task in changes:
                task.cancel()

    def _send(self, followed: _Followed, summary: Summary) -> None:
        """Send the figures to new subscribers; those that have changed to all, if it is time."""
        loop_time, now = asyncio.get_running_loop().time(), time.time()
        is_due = loop_time - followed.sent_at >= PAUSE_SECONDS
        ready = {each for each in followed.waiting if each.subscriptions[followed.customer_id].replay is None}
        followed.waiting -= ready
        receivers = list(followed.subscribers) if is_due else ready
        figures: dict[str, Mapping[str, Any]] = {}
        frames: dict[tuple[WantedSummary, View], bytes] = {}
        changed: dict[str, bool] = {}
        for subscriber in receivers:
            if subscriber in followed.waiting:
                continue
            for wanted in wanted_summaries(followed.subscribers[subscriber].values(), summary):
                name = wanted.name
                if name not in figures:
                    figures[name] = figures_of(summary, name, now)
                    changed[name] = comparable(figures[name]) != followed.sent.get(name)
                if subscriber not in ready and not changed[name]:
                    continue
                key = (wanted, subscriber.view)
                if key not in frames:
                    frames[key] = summary_frame(summary, wanted, figures[name], now, subscriber.view)
                subscriber.outbox.put_answer(frames[key])
        if is_due:
            followed.sent_at = loop_time if any(changed.values()) else followed.sent_at
            followed.sent = {name: comparable(each) for name, each in figures.items()}
