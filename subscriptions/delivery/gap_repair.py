"""Gap repair: an open feed, and the task that reads its missing entries from the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from django import db

from events.database.threads import in_database_thread
from events.domain.event import Entry
from events.log import reader
from subscriptions.delivery.feed import Feed
from subscriptions.delivery.subscriber import Subscriber

logger = logging.getLogger(__name__)

PAGE = 500
"""Entries in one read of the log: about 250 kB, a few milliseconds."""

REORDER_SECONDS = 0.02
"""How long a gap is left to announcements in transit, before the log is read for it."""

RETRY_FIRST_SECONDS = 0.1
RETRY_LONGEST_SECONDS = 2.0


class LogReplaced(Exception):
    """The feed's log was replaced, or pruned beyond its position: clients must reconnect."""


class OpenFeed:
    """One customer's feed while the hub follows it. Belongs to one event loop.

    `deliver` takes entries that were read from the log, in order. `on_replaced` is called with the customer's id if
    the log does not have the missing entries any more.
    """

    def __init__(
        self,
        feed: Feed[Subscriber],
        *,
        deliver: Callable[[OpenFeed, Sequence[Entry]], Awaitable[None]],
        on_replaced: Callable[[str], None],
    ) -> None:
        self.feed = feed
        self.idle_since: float | None = None
        self.late_since = 0.0
        self.moved = asyncio.Event()
        """Set when the feed's position has moved, or the feed was closed."""
        self._deliver = deliver
        self._on_replaced = on_replaced
        self._is_closed = False
        self._repair: asyncio.Task[None] | None = None

    async def reach(self, seq: int) -> None:
        """Wait until the feed has delivered up to number `seq`, which is in its log.

        Raises:
            LogReplaced: the feed was closed before.
        """
        self.repair_to(seq)
        await self.has_reached(seq)

    async def has_reached(self, seq: int) -> None:
        """Wait until the feed has delivered number `seq`, which its log may not have yet.

        Raises:
            LogReplaced: the feed was closed before.
        """
        while self.feed.position < seq:
            self.moved.clear()
            await self.moved.wait()
            if self._is_closed:
                raise LogReplaced(self.feed.customer_id)

    def repair_to(self, last_seq: int) -> None:
        """Read what is missing up to this number, which is in the log."""
        self.feed.raise_head(last_seq)
        self.repair_if_needed()

    def repair_if_needed(self) -> None:
        """Start to read the missing entries, unless the task runs already."""
        if self.feed.gap and (self._repair is None or self._repair.done()):
            loop = asyncio.get_running_loop()
            self.late_since = loop.time()
            self._repair = loop.create_task(self._read_missing())

    def close(self) -> asyncio.Task[None] | None:
        """End the repair; returns its task, `None` if there was none."""
        self._is_closed = True
        self.moved.set()
        if self._repair is not None and self._repair is not asyncio.current_task():
            self._repair.cancel()
        return self._repair

    async def _read_missing(self) -> None:
        """Read the missing entries in order; try again while the log cannot be read."""
        feed = self.feed
        pause = RETRY_FIRST_SECONDS
        await asyncio.sleep(REORDER_SECONDS)
        while gap := feed.gap:
            ready: list[Entry] = []
            try:
                entries = await in_database_thread(
                    reader.read, feed.customer_id, feed.epoch, after=gap.after, upto=gap.upto, limit=PAGE
                )
                ready = feed.offer(entries)
                if not ready and feed.gap == gap and await self._is_replaced():
                    self._on_replaced(feed.customer_id)
                    return
            except db.Error as error:
                logger.warning(
                    "Customer %s: events after %d cannot be read yet: %s", feed.customer_id, gap.after, error
                )
            if ready:
                pause = RETRY_FIRST_SECONDS
                await self._deliver(self, ready)
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_LONGEST_SECONDS)

    async def _is_replaced(self) -> bool:
        """Whether the log is another one, or was pruned beyond the feed's position."""
        head = (await in_database_thread(reader.heads, [self.feed.customer_id])).get(self.feed.customer_id)
        return head is None or head.epoch != self.feed.epoch or head.floor > self.feed.position
