"""The channel layer of a process without Redis: Channels' in-memory layer, without tasks."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer


class LocalChannelLayer(InMemoryChannelLayer):  # type: ignore[misc]
    """A layer for one process and event loop. Full channels lose messages, as in Channels.

    Unlike in Channels, neither messages nor memberships expire: the one process receives as long as it runs, and a
    clock that is set must not end that.
    """

    def _clean_expired(self) -> None:
        """Do nothing."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Send to each channel of the group, at once: no channel is waited for."""
        self.require_valid_group_name(group)
        for channel in list(self.groups.get(group, ())):
            with suppress(ChannelFull):
                await self.send(channel, message)
