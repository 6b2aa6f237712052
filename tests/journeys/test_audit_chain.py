"""The audit log's chain: one line of links by several writers, and what is done to it shows, also if it is sealed."""

from __future__ import annotations

import asyncio
import re
import select
import socket
import socketserver
import threading
import uuid
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import websocket

from tests.journeys.support.cast import company, settle
from tests.journeys.support.conversation import get
from tests.support.databases import MigratedPostgres
from tests.support.gateway import gateway_environment, manage
from tests.support.gateways import Gateways
from tests.support.stacks import BOTH_SERVERS, Stack
from tests.support.waiting import wait_until

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


REWRITE = """
from subscriptions.audit.store import append
from subscriptions.models import AuditChain, AuditRecord
kept = list(AuditRecord.objects.exclude(rule="unknown-key").order_by("pk"))
AuditRecord.objects.all().delete()
AuditChain.objects.all().delete()
for row in kept:
    row.pk = None
append(kept)
"""
INSERT_UNSEALED = """
import uuid
from subscriptions.models import AuditRecord
AuditRecord.objects.create(action="connect", verdict="granted", connection_id=uuid.uuid4())
"""


@pytest.mark.parametrize("stack", BOTH_SERVERS, ids=str)
def test_a_log_that_was_rewritten_and_sealed_is_found_by_the_head_in_the_journal(
    gateway: Gateways, stack: Stack
) -> None:
    process = gateway(stack.server, postgres=stack.shared, redis=stack.shared)
    acme = company("Acme")
    settle(process, acme)
    for _ in range(3):
        with pytest.raises(websocket.WebSocketBadStatusException):
            websocket.create_connection(f"{process.ws_url}?token=vb_{'0' * 32}", timeout=30)
    process.terminate()
    # An older version wrote without a seal.
    process.manage("shell", "--verbosity", "0", "--command", INSERT_UNSEALED)
    with pytest.raises(AssertionError, match="it was inserted"):
        process.manage("verify_audit")
    process.restart()
    assert get(process, acme.token("agent"), "/v1.0/me").status_code == 200

    def heads() -> list[str]:
        return re.findall(r"Head of the audit log: ([1-9][0-9]*:[0-9a-f]{64})", process.log_text())

    wait_until(heads, "the head in the journal")
    assert "1 audit records without a seal" in process.log_text()
    assert "The chain is whole" in process.manage("verify_audit")
    head = heads()[-1]
    assert "The chain is whole" in process.manage("verify_audit", "--noted", head)
    digest = head.partition(":")[2]
    metrics = httpx.get(f"{process.url}/metrics", timeout=30).text
    assert f'voipbin_ws_audit_head{{digest="{digest}"}}' in metrics
    process.manage("shell", "--verbosity", "0", "--command", REWRITE)
    assert "The chain is whole" in process.manage("verify_audit")
    with pytest.raises(AssertionError, match="The noted head is not in the chain"):
        process.manage("verify_audit", "--noted", head)
