"""The tasks that one process at a time carries out: ending calls whose source is silent."""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import timedelta
from functools import partial

from django.db import Error as DatabaseTrouble

from events.database.background_task import BackgroundTask
from events.database.threads import in_database_thread
from events.log import lease
from events.log.inferred_ends import Silence, end_silent_calls

logger = logging.getLogger(__name__)

NAME = "inferred-ends"
LONGEST_PAUSE_SECONDS = 30.0
STOP_SECONDS = 1.0
ROUNDS_IN_A_LEASE = 4
"""A process that stops without notice is replaced after this many rounds."""


class LeaseTasks:
    """The rounds of one process, of which only the holder of the lease does the work."""

    def __init__(self, silence: Silence) -> None:
        self._silence = silence
        self._holder = uuid.uuid4()
        self._task = BackgroundTask(self._run)
        shortest = min((each.total_seconds() for each in silence.values()), default=0.0)
        self._pause = min(LONGEST_PAUSE_SECONDS, max(0.2, shortest / 4))

    def start(self) -> None:
        """Start the rounds in the running event loop, unless no call is ever ended."""
        if self._silence:
            self._task.start()

    async def stop(self) -> None:
        """Stop the rounds; another process can take the lease at once."""
        if await self._task.stop(partial(lease.release, NAME, self._holder), STOP_SECONDS):
            logger.info("The lease of %s stays until it ends", NAME)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            try:
                await in_database_thread(self._round)
            except DatabaseTrouble as error:
                logger.warning("Silent calls cannot be ended now: %s", error)
            except Exception:
                logger.exception("Ending silent calls failed; the next round follows")

    def _round(self) -> None:
        if lease.hold(NAME, self._holder, timedelta(seconds=self._pause * ROUNDS_IN_A_LEASE)):
            end_silent_calls(self._silence)
