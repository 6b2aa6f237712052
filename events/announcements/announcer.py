"""The announcer: sends committed events to the other processes through the channel layer.

The layer may lose messages; receivers find the gap by the numbers in the log. So announcing never fails a publisher:
failures are counted and logged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer

from events.announcements.announcement import announcements, group_of
from events.counters import stored_events
from events.domain.event import Entry

logger = logging.getLogger(__name__)

SEND_TIMEOUT_SECONDS = 2.0
SILENT_SECONDS = 1.0
"""How long nothing is sent after a failure: each message would wait for a failure of its own."""

MAX_WAITING = 10_000
"""The most messages that wait for a slow layer; receivers read the events of others from the log."""


class Announcer:
    """Sends messages to groups of processes, in the order of the calls.

    In a server process one task of the event loop with the layer's connections sends them, and the caller does not
    wait. In other processes (commands) they are sent before the call returns.
    """

    def __init__(self) -> None:
        self.failures = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._failing = False
        self._silent_until = 0.0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send from this event loop from now on."""
        self._loop = loop

    def detach(self) -> None:
        """Send in the calling thread again."""
        self._loop = None

    def announce(self, customer_id: str, epoch: str, entries: Sequence[Entry]) -> None:
        """Announce committed entries. Called from any thread; never raises."""
        stored_events.add(count=len(entries))
        group = group_of(customer_id)
        self._dispatch([(group, message) for message in announcements(customer_id, epoch, entries)])

    def send(self, group: str, message: dict[str, Any]) -> None:
        """Send another message to a group of processes. Called from any thread; never raises."""
        self._dispatch([(group, message)])

    def _dispatch(self, messages: list[tuple[str, dict[str, Any]]]) -> None:
        loop = self._loop
        try:
            if loop is not None:
                loop.call_soon_threadsafe(self._enqueue, messages)
            elif not isinstance(get_channel_layer(), InMemoryChannelLayer):
                async_to_sync(self._send_all)(messages)
        except Exception as error:
            # The events are stored: a failure of the layer must not fail the publisher.
            self._failed(error, len(messages))

    def _enqueue(self, messages: list[tuple[str, dict[str, Any]]]) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._failed(OverflowError("the channel layer is slow"), len(messages))
            return
        self._waiting.extend(messages)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send_waiting())

    async def _send_waiting(self) -> None:
        while self._waiting:
            await self._send_all([self._waiting.popleft()])

    async def _send_all(self, messages: list[tuple[str, dict[str, Any]]]) -> None:
        layer = get_channel_layer()
        for group, message in messages:
            if time.monotonic() < self._silent_until:
                self.failures += 1
                continue
            try:
                async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                    await layer.group_send(group, message)
            except Exception as error:
                self._failed(error, 1)
            else:
                self._worked()

    def _failed(self, error: BaseException, count: int) -> None:
        self.failures += count
        self._silent_until = time.monotonic() + SILENT_SECONDS
        if not self._failing:
            self._failing = True
            logger.warning(
                "The channel layer does not take announcements (%s: %s); subscribers get their events from the log",
                type(error).__name__,
                error,
            )

    def _worked(self) -> None:
        if self._failing:
            self._failing = False
            logger.info("The channel layer takes announcements again (%d were lost in all)", self.failures)


announcer = Announcer()
"""The announcer of this process."""
