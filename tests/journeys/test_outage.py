"""The database is away: nothing is acknowledged that is not stored, sockets stay, and everything goes on after it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import websocket

from tests.journeys.support.cast import company, new_id, settle
from tests.journeys.support.conversation import Conversation, cursors, get, post, publish
from tests.support.gateways import Gateways
from tests.support.postgres_server import PostgresServer
from tests.support.waiting import wait_until


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_without_a_database_publishing_says_503_and_sockets_stay(
    gateway: Gateways, postgres_server: PostgresServer, server: str
) -> None:
    serving = gateway(server, postgres=True)
    acme = company("Acme")
    settle(serving, acme)
    key = acme.key("that publishes")
    event = {"event_type": "call.status", "data": {"id": new_id()}, "idempotency_key": "once"}
    with Conversation(serving, acme.token("manager")) as manager:
        manager.subscribe(f"customer_id:{acme.id}")
        postgres_server.kill()

        # Each waits for the database in vain, so all at once.
        with ThreadPoolExecutor() as threads:
            posted = threads.submit(post, serving, key, event)
            requested = threads.submit(get, serving, acme.token("manager"), "/v1.0/ws")
            connected = threads.submit(Conversation, serving, acme.token("manager"))
        refused = posted.result()
        assert refused.status_code == 503
        assert refused.json()["code"] == "UNAVAILABLE"
        assert int(refused.headers["Retry-After"]) >= 1
        assert requested.result().status_code == 503
        with pytest.raises(websocket.WebSocketBadStatusException) as handshake:
            connected.result()
        assert handshake.value.status_code == 503
        assert handshake.value.resp_headers["retry-after"] == "1"
        assert manager.before_pong() == []

        postgres_server.restart()
        wait_until(lambda: post(serving, key, event).status_code == 201, "the database to be back")
        [last] = publish(serving, key, {"event_type": "call.ended", "data": {"id": new_id()}})
        received = manager.until(last["cursor"])
        assert [frame["event_type"] for frame in received] == ["call.status", "call.ended"]
        assert cursors(received)[-1] == last["cursor"]
