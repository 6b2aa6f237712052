"""One socket's received frames: acted on one after the other, and pings answered though one of them takes long."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from subscriptions.protocol.messages import Ping

MAX_WAITING = 16
"""Frames of a client that wait to be acted on before nothing more is read from it."""

PING_WAITS_SECONDS = 1.0
"""How long a ping may wait for its turn behind other messages before it is answered out of turn."""


@dataclass(frozen=True, slots=True, eq=False)
class _Received:
    text: str | None


class Inbox:
    """Frames on their way from one socket. Belongs to one event loop.

    `act` acts on a frame (none is a binary one), `ping_in` finds the ping that a frame may be, `pong` answers it, and
    `hold` is called with whether the server is to read nothing more from the socket.
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
        self._waiting: deque[_Received] = deque()
        self._moved = asyncio.Event()
        self._acting: asyncio.Task[None] | None = None
        self._is_closed = False

    async def put(self, text: str | None) -> None:
        """Take a frame. Returns before it is acted on, unless too many wait: then its sender has to wait as well."""
        if len(self._waiting) >= MAX_WAITING and not self._is_closed:
            self._hold(True)
            while len(self._waiting) >= MAX_WAITING and not self._is_closed:
                self._moved.clear()
                await self._moved.wait()
            self._hold(False)
        if self._is_closed:
            return
        received = _Received(text)
        self._waiting.append(received)
        loop = asyncio.get_running_loop()
        if self._acting is None or self._acting.done():
            self._acting = loop.create_task(self._act_in_turn())
        elif text is not None and (ping := self._ping_in(text)):
            # Behind a subscribe that waits for the database, or for its turn to replay, it would wait as well, and the
            # client would take the connection for dead.
            loop.call_later(PING_WAITS_SECONDS, self._answer_out_of_turn, received, ping)

    def close(self) -> None:
        """Act on nothing any more, and break off what is under way."""
        self._is_closed = True
        self._waiting.clear()
        self._moved.set()
        if self._acting is not None:
            self._acting.cancel()

    async def _act_in_turn(self) -> None:
        while self._waiting:
            received = self._waiting.popleft()
            self._moved.set()
            await self._act(received.text)

    def _answer_out_of_turn(self, received: _Received, ping: Ping) -> None:
        if received in self._waiting:
            self._waiting.remove(received)
            self._moved.set()
            self._pong(ping)
