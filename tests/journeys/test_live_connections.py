"""Who is connected, across processes of both servers: one shows the other's sockets, closes them, and outlives it."""

from __future__ import annotations

import json
import re

import websocket

from tests.journeys.support.cast import company, settle
from tests.journeys.support.operator_browser import superuser
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

LIST = "/admin/subscriptions/liveconnection/"
_ROW = re.compile(r'name="_selected_action" value="([0-9a-f-]{36})"')


class AdminClient:
    """An operator's browser at one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._operator = superuser(gateway)

    def listed(self, **query: str) -> list[str]:
        """The ids of the connections that the page shows."""
        return _ROW.findall(self._operator.get(LIST, **query).text)

    def close(self, connection_id: str, word: str) -> None:
        chosen = {"action": "close_connections", "_selected_action": connection_id, "confirmed": "yes"}
        assert self._operator.post(LIST, chosen | {"reason": word}).status_code == 302
        assert "Closing 1 connection" in self._operator.get(LIST).text


def connected(gateway: Gateway, secret: str, client: str) -> websocket.WebSocket:
    return websocket.create_connection(
        f"{gateway.ws_url}?token={secret}", timeout=30, header=[f"User-Agent: {client}"]
    )


def test_one_process_shows_and_closes_the_others_sockets_and_forgets_it_when_it_crashes(
    gateway: Gateways,
) -> None:
    # Beats of 0.4 s, leases of 2.2 s.
    here = gateway("uvicorn", postgres=True, redis=True, CHECK_INTERVAL_SECONDS="0.2")
    there = gateway("daphne", database_url=here.database_url, redis=True, CHECK_INTERVAL_SECONDS="0.2")
    acme = company("Acme")
    settle(here, acme)
    key = acme.key("of the customer")
    desk = AdminClient(here)
    ours = connected(here, key, "ours/1")
    first, second = [connected(there, key, f"theirs/{number}") for number in (1, 2)]
    wait_until(lambda: len(desk.listed()) == 3, "all sockets to be listed")
    [first_id] = desk.listed(q="theirs/1")

    desk.close(first_id, "you flood us")
    reported = json.loads(first.recv())
    assert (reported["code"], reported["message"]) == ("REVOKED", "Closed by an operator: you flood us")
    opcode, data = first.recv_data()
    assert (opcode, int.from_bytes(data[:2], "big")) == (websocket.ABNF.OPCODE_CLOSE, 4403)
    wait_until(lambda: len(desk.listed()) == 2, "the closed one to go")
    for socket in (ours, second):
        socket.send('{"type": "ping"}')
        assert json.loads(socket.recv())["type"] == "pong"

    there.kill()
    wait_until(lambda: not desk.listed(q="theirs/2"), "the crashed process's connection to vanish")
    assert len(desk.listed(q="ours/1")) == 1
