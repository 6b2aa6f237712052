"""The audit log's chain on PostgreSQL, where several write at once: one line of links, and what is done to it shows."""

from __future__ import annotations

import threading
import uuid

import psycopg
import pytest

from tests.support.databases import MigratedPostgres
from tests.support.gateway import gateway_environment, manage

WRITERS, COMMITS = 4, 15
WRITE = "from tests.journeys.test_audit_chain import write_at_once; write_at_once()"


def write_at_once() -> None:
    """What the other process has its Django do: several threads store records, each as fast as it can."""
    from django.db import connections

    from subscriptions.audit.store import append
    from subscriptions.models import AuditRecord

    def write() -> None:
        try:
            for _ in range(COMMITS):
                append(
                    [
                        AuditRecord(action="connect", verdict="granted", connection_id=uuid.uuid4())
                        for _ in range(2)
                    ]
                )
        finally:
            connections.close_all()

    writers = [threading.Thread(target=write) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


def test_concurrent_writers_make_one_chain(migrated_postgres: MigratedPostgres) -> None:
    url = migrated_postgres.create_database()
    environment = gateway_environment(url)
    manage(environment, "shell", "--verbosity", "0", "--command", WRITE)
    assert f"{WRITERS * COMMITS * 2} records\n" in manage(environment, "verify_audit")
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("UPDATE subscriptions_auditrecord SET verdict = 'refused' WHERE position = 7")
        database.execute("DELETE FROM subscriptions_auditrecord WHERE position = 50")
    with pytest.raises(AssertionError, match=r"ended with 1(?s:.)*number 7\)(?s:.)*number 50 was removed"):
        manage(environment, "verify_audit")
