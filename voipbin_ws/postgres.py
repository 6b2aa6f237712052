"""PostgreSQL connections that give up: a database that does not answer is an error, not a thread that waits for ever.

TCP cannot tell a stopped server from a slow one, and `statement_timeout` is kept by the server itself.
"""

from __future__ import annotations

from typing import Any, ClassVar

import psycopg
from psycopg.pq import TransactionStatus


class TimeoutConnection(psycopg.Connection[Any]):
    """A connection on which no single answer is waited for longer than `answer_seconds` (none: for ever).

    It is set for server processes alone: a migration of a large table takes its time.
    """

    answer_seconds: ClassVar[float | None] = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """psycopg's hook through which everything on a connection waits for the server."""
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            if timeout is None and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # The answer may still come, in the middle of somebody else's query: nobody may use this one again.
                self.close()
            raise
