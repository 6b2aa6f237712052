"""The rounds of one process in which what was only counted is written to the audit log."""

from __future__ import annotations

import asyncio
import logging

from django.db import Error as DatabaseTrouble

from events.database.threads import in_database_thread
from subscriptions.accounts.logins import record_repeated_failures

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0
STOP_SECONDS = 2.0


class AuditRounds:
    """Stores repeated failures of log-ins each minute, and when the process stops."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the rounds in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End the rounds, and store what is counted."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await in_database_thread(record_repeated_failures, now=True)
        except (DatabaseTrouble, TimeoutError) as error:
            logger.error("Repeated failures of logins could not be recorded: %s", error)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                await in_database_thread(self._round)
            except DatabaseTrouble as error:
                logger.warning("The audit log cannot be written now: %s", error)
            except Exception:
                logger.exception("A round of the audit log failed; the next one follows")

    def _round(self) -> None:
        record_repeated_failures()
