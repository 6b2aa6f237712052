"""How it stands with a client's connection, and the clock by which it waits."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import Enum


class State(str, Enum):
    """How it stands with the connection."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    """Every topic has been answered: what is granted is live."""
    RECONNECTING = "reconnecting"
    CLOSED = "closed"
    FAILED = "failed"

    __str__ = str.__str__


@dataclass(frozen=True, slots=True)
class StateChange:
    """A change of state.

    `retry_in` (seconds) and `reason` are of reconnecting, `reason` is of failed too. `recovered` is of connected:
    true where nothing was missed meanwhile, false where a Gap tells what was, none where there was nothing to go on
    from.
    """

    previous: State
    current: State
    retry_in: float | None = None
    reason: str | None = None
    recovered: bool | None = None


class Clock:
    """The machine's clock."""

    def time(self) -> float:
        """Seconds of a steady clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
