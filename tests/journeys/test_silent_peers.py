"""A peer that stops reading and answering is let go, however much of what it was sent is still to be read."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.faults.support.databases import query
from tests.journeys.support.cast import Company, company, settle
from tests.journeys.support.conversation import Conversation, publish
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

FILLER = "x" * 48_000
"""Less than the 64 kB from which on uvicorn reports that its own buffer is full."""


def unread_bytes(gateway: Gateway, peer_port: int) -> int | None:
    """Bytes in the gateway's kernel that this peer has not read; `None` if the gateway has closed the socket."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, _, _, _, _, inode, *_ = line.split()
        ports = [int(end.partition(":")[2], 16) for end in (local, remote)]
        if ports == [gateway.port, peer_port] and inode != "0":
            return int(queues.partition(":")[0], 16)
    return None


def fill_kernel(gateway: Gateway, acme: Company, peer_port: int) -> None:
    """Publish until the kernel takes no more, and the rest of an event waits in the server's own buffer."""
    event = {"event_type": "call.status", "data": {"id": "c", "filler": FILLER}}
    unread = 0

    def has_grown() -> bool:
        return (unread_bytes(gateway, peer_port) or 0) > unread

    while True:
        publish(gateway, acme.key("that publishes"), event)
        try:
            wait_until(has_grown, "the kernel to take the event", timeout=0.5)
        except AssertionError:
            return
        unread = unread_bytes(gateway, peer_port) or 0


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_peer_that_neither_reads_nor_answers_is_let_go(gateway: Gateways, server: str) -> None:
    serving = gateway(server, PING_SECONDS="20", PONG_SECONDS="10", OUTBOX_MAX_SECONDS="600")
    acme = company("Acme")
    settle(serving, acme)
    small = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)]
    client = Conversation(serving, acme.token("manager"), sockopt=small)
    client.subscribe(f"customer_id:{acme.id}:*:*")
    port = client.port
    fill_kernel(serving, acme, port)
    assert unread_bytes(serving, port), "it was let go before the kernel was full"

    def ends() -> int:
        ended = "SELECT count(*) FROM subscriptions_auditrecord WHERE action = 'disconnect'"
        return int(query(serving.database_url, ended)[0][0])

    wait_until(ends, "the end of the connection to be recorded", timeout=60)
    wait_until(lambda: unread_bytes(serving, port) is None, "the socket to be closed", timeout=60)
    assert ends() == 1
