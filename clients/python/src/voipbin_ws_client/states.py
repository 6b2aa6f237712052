"""The states of a client, and the clock that it waits by."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import Enum


class State(str, Enum):
    """The state of a client's connection."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    """The server has answered for all topics; those granted are live."""
    RECONNECTING = "reconnecting"
    CLOSED = "closed"
    FAILED = "failed"

    __str__ = str.__str__


@dataclass(frozen=True, slots=True)
class StateChange:
    """A change of state.

    `retry_in` (seconds) is set for reconnecting, `reason` for reconnecting and failed, `recovered` for connected:
    `True` if no event was missed, `False` if there is a Gap, `None` if there was no cursor to resume from.
    """

    previous: State
    current: State
    retry_in: float | None = None
    reason: str | None = None
    recovered: bool | None = None


class Clock:
    """The machine's clock; tests pass another one."""

    def time(self) -> float:
        """Return the seconds of a monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        await asyncio.sleep(seconds)
