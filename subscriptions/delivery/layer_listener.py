"""The process's channel on the channel layer, its groups, and whether messages arrive.

The layer can fall silent without an error: a half-open connection, a stopped Redis, a queue that overflowed. Therefore
the process sends itself a canary; while the canary is late, the absence of announcements means nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import get_channel_layer

from events.announcements.announcement import MESSAGE_TYPE, group_of

logger = logging.getLogger(__name__)

ACCESS_CHANGED = "access.changed"
"""The type of the message that permissions changed, and the group of all processes to which it is sent."""

CANARY_TYPE = "hub.canary"
STOP_AGAIN_SECONDS = 0.2
TIMEOUT_SECONDS = 2.0
RETRY_SECONDS = 1.0

RESET_SECONDS = 10.0
"""After this much silence the connections are considered dead and replaced."""


class LayerListener:
    """Receives the layer's messages for one event loop.

    `on_announcement` takes announcements of events, `on_access_changed` is called for each announced change of
    permissions. `patience_seconds` is how old the last canary may be.
    """

    def __init__(
        self,
        *,
        on_announcement: Callable[[dict[str, Any]], None],
        on_access_changed: Callable[[], None],
        patience_seconds: float,
    ) -> None:
        self.is_silent = False
        self._on_announcement = on_announcement
        self._on_access_changed = on_access_changed
        self._patience_seconds = patience_seconds
        self._channel = ""
        self._groups: set[str] = set()
        self._canary_at = 0.0
        self._reset_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to receive messages. Called in the event loop."""
        self._canary_at = self._reset_at = asyncio.get_running_loop().time()
        self._task = asyncio.get_running_loop().create_task(self._receive_forever())

    async def stop(self) -> None:
        """Stop receiving messages."""
        if self._task is not None:
            # A library that is connecting may swallow the cancellation, and receive on.
            while not self._task.done():
                self._task.cancel()
                await asyncio.wait([self._task], timeout=STOP_AGAIN_SECONDS)

    @property
    def silence_seconds(self) -> float:
        """Seconds since the last canary arrived; a little more than the interval is usual."""
        return asyncio.get_running_loop().time() - self._canary_at

    def is_joined(self, customer_id: str) -> bool:
        """Whether the customer's group is joined."""
        return customer_id in self._groups

    async def join(self, customer_id: str) -> None:
        """Join the customer's group, if the layer answers now; see `is_joined`."""
        if not self._channel or self.is_silent or customer_id in self._groups:
            return
        channel = self._channel
        error = await _error_of(get_channel_layer().group_add(group_of(customer_id), channel))
        if error is not None:
            logger.warning("Cannot join the group of customer %s (%s): reading its log", customer_id, error)
        elif channel == self._channel:  # Else the connections were replaced meanwhile.
            self._groups.add(customer_id)

    async def leave(self, customer_id: str) -> None:
        """Leave the customer's group."""
        self._groups.discard(customer_id)
        error = await _error_of(get_channel_layer().group_discard(group_of(customer_id), self._channel))
        if error is not None:
            logger.debug("Cannot leave the group of customer %s: %s", customer_id, error)

    async def check(self) -> None:
        """Update `is_silent` by the last canary, and send the next one."""
        now = asyncio.get_running_loop().time()
        is_silent = now - self._canary_at > self._patience_seconds
        if is_silent != self.is_silent:
            self.is_silent = is_silent
            if is_silent:
                logger.warning("The channel layer is silent: the log is read instead")
            else:
                logger.info("The channel layer is heard again")
        if is_silent and now - max(self._canary_at, self._reset_at) > RESET_SECONDS:
            self._reset_at = now
            await self._reset()
        if self._channel:
            error = await _error_of(get_channel_layer().send(self._channel, {"type": CANARY_TYPE}))
            if error is not None:
                logger.debug("The canary cannot be sent: %s", error)

    async def _reset(self) -> None:
        """Replace the connections: on one that the other side dropped, no call ever fails."""
        logger.warning("The channel layer stays silent: connecting to it anew")
        await self.stop()
        self._channel = ""
        self._groups.clear()
        error = await _error_of(get_channel_layer().flush())
        if error is not None:
            logger.debug("The old connections to the channel layer do not close: %s", error)
        self._task = asyncio.get_running_loop().create_task(self._receive_forever())

    async def _receive_forever(self) -> None:
        layer = get_channel_layer()
        while True:
            try:
                if not self._channel:
                    self._channel = await self._new_channel()
                message = await layer.receive(self._channel)
            except Exception as error:
                logger.warning("The channel layer cannot be heard, trying again: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            try:
                self._dispatch(message)
            except Exception:
                # The process must not stop receiving; the log has the events of a bad announcement.
                logger.exception("A message of the channel layer could not be read")
            # Messages that wait already are received without a pause: let outboxes write between them.
            await asyncio.sleep(0)

    async def _new_channel(self) -> str:
        layer = get_channel_layer()
        channel: str = await layer.new_channel()
        await layer.group_add(ACCESS_CHANGED, channel)
        return channel

    def _dispatch(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == MESSAGE_TYPE:
            self._on_announcement(message)
        elif kind == CANARY_TYPE:
            self._canary_at = asyncio.get_running_loop().time()
        elif kind == ACCESS_CHANGED:
            self._on_access_changed()


async def _error_of(call: Awaitable[object]) -> Exception | None:
    """Await a call of the layer for at most `TIMEOUT_SECONDS`; returns its exception."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await call
    except Exception as error:
        return error
    return None
