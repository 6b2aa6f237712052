"""A flood of log-ins from many addresses, while another customer publishes and reads."""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from subscriptions.accounts.logins import MAX_FAILURE_KINDS
from tests.journeys.support.cast import Company, Person, company, new_id, settle
from tests.journeys.support.conversation import PATIENCE_SECONDS, get, post
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.stacks import Stack

LOGINS = 100
FAILURES = """
import json
from subscriptions.models import AuditRecord
print(json.dumps(list(AuditRecord.objects.filter(action="login").values_list("rule", "count"))))
"""


@pytest.fixture(scope="module")
def flooded(gateway_of_file: Gateways, stack: Stack) -> Gateway:
    """A gateway behind a proxy, with a small pool of database connections."""
    return gateway_of_file(
        stack.server,
        postgres=stack.shared,
        redis=stack.shared,
        TRUSTED_PROXIES="127.0.0.1",
        DATABASE_POOL_SIZE="4",
        # What a password really costs.
        TESTS_HASH_ITERATIONS=str(PBKDF2PasswordHasher.iterations),
    )


@pytest.fixture(scope="module")
def acme(flooded: Gateway) -> Company:
    mary = Person("mary", password="correct horse 1")
    acme = Company("Acme", [mary], [])
    settle(flooded, acme)
    return acme


def log_in(gateway: Gateway, number: int) -> int:
    """Try a password from an address of its own, half of the tries for a name that exists."""
    names = ("mary", f"no one {number}")
    address = {"X-Forwarded-For": f"198.51.100.{number}"}
    if number % 4 == 0:
        with httpx.Client(base_url=gateway.url, timeout=PATIENCE_SECONDS, headers=address) as browser:
            browser.get("/admin/login/")
            form = {"username": names[number % 2], "password": "a guess", "next": "/admin/"}
            form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
            answer = browser.post("/admin/login/", data=form)
            # The form again, with its message.
            return 401 if answer.status_code == 200 else answer.status_code
    body = {"username": names[number % 2], "password": "a guess"}
    return httpx.post(
        f"{gateway.url}/auth/login", json=body, headers=address, timeout=PATIENCE_SECONDS
    ).status_code


def test_a_flood_of_logins_from_many_addresses_leaves_the_others_alone(
    flooded: Gateway, acme: Company
) -> None:
    globex = company("Globex")
    settle(flooded, globex)
    over = threading.Event()
    others: Counter[tuple[str, int]] = Counter()

    def work_meanwhile() -> None:
        # As fast as a program with much to do, not as fast as it can.
        while not over.wait(0.02):
            event = {"event_type": "call.created", "data": {"id": new_id(), "customer_id": globex.id}}
            others["publish", post(flooded, globex.key("that publishes"), event).status_code] += 1
            others["read", get(flooded, globex.token("agent"), "/v1.0/me").status_code] += 1
            others["probe", httpx.get(f"{flooded.url}/healthz", timeout=PATIENCE_SECONDS).status_code] += 1

    with ThreadPoolExecutor(65) as clients:
        worker = clients.submit(work_meanwhile)
        answers = Counter(clients.map(lambda number: log_in(flooded, number), range(LOGINS)))
        over.set()
        worker.result()
    assert set(answers) == {401, 429}, answers
    assert {status for what, status in others if what != "publish"} == {200}, others
    assert {status for what, status in others if what == "publish"} == {201}, others
    assert get(flooded, acme.token("mary"), "/v1.0/me").status_code == 200
    # Few records, and none is lost: the last ones are stored when the process stops.
    flooded.terminate()
    records = json.loads(flooded.manage("shell", "--verbosity", "0", "--command", FAILURES))
    assert sum(count for _, count in records) == LOGINS
    assert len(records) <= MAX_FAILURE_KINDS + 1
    # How many reach the throttle of the name depends on how fast passwords are hashed.
    assert {rule for rule, _ in records} <= {"wrong-password", "many-failed-logins", "too-many-logins"}
    flooded.restart()
