"""What was received and not yet taken: bounded, so that a slow caller slows the server and does not fill the memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

from voipbin_ws_client.conversation import Entry
from voipbin_ws_client.updates import Item


class Inbox:
    """A queue of entries with room for `limit` items. Belongs to one event loop, has one reader and one writer.

    `must_go_on` says whether to take more than that for now: while somebody waits for an answer, which comes behind
    what is waiting.
    """

    def __init__(
        self, limit: int, may_exceed_limit: Callable[[], bool], positions: Mapping[str, int]
    ) -> None:
        self.is_full = False
        self.positions: dict[str, int] = dict(positions)
        """Up to where the reader has taken everything."""
        self._limit = limit
        self._may_exceed_limit = may_exceed_limit
        self._entries: deque[Entry] = deque()
        self._items = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._end: BaseException | None = None

    async def put(self, entry: Entry) -> None:
        """Add an entry, as soon as there is room for it."""
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
        """What `must_go_on` says may have changed."""
        self._room.set()

    async def take(self) -> Item:
        """The next item.

        Raises:
            the exception that `end` was given, when nothing is left.
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
        """Nothing will come any more; the reader gets what is left, and then this."""
        if self._end is None:
            self._end = error
        self._arrived.set()

    def discard(self) -> None:
        """Forget what was not taken; the positions do not have it."""
        self._entries.clear()
        self._items = 0
        self._room.set()

    def _next(self) -> Item | None:
        """Take the next item, and the positions behind it that need no reader."""
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
