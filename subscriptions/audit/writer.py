"""Writing the audit log in the background, with many records in one commit."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from time import monotonic

from events.database.threads import until_database_answers
from subscriptions.audit.refusals import kind_of, record_of, refusals
from subscriptions.audit.store import append
from subscriptions.models import AuditRecord

logger = logging.getLogger(__name__)

MAX_WAITING = 50_000
"""Records that are queued while the database is unavailable.

Beyond this, the records of `record_soon` are counted and dropped.
"""

_Waiting = tuple[Sequence[AuditRecord], asyncio.Future[None] | None]


class AuditWriter:
    """The queue of audit records of one process. Belongs to one event loop.

    Of repeated refusals the first is recorded, and the number of the others with `record_repeats`.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.refusals: Counter[tuple[str, str]] = Counter()
        self._repeats = refusals()
        self._waiting: list[_Waiting] = []
        self._count = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Number of records that are not stored yet."""
        return self._count

    def record_soon(self, records: Sequence[AuditRecord]) -> None:
        """Queue the records; returns before they are stored."""
        self._queue(self._without_repeats(records))

    async def record_and_wait(self, records: Sequence[AuditRecord]) -> None:
        """Store the records; returns when they are committed, however long the database is away."""
        if records := self._without_repeats(records):
            done = asyncio.get_running_loop().create_future()
            self._add(records, done)
            await done

    def record_repeats(self, *, now: bool = False) -> None:
        """Record the repeats that were only counted, if their minute is over or `now` is set."""
        if now or self._repeats.due(monotonic()):
            self._queue([record_of(each) for each in self._repeats.take()])

    def _without_repeats(self, records: Sequence[AuditRecord]) -> list[AuditRecord]:
        found = []
        for record in records:
            if (kind := kind_of(record)) is not None:
                self.refusals[(record.action, record.rule)] += record.count
                if not self._repeats.add(kind, record, monotonic(), record.count):
                    continue
            found.append(record)
        return found

    def _queue(self, records: Sequence[AuditRecord]) -> None:
        if self._count + len(records) > MAX_WAITING:
            self.lost += len(records)
            logger.error(
                "The audit log cannot be written and too much waits for it: %d records lost", self.lost
            )
        elif records:
            self._add(records, None)

    async def flush(self) -> None:
        """Wait until all queued records are stored."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    def _add(self, records: Sequence[AuditRecord], done: asyncio.Future[None] | None) -> None:
        self._waiting.append((records, done))
        self._count += len(records)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            if await self._write_together(batch) is not None:
                # A record was refused, the database is not away: stored one by one, so that the others are not lost.
                for some in batch:
                    error = await self._write_together([some])
                    self._settle(some, error)
                continue
            for some in batch:
                self._settle(some, None)

    async def _write_together(self, batch: Sequence[_Waiting]) -> Exception | None:
        try:
            await until_database_answers(append, [record for records, _ in batch for record in records])
        except Exception as error:
            return error
        return None

    def _settle(self, waiting: _Waiting, error: Exception | None) -> None:
        records, done = waiting
        self._count -= len(records)
        if error is not None:
            self.lost += len(records)
            logger.error("%d audit records could not be stored", len(records), exc_info=error)
        if done is not None and not done.done():
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
