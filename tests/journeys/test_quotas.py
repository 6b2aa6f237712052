"""The quotas of publishing: one customer is refused, with what it needs to know, and no other notices."""

# Long because all quotas of publishing share the gateways.

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import Company, Key, Person, company, new_id, settle
from tests.journeys.support.conversation import get, post
from tests.journeys.support.operator_browser import OperatorBrowser, superuser
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.stacks import Stack
from tests.support.waiting import wait_until

# A burst of 100 events, of which one a second comes back.
QUOTAS = {
    "CUSTOMER_EVENTS_PER_SECOND": "1",
    "CUSTOMER_BYTES_PER_SECOND": "2000",
    "PUBLISH_BURST_SECONDS": "100",
}


@pytest.fixture(scope="module")
def gateway(gateway_of_file: Gateways, stack: Stack) -> Gateway:
    return gateway_of_file(stack.server, postgres=stack.shared, redis=stack.shared, **QUOTAS)


@pytest.fixture(scope="module")
def operator(gateway: Gateway) -> OperatorBrowser:
    return superuser(gateway)


@pytest.fixture
def acme(gateway: Gateway) -> Company:
    """A customer of each test's own, with all of its quotas."""
    acme = company("Acme")
    acme.keys.append(Key("that publishes too", may_publish=True))
    settle(gateway, acme)
    return acme


@pytest.fixture(scope="module")
def globex(gateway: Gateway) -> Company:
    globex = company("Globex")
    settle(gateway, globex)
    return globex


def events(count: int, size: int = 0) -> list[dict[str, Any]]:
    return [{"event_type": "call.status", "data": {"id": new_id(), "x": "x" * size}} for _ in range(count)]


def publish(gateway: Gateway, acme: Company, count: int, size: int = 0, **headers: str) -> httpx.Response:
    return post(gateway, acme.key("that publishes"), events(count, size), **headers)


def stored(gateway: Gateway, acme: Company) -> int:
    return int(get(gateway, acme.token("manager"), "/v1.0/events").json()["cursor"].rpartition(".")[2])


def assert_undisturbed(gateway: Gateway, globex: Company) -> None:
    assert post(gateway, globex.key("that publishes"), events(1)).status_code == 201


def refusals(gateway: Gateway, quota: str) -> float:
    text = httpx.get(f"{gateway.url}/metrics").text
    found = re.search(rf'^voipbin_ws_quota_refusals_total{{quota="{quota}"}} (\S+)', text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def set_quotas(operator: OperatorBrowser, acme: Company, **fields: str) -> None:
    page = f"/admin/subscriptions/customer/{acme.id}/change/"
    answer = operator.post(page, {"name": "Acme", "is_active": "on", **fields})
    assert answer.status_code == 302, answer.text


def test_too_many_events_are_refused_and_those_of_another_customer_are_not(
    gateway: Gateway, acme: Company, globex: Company
) -> None:
    before = refusals(gateway, "customer-events")
    accepted = publish(gateway, acme, 80)
    assert accepted.status_code == 201
    policies = '"customer-events";q=100;w=100, "customer-bytes";q=200000;w=100;qu="content-bytes"'
    assert accepted.headers["RateLimit-Policy"] == policies
    assert re.match(
        r'"customer-events";r=2\d;t=(79|80), "customer-bytes";r=\d+;t=\d+$', accepted.headers["RateLimit"]
    )
    refused = publish(gateway, acme, 60)
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
    assert 30 <= int(refused.headers["Retry-After"]) <= 40
    assert refused.json()["message"].startswith(
        "Your customer publishes more than 1 events a second: nothing was stored"
    )
    assert refused.headers["RateLimit-Policy"] == policies
    assert stored(gateway, acme) == 80
    # The rest is still there, for any of its keys.
    assert post(gateway, acme.key("that publishes too"), events(20)).status_code == 201
    assert post(gateway, acme.key("that publishes too"), events(20)).status_code == 429
    assert_undisturbed(gateway, globex)
    assert refusals(gateway, "customer-events") == before + 2


def test_after_the_wait_the_same_request_is_stored(
    gateway: Gateway, acme: Company, operator: OperatorBrowser
) -> None:
    set_quotas(operator, acme, events_per_second="50", kilobytes_per_second="0")
    key = {"Idempotency-Key": new_id()}
    assert publish(gateway, acme, 1000).status_code == 201
    assert publish(gateway, acme, 1000).status_code == 201
    while (answer := post(gateway, acme.key("that publishes"), events(1000), **key)).status_code == 201:
        key = {"Idempotency-Key": new_id()}
    assert answer.headers["Retry-After"].isdigit()
    body = events(10)
    wait_until(
        lambda: post(gateway, acme.key("that publishes"), body, **key).status_code == 201, "its turn to come"
    )


def test_more_than_the_burst_at_once_is_accepted_and_delays_the_next(gateway: Gateway, acme: Company) -> None:
    assert publish(gateway, acme, 150).status_code == 201
    refused = publish(gateway, acme, 1)
    assert refused.status_code == 429
    assert 49 <= int(refused.headers["Retry-After"]) <= 51


def test_too_many_bytes_are_refused_before_they_are_read_as_events(
    gateway: Gateway, acme: Company, globex: Company
) -> None:
    before = refusals(gateway, "customer-bytes")
    nonsense = "{" + "x" * 150_000
    assert post(gateway, acme.key("that publishes"), nonsense).status_code == 400
    refused = post(gateway, acme.key("that publishes"), nonsense)
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
    assert "2000 bytes a second" in refused.json()["message"]
    # It costs no events.
    assert publish(gateway, acme, 90).status_code == 201
    assert_undisturbed(gateway, globex)
    assert refusals(gateway, "customer-bytes") == before + 1


def test_webhooks_count_as_events(gateway: Gateway, acme: Company) -> None:
    assert publish(gateway, acme, 100).status_code == 201
    body = json.dumps({"type": "call_created", "data": {"id": new_id(), "customer_id": acme.id}})
    refused = post(gateway, acme.key("that publishes"), body, "/v1.0/webhooks/voipbin")
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")


def test_events_that_platform_staff_publish_count_for_their_customer(
    gateway: Gateway, acme: Company, globex: Company
) -> None:
    staff = Person("staff", role="staff")
    platform = Company("Platform", [staff], [])
    platform.keys.append(Key("of the staff", agent_id=staff.id, may_publish=True))
    settle(gateway, platform)

    def of(customer_id: str, count: int) -> list[dict[str, Any]]:
        return [{**event, "customer_id": customer_id} for event in events(count)]

    key = platform.key("of the staff")
    for count in (100, 100):
        other = company("Other")
        settle(gateway, other)
        assert post(gateway, key, of(other.id, count)).status_code == 201
    assert post(gateway, key, of(acme.id, 100)).status_code == 201
    assert post(gateway, key, of(acme.id, 10)).status_code == 429
    both = post(gateway, key, [*of(globex.id, 1), *of(acme.id, 10)])
    assert both.status_code == 429
    assert publish(gateway, acme, 10).status_code == 429
    assert stored(gateway, acme) == 100
    assert post(gateway, key, of(globex.id, 1)).status_code == 201


def test_a_key_has_rates_of_its_own(gateway: Gateway, acme: Company, operator: OperatorBrowser) -> None:
    answer = operator.get("/admin/subscriptions/accesskey/", customer=acme.id, q="that publishes too")
    (path,) = set(re.findall(r"/admin/subscriptions/accesskey/[0-9a-f-]{36}/change/", answer.text))
    form = {"label": "that publishes too", "may_publish": "on", "expiry": "keep", "events_per_second": "1"}
    assert operator.post(path, form).status_code == 302
    set_quotas(operator, acme, events_per_second="1000")
    slow = acme.key("that publishes too")
    assert post(gateway, slow, events(100)).status_code == 201
    refused = post(gateway, slow, events(10))
    assert refused.status_code == 429
    assert refused.json()["message"].startswith("This credential publishes more than 1 events a second")
    assert '"key-events";q=100;w=100' in refused.headers["RateLimit-Policy"]
    assert publish(gateway, acme, 10).status_code == 201


def test_quotas_change_without_a_restart(gateway: Gateway, acme: Company, operator: OperatorBrowser) -> None:
    assert publish(gateway, acme, 100).status_code == 201
    assert publish(gateway, acme, 100).status_code == 429
    # Large requests and small ones take different ways.
    for size in (0, 900):
        set_quotas(operator, acme, events_per_second="0", kilobytes_per_second="0")
        accepted = publish(gateway, acme, 100, size)
        assert accepted.status_code == 201
        assert "RateLimit" not in accepted.headers
        set_quotas(operator, acme, kilobytes_per_second="0")
        assert publish(gateway, acme, 100, size).status_code == 429


def test_processes_share_the_rate_of_a_customer(
    gateway_of_file: Gateways, gateway: Gateway, stack: Stack, acme: Company
) -> None:
    if not stack.shared:
        pytest.skip("one process serves SQLite here")
    other = gateway_of_file(
        stack.server,
        database_url=gateway.database_url,
        redis_url=gateway.environment["REDIS_URL"],
        **QUOTAS,
    )
    assert publish(gateway, acme, 1).status_code == 201
    assert publish(other, acme, 90).status_code == 201
    # It finds out with its next request.
    assert publish(gateway, acme, 1).status_code == 201
    refused = publish(gateway, acme, 30)
    assert refused.status_code == 429
    assert publish(gateway, acme, 5).status_code == 201


def test_a_customer_without_room_is_refused_until_there_is_some(
    gateway: Gateway, acme: Company, globex: Company, operator: OperatorBrowser
) -> None:
    page = f"/admin/subscriptions/customer/{acme.id}/change/"
    unlimited = {"events_per_second": "0", "kilobytes_per_second": "0"}
    set_quotas(operator, acme, **unlimited, stored_megabytes="1")
    before = refusals(gateway, "stored-bytes")
    first = {"Idempotency-Key": new_id()}
    body = events(1, 100_000)
    assert post(gateway, acme.key("that publishes"), body, **first).status_code == 201
    assert publish(gateway, acme, 8, 100_000).status_code == 201
    refused = publish(gateway, acme, 1, 100_000)
    assert (refused.status_code, refused.json()["code"]) == (507, "STORAGE_FULL")
    assert refused.headers["Retry-After"] == "60"
    assert "1000000 bytes" in refused.json()["message"]
    assert stored(gateway, acme) == 9
    # What was stored is confirmed again; people and other customers go on.
    again = post(gateway, acme.key("that publishes"), body, **first)
    assert (again.status_code, again.json()[0]["replayed"]) == (201, True)
    status = httpx.put(
        f"{gateway.url}/v1.0/agents/{acme.person('agent').id}/status",
        json={"status": "available"},
        headers={"Authorization": f"Bearer {acme.token('agent')}"},
    )
    assert status.status_code == 200
    assert_undisturbed(gateway, globex)
    assert refusals(gateway, "stored-bytes") == before + 1
    assert re.search(r"9\d\d kB of 1 MB", operator.get(page).text)
    # A larger quota, or fewer events.
    set_quotas(operator, acme, **unlimited, stored_megabytes="2")
    assert publish(gateway, acme, 1, 100_000).status_code == 201
    set_quotas(operator, acme, **unlimited, stored_megabytes="1")
    assert publish(gateway, acme, 1).status_code == 507

    def there_is_room() -> bool:
        gateway.manage("prune_events", "--older-than", "1s", "--customer", acme.id)
        return publish(gateway, acme, 5, 100_000).status_code == 201

    wait_until(there_is_room, "the events to be old enough")
