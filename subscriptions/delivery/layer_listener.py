"""The process's channel on the channel layer, its groups, and whether messages arrive.

The layer can fall silent without an error: a half-open connection, a stopped Redis, a queue that overflowed, a lost
membership. Therefore the process sends itself a canary through a group; while the canary is late, the absence of
announcements means nothing. A customer's group whose announcement did not arrive is joined again.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
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

SILENT_CHECK_SECONDS = 0.5
"""How often a canary is sent, and the log read, while the channel layer is silent."""

RESET_SECONDS = 10.0
"""After this much silence the connections are considered dead and replaced."""


class LayerListener:
    """Receives the layer's messages for one event loop.

    `on_announcement` takes announcements of events, `on_access_changed` is called for each announced change of
    permissions. A canary is sent every `check_seconds`; the layer is silent when two of them have not arrived.
    """

    def __init__(
        self,
        *,
        on_announcement: Callable[[dict[str, Any]], None],
        on_access_changed: Callable[[], None],
        check_seconds: float,
    ) -> None:
        self.is_silent = False
        self._on_announcement = on_announcement
        self._on_access_changed = on_access_changed
        self._check_seconds = check_seconds
        self._patience_seconds = 2 * check_seconds + TIMEOUT_SECONDS
        self._channel = ""
        self._has_channel = asyncio.Event()
        self._own_group = f"process.{uuid.uuid4().hex}"
        self._wanted: set[str] = set()
        self._joined: set[str] = set()
        self._canary_at = 0.0
        self._reset_at = 0.0
        self._receiving: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to receive messages. Called in the event loop."""
        loop = asyncio.get_running_loop()
        self._canary_at = self._reset_at = loop.time()
        self._receiving = loop.create_task(self._receive_forever())
        # In a task of its own: neither the layer nor the log is waited for in order to watch the other.
        self._watching = loop.create_task(self._watch())

    async def stop(self) -> None:
        """Stop receiving messages."""
        await _cancel(self._watching)
        await _cancel(self._receiving)

    @property
    def silence_seconds(self) -> float:
        """Seconds since the last canary arrived; a little more than the interval is usual."""
        return asyncio.get_running_loop().time() - self._canary_at

    @property
    def check_pause(self) -> float:
        """Seconds until the log or the layer is to be checked again."""
        return min(SILENT_CHECK_SECONDS, self._check_seconds) if self.is_silent else self._check_seconds

    async def join(self, customer_id: str) -> None:
        """Join the customer's group; now if the layer answers, else as soon as it does."""
        self._wanted.add(customer_id)
        await self._join(customer_id)

    def join_again(self, customer_id: str) -> None:
        """Join the customer's group again at the next check: an announcement did not arrive."""
        self._joined.discard(customer_id)

    def leave(self, customer_id: str) -> None:
        """Leave the customer's group at the next check."""
        self._wanted.discard(customer_id)

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            before, pause = clock(), self.check_pause
            await asyncio.sleep(pause)
            # Time for which the process itself stood still is no silence of the layer.
            self._canary_at += clock() - before - pause
            try:
                await self._check()
                await self._correct_groups()
            except Exception:
                logger.exception("The watch over the channel layer failed and goes on")

    async def _check(self) -> None:
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
            error = await _error_of(get_channel_layer().group_send(self._own_group, {"type": CANARY_TYPE}))
            if error is not None:
                logger.debug("The canary cannot be sent: %s", error)

    async def _correct_groups(self) -> None:
        """Join and leave groups, up to the first failure.

        Each of the next ones would wait for the same time-out.
        """
        for customer_id in self._wanted - self._joined:
            if not await self._join(customer_id):
                return
        for customer_id in self._joined - self._wanted:
            self._joined.discard(customer_id)
            error = await _error_of(get_channel_layer().group_discard(group_of(customer_id), self._channel))
            if error is not None:
                logger.debug("Cannot leave the group of customer %s: %s", customer_id, error)
                return

    async def _join(self, customer_id: str) -> bool:
        """Join the customer's group, if the layer answers; returns whether it is joined."""
        if customer_id in self._joined:
            return True
        if self.is_silent:
            return False
        error = await _error_of(self._add_to_group(customer_id))
        if error is not None:
            logger.warning("Cannot join the group of customer %s (%r): reading its log", customer_id, error)
        return customer_id in self._joined

    async def _add_to_group(self, customer_id: str) -> None:
        await self._has_channel.wait()  # The first subscribers of a process come before its channel.
        channel = self._channel
        await get_channel_layer().group_add(group_of(customer_id), channel)
        if channel == self._channel:  # Else the connections were replaced meanwhile.
            self._joined.add(customer_id)

    async def _reset(self) -> None:
        """Replace the connections: on one that the other side dropped, no call ever fails."""
        logger.warning("The channel layer stays silent: connecting to it anew")
        await _cancel(self._receiving)
        self._channel = ""
        self._has_channel.clear()
        self._joined.clear()
        error = await _error_of(get_channel_layer().flush())
        if error is not None:
            logger.debug("The old connections to the channel layer do not close: %s", error)
        self._receiving = asyncio.get_running_loop().create_task(self._receive_forever())

    async def _receive_forever(self) -> None:
        layer = get_channel_layer()
        while True:
            try:
                if not self._channel:
                    self._channel = await self._new_channel()
                    self._has_channel.set()
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
        for group in (ACCESS_CHANGED, self._own_group):
            await layer.group_add(group, channel)
        return channel

    def _dispatch(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == MESSAGE_TYPE:
            self._on_announcement(message)
        elif kind == CANARY_TYPE:
            self._canary_at = asyncio.get_running_loop().time()
        elif kind == ACCESS_CHANGED:
            self._on_access_changed()


async def _cancel(task: asyncio.Task[None] | None) -> None:
    # A library that is connecting may swallow the cancellation, and receive on.
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=STOP_AGAIN_SECONDS)


async def _error_of(call: Awaitable[object]) -> Exception | None:
    """Await a call of the layer for at most `TIMEOUT_SECONDS`; returns its exception."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await call
    except Exception as error:
        return error
    return None
