"""A clock that only the test moves."""

from __future__ import annotations

import asyncio

from voipbin_ws_client.states import Clock


class ManualClock(Clock):
    """A clock whose sleepers wake when `move` has passed their time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: dict[asyncio.Future[None], float] = {}

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers[sleeper] = self.now + seconds
        try:
            await sleeper
        finally:
            self._sleepers.pop(sleeper, None)

    def move(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.now += seconds
        for sleeper, wakes_at in list(self._sleepers.items()):
            if wakes_at <= self.now and not sleeper.done():
                sleeper.set_result(None)

    async def slept_for(self, seconds: float) -> None:
        """Wait until a task sleeps for exactly so many seconds."""
        while self.now + seconds not in self._sleepers.values():
            await asyncio.sleep(0.005)
