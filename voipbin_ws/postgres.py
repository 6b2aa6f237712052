"""PostgreSQL connections with a timeout, so that no thread waits for ever for an answer.

TCP cannot distinguish a stopped server from a slow one, and `statement_timeout` is enforced by the server itself.
"""

from __future__ import annotations

from typing import Any, ClassVar

import psycopg
from psycopg.pq import TransactionStatus


class TimeoutConnection(psycopg.Connection[Any]):
    """A connection that waits at most `answer_seconds` for each answer; `None` for ever.

    It is set in server processes alone: a migration of a large table takes its time.
    """

    answer_seconds: ClassVar[float | None] = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server: psycopg's hook of everything on a connection that waits."""
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            if timeout is None and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # The late answer could arrive within another query, so the connection must not be used again.
                self.close()
            raise
