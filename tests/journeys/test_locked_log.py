"""One customer's log that another transaction holds, while other customers publish."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from events.api.publish_request import LOG_WAIT_SECONDS
from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import Conversation, get, post
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

SERVERS = ("daphne", "uvicorn")


@pytest.fixture(scope="module", params=SERVERS)
def gateway(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> Gateway:
    return gateway_of_file(request.param, postgres=True, METRICS_TOKEN="metrics-token")


def customer(gateway: Gateway) -> Company:
    """Return a customer that has published."""
    made = company(f"Company {new_id()}")
    settle(gateway, made)
    assert publish(gateway, made, "first").status_code == 201
    return made


def publish(gateway: Gateway, made: Company, call_id: str, *, size: int = 0, key: str = "") -> httpx.Response:
    event: dict[str, Any] = {"event_type": "call.status", "data": {"id": call_id, "text": "x" * size}}
    if key:
        event["idempotency_key"] = key
    return post(gateway, made.key("that publishes"), event)


def calls(gateway: Gateway, made: Company) -> list[tuple[int, str]]:
    """Return the number and the call of each stored event, in the order of the log."""
    page = get(gateway, made.token("manager"), "/v1.0/events?limit=1000").json()
    found = [(int(each["cursor"].split(".")[1]), each["data"]["id"]) for each in page["items"]]
    return sorted(found)


@contextmanager
def locked(gateway: Gateway, made: Company) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(gateway.database_url) as connection:
        connection.execute("SELECT FROM events_customerlog WHERE customer_id = %s FOR UPDATE", [made.id])
        yield connection


def waiters(gateway: Gateway) -> int:
    """Return how many statements wait for a lock."""
    with psycopg.connect(gateway.database_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ).fetchone()
    return row[0] if row else 0


def test_others_publish_while_a_log_is_locked_and_its_publishers_wait(gateway: Gateway) -> None:
    acme, globex = customer(gateway), customer(gateway)
    with ThreadPoolExecutor(60) as pool:
        waiting: list[Future[httpx.Response]] = []
        with (
            locked(gateway, acme),
            Conversation(gateway, globex.token("manager")) as client,
        ):
            client.subscribe(f"customer_id:{globex.id}")
            for number in range(40):
                # Small ones, and every eighth large.
                size = 100_000 if number % 8 == 0 else 0
                waiting.append(
                    pool.submit(publish, gateway, acme, f"a{number}", size=size, key=f"key {number}")
                )
            wait_until(lambda: waiters(gateway) >= 2, "publishers of Acme wait for the lock")
            for number in range(20):
                answer = publish(gateway, globex, f"g{number}")
                assert answer.status_code == 201
                assert client.receive()["cursor"] == answer.json()["cursor"]
            # Large ones of another customer are not behind those of Acme either.
            assert publish(gateway, globex, "large", size=100_000).status_code == 201
            assert waiters(gateway) >= 1
        answers = [each.result() for each in waiting]
    assert {each.status_code for each in answers} <= {201, 503}
    stored = calls(gateway, acme)
    # Nothing is lost, doubled, or without a number.
    assert [number for number, _ in stored] == list(range(1, len(stored) + 1))
    done = {f"a{number}" for number, each in enumerate(answers) if each.status_code == 201}
    assert sorted(call for _, call in stored) == sorted({"first"} | done)
    # Sent again, each is stored once.
    again = [
        publish(gateway, acme, f"a{each}", size=100_000 if each % 8 == 0 else 0, key=f"key {each}")
        for each in range(40)
    ]
    assert {each.status_code for each in again} == {201}
    assert sorted(call for _, call in calls(gateway, acme)) == sorted(
        {"first", *(f"a{number}" for number in range(40))}
    )


def test_a_log_that_stays_locked_is_answered_with_503_after_a_bounded_time(gateway: Gateway) -> None:
    acme, globex = customer(gateway), customer(gateway)
    with ThreadPoolExecutor(8) as pool, locked(gateway, acme):
        waiting = [
            pool.submit(publish, gateway, acme, f"a{number}", size=number % 2 * 100_000)
            for number in range(4)
        ]
        wait_until(lambda: waiters(gateway) >= 1, "publishers of Acme wait for the lock")
        assert publish(gateway, globex, "g").status_code == 201
        answers = [each.result() for each in waiting]
    assert [each.status_code for each in answers] == [503] * 4
    assert {each.json()["code"] for each in answers} == {"UNAVAILABLE"}
    assert all("holds the customer's log" in each.json()["message"] for each in answers)
    assert all(int(each.headers["Retry-After"]) >= 1 for each in answers)
    assert max(each.elapsed.total_seconds() for each in answers) < 6 * LOG_WAIT_SECONDS
    assert calls(gateway, acme) == [(1, "first")]
    assert publish(gateway, acme, "afterwards").status_code == 201
    metrics = httpx.get(f"{gateway.url}/metrics", headers={"Authorization": "Bearer metrics-token"}).text
    assert 'voipbin_ws_log_waits_total{outcome="refused"}' in metrics
