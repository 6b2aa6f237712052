"""PostgreSQL connections with a timeout, whose commits outlive a crash of the server.

Without the timeout a thread could wait for ever: TCP cannot distinguish a stopped server from a slow one, and
`statement_timeout` is enforced by the server itself.
"""

from __future__ import annotations

from typing import Any, ClassVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus


class GatewayConnection(psycopg.Connection[Any]):
    """A connection that waits at most `answer_seconds` for each answer; `None` for ever.

    It is set in server processes alone: a migration of a large table takes its time.
    """

    answer_seconds: ClassVar[float | None] = None

    def _start_query(self) -> PQGen[None]:
        """Begin a transaction if necessary, and set in it that its commit waits for the disk.

        Poolers such as PgBouncer refuse the start-up parameter `options`, and in transaction mode lose what is set for
        a session. The system check events.W006 reports it if psycopg no longer calls this.
        """
        begins = not self.autocommit and self.pgconn.transaction_status == TransactionStatus.IDLE
        yield from super()._start_query()
        if begins:
            yield from self._exec_command(b"SET LOCAL synchronous_commit = on")

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server: psycopg's hook of everything on a connection that waits."""
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            if timeout is None and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # The late answer could arrive within another query, so the connection must not be used again.
                self.close()
            raise
