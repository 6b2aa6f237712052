"""Tasks of the event loop from start to stop, and their last work in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from django import db

from events.database.threads import in_database_thread


class BackgroundTask:
    """The task that runs `run()`, from `start` to `stop`."""

    def __init__(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._run = run
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self, last_work: Callable[[], object], seconds: float) -> str:
        """End the task if it was started, and then do the last work in a database thread.

        Returns why that failed or took longer than `seconds`; "" if it did not.
        """
        if self._task is None:
            return ""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        try:
            async with asyncio.timeout(seconds):
                await in_database_thread(last_work)
        except (db.Error, TimeoutError) as error:
            return str(error) or "the database does not answer"
        return ""
