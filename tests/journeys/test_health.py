"""Whether a process lives, and whether it should be given clients."""

from __future__ import annotations

import resource

import httpx
import psycopg
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


@pytest.mark.parametrize("method", ["POST", "QUERY"])
def test_another_method_is_answered_with_those_that_are_supported(
    gateway_on_each_stack: Gateway, method: str
) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        answer = httpx.request(method, gateway_on_each_stack.url + path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD"), path


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


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_with_a_full_disk_it_is_alive_and_not_ready(gateway: Gateways, server: str) -> None:
    alone = gateway(server, CHECK_INTERVAL_SECONDS="0.2")
    assert httpx.get(f"{alone.url}/readyz").status_code == 200
    before = resource.prlimit(alone.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    why = "it answers, but takes no writes (SQLITE_"
    wait_until(lambda: why in httpx.get(f"{alone.url}/readyz", timeout=30).text, "it to notice")
    assert httpx.get(f"{alone.url}/readyz", timeout=30).status_code == 503
    assert httpx.get(f"{alone.url}/healthz").status_code == 200
    resource.prlimit(alone.pid, resource.RLIMIT_FSIZE, before)
    wait_until(lambda: httpx.get(f"{alone.url}/readyz").status_code == 200, "it to be ready again")


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_with_a_database_to_read_only_it_is_alive_and_not_ready(
    gateway: Gateways, postgres_server: PostgresServer, server: str
) -> None:
    alone = gateway(server, postgres=True, CHECK_INTERVAL_SECONDS="0.2")
    name = alone.database_url.rpartition("/")[2]

    def become(mode: str) -> None:
        with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {mode}")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )

    def readiness() -> httpx.Response:
        return httpx.get(f"{alone.url}/readyz", timeout=30)

    become("on")
    if server == "daphne":
        # Its first request starts the parts, and a balancer decides by the first answer.
        assert readiness().status_code == 503
    wait_until(lambda: "(ReadOnlySqlTransaction)" in readiness().text, "it to notice")
    assert readiness().status_code == 503
    assert httpx.get(f"{alone.url}/healthz").status_code == 200
    become("off")
    wait_until(lambda: readiness().status_code == 200, "it to be ready again")


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
