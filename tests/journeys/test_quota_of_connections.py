"""The quota of WebSockets: counted over all processes, answered with 429, and of one customer alone."""

from __future__ import annotations

import json
import re

import httpx
import pytest
import websocket

from tests.journeys.support.cast import Company, company, settle
from tests.journeys.support.conversation import get
from tests.journeys.support.operator_browser import superuser
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

QUOTA = {"CUSTOMER_MAX_CONNECTIONS": "3", "CHECK_INTERVAL_SECONDS": "0.2"}


class Crowd:
    """The open WebSockets of a customer."""

    def __init__(self, acme: Company) -> None:
        self._credential = acme.token("agent")
        self.open: list[websocket.WebSocket] = []

    def enter(self, gateway: Gateway) -> tuple[int, str, dict[str, str]]:
        """Open one more; returns the status, the code and the headers of the answer."""
        try:
            socket = websocket.create_connection(f"{gateway.ws_url}?token={self._credential}", timeout=30)
        except websocket.WebSocketBadStatusException as refused:
            return refused.status_code, json.loads(refused.resp_body)["code"], refused.resp_headers
        self.open.append(socket)
        return 101, "", {}

    def leave(self) -> None:
        self.open.pop().close()


def enter_when_there_is_room(crowd: Crowd, gateway: Gateway) -> None:
    wait_until(lambda: crowd.enter(gateway)[0] == 101, "room for one more")


def refusals(gateway: Gateway) -> int:
    text = httpx.get(f"{gateway.url}/metrics").text
    found = re.search(r'^voipbin_ws_quota_refusals_total{quota="connections"} (\d+)', text, re.MULTILINE)
    return int(found[1]) if found else 0


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_customer_has_a_most_of_connections_and_another_notices_nothing(
    gateway: Gateways, server: str
) -> None:
    serving = gateway(server, **QUOTA)
    acme, globex = company("Acme"), company("Globex")
    settle(serving, acme, globex)
    crowd = Crowd(acme)
    assert [crowd.enter(serving)[0] for _ in range(3)] == [101] * 3
    status, code, headers = crowd.enter(serving)
    assert (status, code, headers["retry-after"]) == (429, "RATE_LIMITED", "60")
    asked = get(serving, acme.token("agent"), "/v1.0/ws")
    assert (asked.status_code, asked.json()["code"], asked.headers["Retry-After"]) == (
        429,
        "RATE_LIMITED",
        "60",
    )
    assert "all its 3 connections open" in asked.json()["message"]
    assert refusals(serving) == 1
    other = Crowd(globex)
    assert other.enter(serving)[0] == 101
    assert get(serving, globex.token("agent"), "/v1.0/ws").status_code == 426
    # One that leaves makes room, and so does an operator.
    crowd.leave()
    enter_when_there_is_room(crowd, serving)
    assert crowd.enter(serving)[0] == 429
    page = f"/admin/subscriptions/customer/{acme.id}/change/"
    form = {"name": "Acme", "is_active": "on"}
    operator = superuser(serving)
    assert operator.post(page, {**form, "max_connections": "4"}).status_code == 302
    assert crowd.enter(serving)[0] == 101
    assert operator.post(page, {**form, "max_connections": "0"}).status_code == 302
    assert [crowd.enter(serving)[0] for _ in range(3)] == [101] * 3


def test_connections_are_counted_over_all_processes(gateway: Gateways) -> None:
    here = gateway("uvicorn", postgres=True, redis=True, **QUOTA)
    there = gateway("daphne", database_url=here.database_url, redis=True, **QUOTA)
    acme, globex = company("Acme"), company("Globex")
    settle(here, acme, globex)
    crowd, other = Crowd(acme), Crowd(globex)
    # A process counts its own connections at once, and learns those of the other one with a heartbeat.
    assert crowd.enter(there)[0] == crowd.enter(there)[0] == 101
    assert crowd.enter(here)[0] == 101

    def is_full(gateway: Gateway) -> bool:
        if crowd.enter(gateway)[0] == 429:
            return True
        crowd.leave()
        return False

    for each in (here, there):
        wait_until(lambda each=each: is_full(each), "the process to learn of the other's")  # type: ignore[misc]
        assert other.enter(each)[0] == 101
        assert get(each, acme.token("agent"), "/v1.0/ws").status_code == 429
    # What a crashed process held is free after its lease.
    there.kill()
    enter_when_there_is_room(crowd, here)
    enter_when_there_is_room(crowd, here)
    wait_until(lambda: is_full(here), "both to be counted")
