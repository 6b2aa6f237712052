"""The states of a client, and the clock that it waits by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from voipbin_ws_client.transports.transport import TransportName

Result = TypeVar("Result")


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
    `True` if no event was missed, `False` if there is a Gap, `None` if there was no cursor to resume from. `transport`
    is the one in use: a WebSocket, or server-sent events where WebSockets are blocked.
    """

    previous: State
    current: State
    retry_in: float | None = None
    reason: str | None = None
    recovered: bool | None = None
    transport: TransportName | None = None


class Clock:
    """The machine's clock; tests pass another one."""

    def time(self) -> float:
        """Return the seconds of a monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        await asyncio.sleep(seconds)

    async def within(self, seconds: float, work: Coroutine[Any, Any, Result]) -> Result:
        """Return the result of `work`.

        Raises:
            asyncio.TimeoutError: it took longer than so many seconds, and was cancelled.
        """
        tasks = working, _ = asyncio.ensure_future(work), asyncio.ensure_future(self.sleep(seconds))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise asyncio.TimeoutError
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
