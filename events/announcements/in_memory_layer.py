"""The channel layer of a process without Redis: Channels' in-memory one, without a task for every message."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer


class LocalChannelLayer(InMemoryChannelLayer):  # type: ignore[misc]
    """For one process and one event loop. Sending to a group that has no room is silent, as in Channels' own."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Send to each channel of the group, now: here is nothing to wait for."""
        self.require_valid_group_name(group)
        self._clean_expired()
        for channel in list(self.groups.get(group, ())):
            with suppress(ChannelFull):
                await self.send(channel, message)
