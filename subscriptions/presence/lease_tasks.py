"""Tasks that one process at a time carries out."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from django.db import Error as DatabaseTrouble

from events.database.background_task import BackgroundTask
from events.database.threads import in_database_thread
from events.log import lease
from events.log.inferred_ends import Silence, end_silent_calls

logger = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 30.0
STOP_SECONDS = 1.0
ROUNDS_IN_A_LEASE = 4
"""A process that stops without notice is replaced after this many rounds."""


class LeaseTask:
    """The rounds of one process, of which only the holder of the lease does the work."""

    def __init__(self, name: str, pause_seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        self._name = name
        self._pause = pause_seconds
        self._work = work
        self._holder = uuid.uuid4()
        self._task = BackgroundTask(self._run)

    def start(self) -> None:
        """Start the rounds in the running event loop."""
        self._task.start()

    async def stop(self) -> None:
        """Stop the rounds; another process can take the lease at once."""
        if await self._task.stop(partial(lease.release, self._name, self._holder), STOP_SECONDS):
            logger.info("The lease of %s stays until it ends", self._name)

    async def _run(self) -> None:
        duration = timedelta(seconds=self._pause * ROUNDS_IN_A_LEASE)
        while True:
            await asyncio.sleep(self._pause)
            try:
                if await in_database_thread(lease.hold, self._name, self._holder, duration):
                    await self._work()
            except DatabaseTrouble as error:
                logger.warning("No round of %s is possible now: %s", self._name, error)
            except Exception:
                logger.exception("A round of %s failed; the next one follows", self._name)


def inferred_ends(silence: Silence) -> LeaseTask:
    """Return the task that ends calls which are silent for too long."""
    shortest = min(each.total_seconds() for each in silence.values())
    pause = min(LONGEST_PAUSE_SECONDS, max(0.2, shortest / 4))
    return LeaseTask("inferred-ends", pause, lambda: in_database_thread(end_silent_calls, silence))
