"""The process's ear on the channel layer: its one channel, the groups that it joined, and whether it hears at all.

The layer can fall silent without an error: a half-open connection, a stopped Redis, a queue that overflowed. So the ear
sends itself a canary; while that is late, nothing that it does not hear means anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from channels.layers import get_channel_layer

from events.announcements.announcement import group_of

logger = logging.getLogger(__name__)

CANARY_TYPE = "hub.canary"
STOP_AGAIN_SECONDS = 0.2
TIMEOUT_SECONDS = 2.0
RETRY_SECONDS = 1.0

RESET_SECONDS = 10.0
"""After this much silence the connections themselves are taken for dead and made anew."""


class LayerListener:
    """Hears for one event loop.

    `on_message` are those who hear messages, by their type; `groups` are joined besides those of customers;
    `patience_seconds` is how old the last canary may be.
    """

    def __init__(
        self,
        on_message: Mapping[str, Callable[[dict[str, Any]], None]],
        *,
        groups: Sequence[str] = (),
        patience_seconds: float,
    ) -> None:
        self.lagging = False
        self._on_message = on_message
        self._standing_groups = groups
        self._patience = patience_seconds
        self._channel = ""
        self._groups: set[str] = set()
        self._heard_at = 0.0
        self._reset_at = 0.0
        self._listening: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen. Called in the event loop."""
        self._heard_at = self._reset_at = asyncio.get_running_loop().time()
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    async def stop(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            # A library that is just connecting may take the cancellation for its own, and listen on.
            while not self._listening.done():
                self._listening.cancel()
                await asyncio.wait([self._listening], timeout=STOP_AGAIN_SECONDS)

    @property
    def silence_seconds(self) -> float:
        """Since the last canary."""
        return asyncio.get_running_loop().time() - self._heard_at

    def hears(self, customer_id: str) -> bool:
        """Whether announcements for this customer are expected to come: its group is joined."""
        return customer_id in self._groups

    async def join(self, customer_id: str) -> None:
        """Join the customer's group, where the layer lets us now; else `hears` stays false."""
        if not self._channel or self.lagging or customer_id in self._groups:
            return
        channel = self._channel
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await get_channel_layer().group_add(group_of(customer_id), channel)
        except Exception as error:
            logger.warning("Cannot join the group of customer %s (%s): reading its log", customer_id, error)
            return
        if channel == self._channel:  # Else the connections were made anew meanwhile.
            self._groups.add(customer_id)

    async def leave(self, customer_id: str) -> None:
        """Leave the customer's group."""
        self._groups.discard(customer_id)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await get_channel_layer().group_discard(group_of(customer_id), self._channel)
        except Exception as error:
            logger.debug("Cannot leave the group of customer %s: %s", customer_id, error)

    async def check(self) -> None:
        """Judge by the last canary whether the layer is heard, and send the next one."""
        now = asyncio.get_running_loop().time()
        lagging = now - self._heard_at > self._patience
        if lagging != self.lagging:
            self.lagging = lagging
            if lagging:
                logger.warning("The channel layer is silent: the log is read instead")
            else:
                logger.info("The channel layer is heard again")
        if lagging and now - max(self._heard_at, self._reset_at) > RESET_SECONDS:
            self._reset_at = now
            await self._reset()
        await self._send_canary()

    async def _send_canary(self) -> None:
        if not self._channel:
            return
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await get_channel_layer().send(self._channel, {"type": CANARY_TYPE})
        except Exception as error:
            logger.debug("No canary: %s", error)

    async def _reset(self) -> None:
        """Forget the connections: on one that the other side forgot, nothing ever fails and nothing ever comes."""
        logger.warning("The channel layer stays silent: connecting to it anew")
        await self.stop()
        self._channel = ""
        self._groups.clear()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await get_channel_layer().flush()
        except Exception as error:
            logger.debug("The old connections to the channel layer do not close: %s", error)
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
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
                self._hear(message)
            except Exception:
                # One bad message must not deafen the process; the log has what it may have carried.
                logger.exception("A message of the channel layer could not be read")
            # Messages that wait already are received without a pause: let the sockets send between them.
            await asyncio.sleep(0)

    async def _new_channel(self) -> str:
        layer = get_channel_layer()
        channel: str = await layer.new_channel()
        for group in self._standing_groups:
            await layer.group_add(group, channel)
        return channel

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == CANARY_TYPE:
            self._heard_at = asyncio.get_running_loop().time()
        elif hears := self._on_message.get(message["type"]):
            hears(message)
