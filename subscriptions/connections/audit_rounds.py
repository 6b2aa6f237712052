"""The rounds of one process that keep the audit log complete and its head known outside."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from datetime import timedelta

from django.db import Error as DatabaseTrouble

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
                await in_database_thread(lease.release, LEASE, self._holder)
        except (DatabaseTrouble, TimeoutError) as error:
            logger.error("Repeated failures of logins could not be recorded: %s", error)

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
