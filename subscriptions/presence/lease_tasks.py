"""The tasks that one process at a time carries out, the holder of each one's lease."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db import Error as DatabaseTrouble

from events.database.background_task import BackgroundTask
from events.database.threads import in_database_thread
from events.log import lease
from events.log.inferred_ends import Silence, end_silent_calls
from subscriptions.presence.target_watch import TargetWatch

logger = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 30.0
STOP_SECONDS = 1.0
ROUNDS_IN_A_LEASE = 4
"""A process that stops without notice is replaced after this many rounds."""


class LeaseTask:
    """The rounds of one task in one process, of which only the holder does the work.

    `release` is called in each round in which another process is the holder.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        pause_seconds: float,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        self._work = work
        self._release = release
        self._holder = uuid.uuid4()
        self._task = BackgroundTask(self._run)
        self._pause = pause_seconds

    def start(self) -> None:
        """Start the rounds in the running event loop."""
        self._task.start()

    async def stop(self) -> None:
        """Stop the rounds; another process can take the lease at once."""
        if await self._task.stop(partial(lease.release, self._name, self._holder), STOP_SECONDS):
            logger.info("The lease of %s stays until it ends", self._name)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            try:
                await in_database_thread(self._round)
            except DatabaseTrouble as error:
                logger.warning("No round of %s is possible now: %s", self._name, error)
            except Exception:
                logger.exception("A round of %s failed; the next one follows", self._name)

    def _round(self) -> None:
        if lease.hold(self._name, self._holder, timedelta(seconds=self._pause * ROUNDS_IN_A_LEASE)):
            self._work()
        else:
            self._release()


def lease_tasks(silence: Silence, watch_seconds: float) -> list[LeaseTask]:
    """Return the tasks of a process; none ends silent calls if no call is ever ended.

    `watch_seconds` is the time between two looks at the targets of queues.
    """
    watch = TargetWatch()
    tasks = [LeaseTask("queue-targets", watch.round, watch_seconds, watch.forget)]
    if silence:
        pause = min(LONGEST_PAUSE_SECONDS, max(0.2, min(silence.values()).total_seconds() / 4))
        tasks.append(LeaseTask("inferred-ends", lambda: end_silent_calls(silence), pause))
    return tasks
