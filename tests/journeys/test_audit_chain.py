"""The audit log's chain on PostgreSQL, where several write at once: one line of links, and what is done to it shows."""

from __future__ import annotations

import asyncio
import select
import socket
import socketserver
import threading
import uuid
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.databases import MigratedPostgres
from tests.support.gateway import gateway_environment, manage

WRITERS, COMMITS = 4, 15
WRITE = "from tests.journeys.test_audit_chain import write_at_once; write_at_once()"
WRITE_THROUGH_OUTAGE = "from tests.journeys.test_audit_chain import write_and_wait; write_and_wait()"


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


def write_and_wait() -> None:
    """What the other process has its Django do: store records as a connection does, and wait until they are."""
    from subscriptions.audit.writer import AuditWriter
    from subscriptions.models import AuditRecord

    async def write() -> None:
        writer = AuditWriter()
        for _ in range(2):
            records = [
                AuditRecord(action="connect", verdict="granted", connection_id=uuid.uuid4()) for _ in range(3)
            ]
            await writer.record_and_wait(records)

    asyncio.run(write())


class LosesOneAnswer(socketserver.StreamRequestHandler):
    """A connection to the database that ends when the first COMMIT is executed, before its answer arrives."""

    port: int
    has_lost = False

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as database:
            is_lost = False
            while True:
                for readable in select.select([self.request, database], [], [])[0]:
                    data = readable.recv(2**16)
                    if not data or (readable is database and is_lost):
                        return
                    if readable is self.request and b"COMMIT" in data and not type(self).has_lost:
                        is_lost = type(self).has_lost = True
                    (database if readable is self.request else self.request).sendall(data)


def test_records_whose_commit_was_not_answered_are_stored_once(
    migrated_postgres: MigratedPostgres,
) -> None:
    url = migrated_postgres.create_database()
    port = urlsplit(url).port
    assert port
    loses = type("Loses", (LosesOneAnswer,), {"port": port})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), loses) as proxy:
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        proxied = gateway_environment(url.replace(f":{port}/", f":{proxy.server_address[1]}/"))
        manage(proxied, "shell", "--verbosity", "0", "--command", WRITE_THROUGH_OUTAGE)
        proxy.shutdown()
    assert loses.has_lost  # type: ignore[attr-defined]
    assert "6 records\n" in manage(gateway_environment(url), "verify_audit")


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
