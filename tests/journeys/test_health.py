"""Whether a process lives, and whether it should be given clients."""

from __future__ import annotations

import httpx
import pytest

from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.postgres_server import PostgresServer
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until
from voipbin_ws import __version__


def test_a_process_that_has_all_it_needs_is_alive_and_ready(gateway_on_each_stack: Gateway) -> None:
    assert httpx.get(f"{gateway_on_each_stack.url}/healthz").json() == {
        "status": "alive",
        "version": __version__,
    }
    answer = httpx.get(f"{gateway_on_each_stack.url}/readyz")
    assert answer.status_code == 200
    assert all(part["ok"] and not part["reason"] for part in answer.json()["parts"].values())


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_without_its_database_it_is_alive_and_not_ready(
    gateway: Gateways, postgres_server: PostgresServer, server: str
) -> None:
    alone = gateway(server, postgres=True, DATABASE_ANSWER_SECONDS="1")
    postgres_server.shut_down()
    assert httpx.get(f"{alone.url}/healthz").status_code == 200
    answer = httpx.get(f"{alone.url}/readyz", timeout=30)
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert answer.json()["parts"]["database"]["reason"]
    postgres_server.restart()
    wait_until(
        lambda: httpx.get(f"{alone.url}/readyz", timeout=30).status_code == 200, "it to be ready again"
    )


def test_a_silent_layer_is_reported_and_clients_may_come_all_the_same(
    gateway: Gateways, redis_server: RedisServer
) -> None:
    alone = gateway("uvicorn", redis=True, CHECK_INTERVAL_SECONDS="0.2")

    def layer() -> dict[str, object]:
        answer = httpx.get(f"{alone.url}/readyz", timeout=30)
        assert answer.status_code == 200
        return dict(answer.json()["parts"]["channel_layer"])

    redis_server.stop()
    wait_until(lambda: not layer()["ok"], "the layer to be called silent")
    redis_server.resume()
    wait_until(lambda: layer()["ok"], "the layer to deliver again")
