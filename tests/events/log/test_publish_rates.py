"""The rates of a process: what it publishes, and what it learns that others have published."""

from __future__ import annotations

import pytest

from events.log import publish_rates as module
from events.log.publish import publish
from events.log.publish_rates import PublishRates, RateExceeded, Totals
from events.quotas.limits import CUSTOMER, EVENTS, KEY, Rates, publish_limits
from tests.events.support.people import new_id
from tests.events.support.stored import draft

ACME = publish_limits(CUSTOMER, "acme", Rates(10, 1000), 2)
GLOBEX = publish_limits(CUSTOMER, "globex", Rates(10, 1000), 2)
KEY_OF_ACME = publish_limits(KEY, "k", Rates(2), 2)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refusal(
    rates: PublishRates, count: int, limits: tuple[module.PublishLimit, ...] = ACME
) -> RateExceeded | None:
    try:
        rates.take([(limit, count) for limit in limits if limit.unit == EVENTS])
    except RateExceeded as error:
        return error
    return None


def test_a_customer_that_is_too_fast_is_refused_and_no_other(clock: Clock) -> None:
    rates = PublishRates(clock)
    assert refusal(rates, 20) is None
    refused = refusal(rates, 15)
    assert refused is not None
    assert refused.wait_seconds == 2
    assert str(refused) == (
        "Your customer publishes more than 10 events a second: nothing was stored, try again in 2 s"
    )
    assert refusal(rates, 20, GLOBEX) is None
    clock.now += 1.5
    assert refusal(rates, 15) is None


def test_a_key_has_a_limit_of_its_own_beside_its_customers(clock: Clock) -> None:
    rates = PublishRates(clock)
    assert refusal(rates, 4, ACME + KEY_OF_ACME) is None
    refused = refusal(rates, 1, ACME + KEY_OF_ACME)
    assert refused is not None
    assert "This credential publishes more than 2 events a second" in str(refused)
    assert refusal(rates, 16) is None


def test_the_headers_tell_what_is_left(clock: Clock) -> None:
    rates = PublishRates(clock)
    refusal(rates, 5)
    assert rates.headers(ACME) == {
        "RateLimit-Policy": '"customer-events";q=20;w=2, "customer-bytes";q=2000;w=2;qu="content-bytes"',
        "RateLimit": '"customer-events";r=15;t=1, "customer-bytes";r=2000;t=0',
    }
    assert rates.headers(()) == {}


def test_processes_together_grant_the_rate_of_a_customer(clock: Clock) -> None:
    """Two processes, which a publisher uses in turn as fast as they let it."""
    processes = PublishRates(clock), PublishRates(clock)
    log, granted = Totals(0, 0), 0
    seconds = 60
    for _ in range(seconds * 10):
        for rates in processes:
            if refusal(rates, 2) is None:
                before, log = log, Totals(log.events + 2, log.bytes + 20)
                rates.learn({"acme": (before, log)})
                granted += 2
        clock.now += 0.1
    assert seconds * 10 <= granted <= seconds * 10 + 2 * 20 + 20


def test_what_others_published_long_ago_counts_no_more(clock: Clock) -> None:
    rates = PublishRates(clock)
    rates.learn({"acme": (Totals(0, 0), Totals(1, 10))})
    clock.now += 1000
    rates.learn({"acme": (Totals(5001, 100), Totals(5002, 110))})
    assert refusal(rates, 20) is None


def test_a_log_that_went_backwards_costs_nothing(clock: Clock) -> None:
    rates = PublishRates(clock)
    rates.learn({"acme": (Totals(0, 0), Totals(5000, 5000))})
    rates.learn({"acme": (Totals(10, 10), Totals(11, 11))})
    assert refusal(rates, 20) is None


def test_the_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CUSTOMERS", 10)
    rates = PublishRates(clock)
    for number in range(100):
        rates.learn({str(number): (Totals(0, 0), Totals(1, 1))})
    assert len(rates._known) <= 11


@pytest.mark.django_db(transaction=True)
def test_publishing_learns_from_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    customer_id = new_id()
    learned: list[dict[str, tuple[Totals, Totals]]] = []
    monkeypatch.setattr(module.publish_rates, "learn", learned.append)
    publish([draft(customer_id, "call.status", {"id": "1"})])
    publish([draft(customer_id, "call.status", {"id": "12"})] * 2)
    assert learned == [
        {customer_id: (Totals(0, 0), Totals(1, 11))},
        {customer_id: (Totals(1, 11), Totals(3, 35))},
    ]
