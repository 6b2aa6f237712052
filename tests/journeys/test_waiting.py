"""A subscribe that waits for the database holds up nothing else of its connection."""

from __future__ import annotations

import json
import sqlite3
from urllib.parse import urlsplit

import pytest
import websocket

from tests.journeys.support.cast import company, settle
from tests.support.gateways import Gateways


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_ping_is_answered_while_a_subscribe_waits_for_its_audit_record(
    gateway: Gateways, server: str
) -> None:
    alone = gateway(server)
    acme = company("Acme")
    settle(alone, acme)
    socket = websocket.create_connection(f"{alone.ws_url}?token={acme.token('manager')}", timeout=30)
    with sqlite3.connect(urlsplit(alone.database_url).path, timeout=30, isolation_level=None) as database:
        database.execute("BEGIN IMMEDIATE")  # No one else writes now, not even an audit record.
        socket.send(json.dumps({"type": "subscribe", "topics": [f"customer_id:{acme.id}"], "request_id": 1}))
        socket.send('{"type": "ping", "request_id": 2}')
        assert json.loads(socket.recv()) == {"type": "pong", "cursor": None, "request_id": 2}
        database.execute("ROLLBACK")
    assert json.loads(socket.recv())["request_id"] == 1


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_what_a_client_sends_while_it_has_to_wait_is_not_piled_up(gateway: Gateways, server: str) -> None:
    alone = gateway(server)
    acme = company("Acme")
    settle(alone, acme)
    socket = websocket.create_connection(f"{alone.ws_url}?token={acme.token('manager')}", timeout=2)
    with sqlite3.connect(urlsplit(alone.database_url).path, timeout=30, isolation_level=None) as database:
        database.execute("BEGIN IMMEDIATE")
        message = json.dumps(
            {"type": "subscribe", "topics": [f"customer_id:{acme.id}"], "request_id": "x" * 100}
        )
        message += " " * 60_000
        with pytest.raises(websocket.WebSocketTimeoutException):
            _flood(socket, message)
        database.execute("ROLLBACK")
    socket.settimeout(30)
    assert json.loads(socket.recv())["status"] == "success"


def _flood(socket: websocket.WebSocket, message: str) -> None:
    # Buffers of the two ends take some megabytes; a server that reads on would take all of this.
    for _ in range(2000):
        socket.send(message)
