"""The locks of customers' logs. A transaction that holds one may append to the log.

On PostgreSQL each log has a lock of its own, which any transaction may hold: pruning, another process, an operator. On
SQLite there is one for the whole database.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import connections, router

from events.database.direct_sql import find_rows
from events.models import CustomerLog


class LogLocked(Exception):
    """Another transaction holds a log of the request, of which nothing was stored."""


class LogsMissing(Exception):
    """These customers have no logs yet."""

    def __init__(self, customer_ids: Collection[str]) -> None:
        super().__init__(", ".join(sorted(customer_ids)))
        self.customer_ids = sorted(customer_ids)


def lock_logs(customer_ids: Collection[str], wait_seconds: float | None) -> dict[str, CustomerLog]:
    """Lock the customers' logs in one order, so that transactions cannot deadlock.

    Waits at most `wait_seconds` for each; as long as the database answers if it is `None`. With 0, logs that another
    transaction holds are left out.

    Raises:
        LogsMissing: Some do not exist. Nothing may be done in this transaction any more.
        django.db.OperationalError: A log was locked for too long.
    """
    database = connections[router.db_for_write(CustomerLog)]
    has_timeout = database.vendor == "postgresql"
    skips = wait_seconds == 0 and has_timeout
    if wait_seconds and has_timeout:
        with database.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(round(1000 * wait_seconds))])
    ordered = {"customer_id": sorted(customer_ids)}
    found = _by_customer(find_rows(CustomerLog, ordered, lock=True, skip_locked=skips))
    if len(found) < len(customer_ids):
        existing = _by_customer(find_rows(CustomerLog, ordered)) if skips else found
        if missing := set(customer_ids) - existing.keys():
            raise LogsMissing(missing)
    return found


def create_logs(customer_ids: Collection[str]) -> None:
    """Create logs, in a transaction of their own: others wait for one that is not committed."""
    CustomerLog.objects.bulk_create(
        [CustomerLog(customer_id=each) for each in customer_ids], ignore_conflicts=True
    )


def _by_customer(logs: Collection[CustomerLog]) -> dict[str, CustomerLog]:
    return {str(log.customer_id): log for log in logs}


class Turn:
    """A lock of this process that its threads get in the order in which they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock in the block."""
        with self._lock:
            mine = threading.Event()
            if self._is_taken:
                self._waiting.append(mine)
            else:
                self._is_taken = True
                mine.set()
        mine.wait()
        try:
            yield
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting.popleft().set()
                else:
                    self._is_taken = False


_turn = Turn()


@contextmanager
def transaction_turn() -> Iterator[None]:
    """On SQLite, run the block while no other thread does.

    Threads that wait for SQLite's own lock sleep and poll.
    """
    if connections[router.db_for_write(CustomerLog)].features.has_select_for_update:
        yield
    else:
        with _turn.held():
            yield
