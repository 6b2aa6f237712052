"""Many publishers at once, over HTTP: one event for a key, numbers without holes, visible in their order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag
from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import get, post
from tests.support.databases import MigratedPostgres
from tests.support.gateway import Gateway, gateway_environment, manage
from tests.support.gateways import Gateways
from tests.support.postgres_server import PostgresServer

PUBLISHERS = 8


@pytest.fixture(scope="module", params=[False, True], ids=["sqlite", "postgres"])
def gateways(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> list[Gateway]:
    """Two processes on one database, for what one process does in turn, two must too."""
    first = gateway_of_file("uvicorn", postgres=request.param)
    return [first, gateway_of_file("daphne", database_url=first.database_url)]


@pytest.fixture
def acme(gateways: list[Gateway]) -> Company:
    """A customer of the test's own, with one event: the making of its log would put the first publishers in turn."""
    made = company("Acme")
    settle(gateways[0], made)
    assert post(gateways[0], made.key("that publishes"), call()).status_code == 201
    return made


def call(**fields: Any) -> dict[str, Any]:
    return {"event_type": "call.status", "data": {"id": new_id()}, **fields}


def numbers(items: list[dict[str, Any]]) -> list[int]:
    return [int(item["cursor"].split(".")[1]) for item in items]


def history(gateway: Gateway, acme: Company, after: str = "") -> dict[str, Any]:
    query = f"&after={after}" if after else ""
    answer = get(gateway, acme.token("manager"), f"/v1.0/events?limit=1000{query}")
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_twenty_requests_at_once_with_one_key_are_one_event(gateways: list[Gateway], acme: Company) -> None:
    event = call(idempotency_key="once")
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda number: post(gateways[number % 2], acme.key("that publishes"), event), range(20))
        )
    assert [answer.status_code for answer in answers] == [201] * 20
    receipts = [answer.json() for answer in answers]
    assert len({receipt["id"] for receipt in receipts}) == 1
    assert sorted(receipt["replayed"] for receipt in receipts) == [False] + [True] * 19
    assert [item["id"] for item in history(gateways[0], acme)["items"][1:]] == [receipts[0]["id"]]


def test_of_two_events_under_one_key_one_is_stored_and_every_other_request_is_a_conflict(
    gateways: list[Gateway], acme: Company
) -> None:
    events = [call(idempotency_key="contested") for _ in range(2)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(
                lambda number: post(
                    gateways[number // 2 % 2], acme.key("that publishes"), events[number % 2]
                ),
                range(10),
            )
        )
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 5
    assert numbers(history(gateways[0], acme)["items"]) == [1, 2]


def test_events_become_visible_in_the_order_of_their_numbers(gateways: list[Gateway], acme: Company) -> None:
    """A reader that continues after the last number it saw misses nothing, however many publish at once."""
    done = Flag()

    def watch() -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = []
        while True:
            last_look = done.is_set()
            page = history(gateways[0], acme, seen[-1]["cursor"] if seen else "")
            seen.extend(page["items"])
            if last_look and not page["items"]:
                return seen

    def publish_in_turn(publisher: int) -> list[dict[str, Any]]:
        receipts = []
        for turn in range(12):
            # Some alone, some in lists: their transactions take unlike times.
            body = [
                call(data={"id": new_id(), "by": publisher, "turn": turn}) for _ in range(1 + turn % 4 * 20)
            ]
            answer = post(gateways[publisher % 2], acme.key("that publishes"), body)
            assert answer.status_code == 201, answer.text
            receipts.extend(answer.json())
        return receipts

    with ThreadPoolExecutor(PUBLISHERS + 1) as pool:
        watching = pool.submit(watch)
        try:
            reported = list(pool.map(publish_in_turn, range(PUBLISHERS)))
        finally:
            done.set()
        seen = watching.result()
    count = sum(map(len, reported))
    assert numbers(seen) == list(range(1, count + 2))
    assert {item["id"] for item in seen[1:]} == {
        receipt["id"] for receipts in reported for receipt in receipts
    }
    for publisher, receipts in enumerate(reported):
        own = [item["id"] for item in seen if item["data"].get("by") == publisher]
        assert own == [receipt["id"] for receipt in receipts]


def test_lists_for_several_customers_never_wait_for_each_other_in_a_circle(
    gateways: list[Gateway], acme: Company
) -> None:
    platform = company("Platform")
    platform.people[0].role = "staff"
    customers = [new_id() for _ in range(4)]
    settle(gateways[0], platform)
    staff = platform.people[0].token

    def publish_for_all(number: int) -> httpx.Response:
        order = customers if number % 2 else customers[::-1]
        return post(gateways[number % 2], staff, [call(customer_id=each) for each in order])

    with ThreadPoolExecutor(PUBLISHERS) as pool:
        answers = list(pool.map(publish_for_all, range(40)))
    assert {answer.status_code for answer in answers} == {201}
    for customer_id in customers:
        page = get(gateways[0], staff, f"/v1.0/events?limit=1000&customer_id={customer_id}").json()
        assert numbers(page["items"]) == list(range(1, 41))


# --- When the database is away ---


@pytest.fixture
def on_postgres(gateway: Gateways) -> Gateway:
    """Of the test's own: its database is taken away."""
    return gateway("uvicorn", postgres=True)


@pytest.fixture
def initech(on_postgres: Gateway) -> Company:
    made = company("Initech")
    settle(on_postgres, made)
    return made


def test_without_its_database_it_says_so_stores_nothing_and_goes_on_afterwards(
    on_postgres: Gateway, initech: Company, postgres_server: PostgresServer
) -> None:
    first = post(on_postgres, initech.key("that publishes"), call())
    assert first.status_code == 201
    postgres_server.shut_down()
    event = call(idempotency_key="k")
    publisher, manager = initech.key("that publishes"), initech.token("manager")
    webhook = {"type": "call_created", "data": {"id": "c"}}
    with ThreadPoolExecutor(5) as pool:
        # At once, for each waits for the database before it gives up.
        requested = [
            pool.submit(post, on_postgres, publisher, event),
            pool.submit(post, on_postgres, publisher, webhook, "/v1.0/webhooks/voipbin"),
            pool.submit(get, on_postgres, manager, "/v1.0/events"),
            pool.submit(get, on_postgres, manager, f"/v1.0/events/{first.json()['id']}"),
            pool.submit(get, on_postgres, manager, "/v1.0/calls"),
        ]
        answers = [each.result() for each in requested]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE"), answer.text
        assert answer.headers["Retry-After"] == "1"
        assert "Traceback" not in answer.text
        assert str(postgres_server.port) not in answer.text
    postgres_server.restart()
    assert [item["id"] for item in history(on_postgres, initech)["items"]] == [first.json()["id"]]
    again = post(on_postgres, publisher, event)
    assert (again.status_code, again.json()["replayed"]) == (201, False)
    assert numbers([again.json()]) == [2]
    assert "Traceback" not in on_postgres.log_text()


FIRST_EVENTS = """
import threading, time, uuid
from django.db import connection
from events.log import publish as publishing
from events.models import CustomerLog
from tests.events.support.stored import draft

lock = publishing.lock_logs

def lock_and_pause(customers, wait_seconds):
    try:
        return lock(customers, wait_seconds)
    finally:
        if len(customers) > 1:
            time.sleep(0.05)  # A busy machine: others insert the missing log now.

publishing.lock_logs = lock_and_pause
failures = []

def store(*customers):
    try:
        publishing.publish([draft(each, "call.status", {"id": "c"}) for each in customers])
    except Exception as error:
        failures.append(error)
    finally:
        connection.close()

for number in range(8):
    new, old = f"00000000-0000-4000-8000-{number:012}", f"ffffffff-0000-4000-8000-{number:012}"
    CustomerLog.objects.create(customer_id=old)
    first, both = threading.Thread(target=store, args=(new,)), threading.Thread(target=store, args=(new, old))
    both.start()
    time.sleep(0.01)
    first.start()
    first.join(0.03)
    another = threading.Thread(target=store, args=(new, old))
    another.start()
    for thread in (first, both, another):
        thread.join()
print(len(failures), *failures)
"""


def test_a_customers_first_events_in_lists_of_several_customers_are_no_deadlock(
    migrated_postgres: MigratedPostgres,
) -> None:
    environment = gateway_environment(migrated_postgres.create_database())
    assert manage(environment, "shell", "--verbosity", "0", text=FIRST_EVENTS).strip() == "0"
