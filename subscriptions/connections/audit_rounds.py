"""The rounds of one process that keep the audit log complete and its head known outside."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from datetime import timedelta

from django.db import Error as DatabaseTrouble

from events.database.background_task import BackgroundTask
from events.database.threads import in_database_thread
from events.log import lease
from subscriptions.accounts.logins import record_repeated_failures
from subscriptions.audit.chain import End
from subscriptions.audit.store import chain_ends, seal_unsealed
from subscriptions.audit.writer import AuditWriter

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0
STOP_SECONDS = 2.0
HEAD_SECONDS = 3600.0
"""How often the head of the chain is written to the process's log."""

LEASE = "audit-head"
LEASE_DURATION = timedelta(seconds=12 * PAUSE_SECONDS)


class AuditRounds:
    """Stores repeated refusals and log-ins each minute, and notes the chain's head each hour.

    Of all processes, the holder of a lease notes the head. `noted` is the head that this process noted last, `None` if
    it has noted none.
    """

    def __init__(self, audit: AuditWriter) -> None:
        self._audit = audit
        self.noted: End | None = None
        self._noted_at = 0.0
        self._holder = uuid.uuid4()
        self._is_first = True
        self._task = BackgroundTask(self._run)

    def start(self) -> None:
        """Start the rounds in the running event loop."""
        self._task.start()

    async def stop(self) -> None:
        """End the rounds, and store what is counted."""
        if problem := await self._task.stop(self._last_round, STOP_SECONDS):
            logger.error("Repeated failures of logins could not be recorded: %s", problem)

    def _last_round(self) -> None:
        record_repeated_failures(now=True)
        lease.release(LEASE, self._holder)

    async def _run(self) -> None:
        while True:
            self._audit.record_repeats()
            try:
                await in_database_thread(self._round)
            except DatabaseTrouble as error:
                logger.warning("The audit log cannot be written now: %s", error)
            except Exception:
                logger.exception("A round of the audit log failed; the next one follows")
            await asyncio.sleep(PAUSE_SECONDS)

    def _round(self) -> None:
        if self._is_first:
            self._seal()
            self._is_first = False
        record_repeated_failures()
        if lease.hold(LEASE, self._holder, LEASE_DURATION):
            self._note_head()

    def _seal(self) -> None:
        # In an upgrade the last new process starts after the last old one has ended.
        if count := seal_unsealed():
            logger.warning("%d audit records without a seal, of an older version, were sealed", count)

    def _note_head(self) -> None:
        if self.noted is not None and time.monotonic() < self._noted_at + HEAD_SECONDS:
            return
        self.noted, self._noted_at = chain_ends()[1], time.monotonic()
        logger.info("Head of the audit log: %s", self.noted)
