"""Ends of a gateway: by a terminal that closes, and with publishers that still wait."""

from __future__ import annotations

import os
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.journeys.support.cast import company, settle
from tests.journeys.support.conversation import Conversation, post
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_terminal_that_closes_ends_it_in_order(
    gateway: Gateways, server: str, options: tuple[str, ...]
) -> None:
    serving = gateway(server, options=options)
    acme = company("Acme")
    settle(serving, acme)
    with Conversation(serving, acme.token("manager")) as manager:
        manager.subscribe(f"customer_id:{acme.id}")
        os.kill(serving.pid, signal.SIGHUP)
        frames, code = manager.until_closed()
        assert [frame["code"] for frame in frames] == ["RESTARTING"]
        assert code == 4012
    # The shell and the kernel each send one; the second must not cut the end short.
    os.kill(serving.pid, signal.SIGHUP)
    assert serving.wait() == 0


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_publisher_that_waits_at_the_end_is_never_refused_what_is_stored(
    gateway: Gateways, server: str
) -> None:
    serving = gateway(server)
    acme = company("Acme")
    settle(serving, acme)
    key = acme.key("that publishes")
    file = serving.database_url.removeprefix("sqlite:///")
    event = {"event_type": "call.status", "data": {"id": "c1"}, "idempotency_key": "held"}
    # The first use of a key is stored, which would wait, too.
    post(serving, key, {"event_type": "call.status", "data": {"id": "c0"}})
    large = {**event, "idempotency_key": "large", "data": {"id": "c1", "text": "x" * 70_000}}
    with closing(sqlite3.connect(file, isolation_level=None)) as other, ThreadPoolExecutor() as threads:
        other.execute("BEGIN IMMEDIATE")
        posts = [threads.submit(post, serving, key, each) for each in (event, large)]
        wait_until(lambda: waiting_requests(serving.port) >= len(posts), "both requests to be read")
        os.kill(serving.pid, signal.SIGTERM)
        for each in posts:
            try:
                answer = each.result()
            except httpx.TransportError:
                continue  # Without an answer a publisher sends it again.
            assert answer.status_code == 503, answer.text
            assert answer.json()["code"] == "UNAVAILABLE"
            assert answer.headers["Retry-After"]
        other.execute("ROLLBACK")
    assert serving.wait() == 0
    with closing(sqlite3.connect(file)) as reader:
        rows = reader.execute(
            "SELECT idempotency_key FROM events_event WHERE resource_id = 'c1' ORDER BY 1"
        ).fetchall()
    assert rows == [("held",), ("large",)], "the case that this test is about did not occur"


def waiting_requests(port: int) -> int:
    """The connections to this port whose bytes were all read by the server."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(
        row[1].endswith(f":{port:04X}") and row[3] == "01" and row[4].endswith(":00000000") for row in rows
    )
