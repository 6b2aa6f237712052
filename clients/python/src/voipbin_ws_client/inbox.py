"""The bounded queue between connection and application."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

from voipbin_ws_client.conversation import Entry
from voipbin_ws_client.updates import Item


class Inbox:
    """A queue of entries with room for `limit` items: a slow reader stops the writer.

    There is one reader and one writer, in one event loop.
    `may_exceed_limit` returns whether to accept more items for now: the answer to a pending request comes behind them.
    """

    def __init__(
        self, limit: int, may_exceed_limit: Callable[[], bool], positions: Mapping[str, int]
    ) -> None:
        self.is_full = False
        self.positions: dict[str, int] = dict(positions)
        """The positions up to which the reader has taken every item."""
        self._limit = limit
        self._may_exceed_limit = may_exceed_limit
        self._entries: deque[Entry] = deque()
        self._items = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._end: BaseException | None = None

    async def put(self, entry: Entry) -> None:
        """Add an entry once there is room for it."""
        while entry.item is not None and self._items >= self._limit and not self._may_exceed_limit():
            self.is_full = True
            self._room.clear()
            try:
                await self._room.wait()
            finally:
                self.is_full = False
        if entry.item is None and not self._entries:
            self._advance(entry)
            return
        self._items += entry.item is not None
        self._entries.append(entry)
        self._arrived.set()

    def recheck_limit(self) -> None:
        """Make a waiting `put` call `may_exceed_limit` again."""
        self._room.set()

    async def take(self) -> Item:
        """Return the next item.

        Raises:
            BaseException: the one given to `end`, once no item is left.
        """
        while (item := self._next()) is None:
            if self._end is not None:
                raise self._end
            self._arrived.clear()
            await self._arrived.wait()
        self._items -= 1
        self._room.set()
        return item

    def end(self, error: BaseException) -> None:
        """Accept no other entry; the reader gets the remaining items and then `error`."""
        if self._end is None:
            self._end = error
        self._arrived.set()

    def discard(self) -> None:
        """Discard the remaining items; `positions` stays before them."""
        self._entries.clear()
        self._items = 0
        self._room.set()

    def _next(self) -> Item | None:
        """Remove the next item, and the entries without item behind it; `None` if it is empty."""
        item: Item | None = None
        while self._entries and (item is None or self._entries[0].item is None):
            entry = self._entries.popleft()
            item = item or entry.item
            self._advance(entry)
        return item

    def _advance(self, entry: Entry) -> None:
        if entry.complete:
            self.positions.clear()
        self.positions.update(entry.positions)
