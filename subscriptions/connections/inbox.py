"""The inbox of one connection: handles frames in order, and pings out of order in time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from subscriptions.protocol.messages import Ping

MAX_WAITING = 16
"""Frames that wait to be handled before the server stops reading from the client."""

RESUME_SECONDS = 0.02
"""How long no frame may have come before the server reads on: a server reads thousands of short frames at once."""

PING_WAITS_SECONDS = 1.0
"""How long a ping may wait behind other frames before it is answered out of order."""


class Inbox:
    """Frames that wait to be handled. Belongs to one event loop.

    `act` handles a frame, where `None` is a binary one. `ping_in` parses a frame that may be a ping, and `pong` answers
    it. `hold(True)` makes the server stop reading from the client, `hold(False)` lets it continue.
    """

    def __init__(
        self,
        *,
        act: Callable[[str | None], Awaitable[None]],
        ping_in: Callable[[str], Ping | None],
        pong: Callable[[Ping], None],
        hold: Callable[[bool], None],
    ) -> None:
        self._act = act
        self._ping_in = ping_in
        self._pong = pong
        self._hold = hold
        self._waiting: deque[str | None] = deque()
        self._moved = asyncio.Event()
        self._acting: asyncio.Task[None] | None = None
        self._is_held = False
        self._is_over = False
        self._is_closed = False

    async def put(self, text: str | None) -> None:
        """Take a frame; returns at once, unless too many wait: then the client has to wait too."""
        while len(self._waiting) >= MAX_WAITING and not self._is_closed:
            self._hold_reading()
            self._moved.clear()
            await self._moved.wait()
        if self._is_closed:
            return
        self._waiting.append(text)
        loop = asyncio.get_running_loop()
        if self._acting is None or self._acting.done():
            self._acting = loop.create_task(self._act_in_turn())
        elif text is not None and (ping := self._ping_in(text)):
            # Behind a subscribe that waits for the database or for its replay, the answer would be late, and the client
            # would consider the connection dead.
            loop.call_later(PING_WAITS_SECONDS, self._answer_out_of_turn, text, ping)

    def stop_reading(self) -> None:
        """Make the server read nothing more from the client."""
        self._is_over = True
        self._hold_reading()

    def close(self) -> None:
        """Handle no frame any more, and cancel the one that is being handled."""
        self._is_closed = True
        self._waiting.clear()
        self._moved.set()
        if self._acting is not None:
            self._acting.cancel()

    async def _act_in_turn(self) -> None:
        while self._waiting:
            text = self._waiting.popleft()
            self._moved.set()
            await self._act(text)
        if self._is_held:
            asyncio.get_running_loop().call_later(RESUME_SECONDS, self._resume_reading)

    def _hold_reading(self) -> None:
        if not self._is_held:
            self._is_held = True
            self._hold(True)

    def _resume_reading(self) -> None:
        """Read on, unless frames that the server had read before came meanwhile."""
        is_acting = self._acting is not None and not self._acting.done()
        if self._is_held and not is_acting and not self._is_over and not self._is_closed:
            self._is_held = False
            self._hold(False)

    def _answer_out_of_turn(self, text: str, ping: Ping) -> None:
        if text in self._waiting:
            self._waiting.remove(text)
            self._moved.set()
            self._pong(ping)
