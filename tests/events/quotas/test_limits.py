"""The limits that follow from a customer's rates, and the size of a stored event."""

from __future__ import annotations

import pytest

from events.quotas.limits import CUSTOMER, KEY, Rates, publish_limits, stored_size


def test_each_rate_is_a_limit_with_a_burst_of_some_seconds() -> None:
    events, size = publish_limits(CUSTOMER, "c1", Rates(20, 5000), 10)
    assert (events.name, events.unit, events.limit.burst) == ("customer-events:c1", "events", 200)
    assert events.limit.refill_seconds == pytest.approx(0.05)
    assert (size.policy, size.limit.burst) == ("customer-bytes", 50_000)
    assert events.policy_item == '"customer-events";q=200;w=10'
    assert size.policy_item == '"customer-bytes";q=50000;w=10;qu="content-bytes"'


@pytest.mark.parametrize(
    ("rates", "policies"), [(Rates(), []), (Rates(1), ["key-events"]), (Rates(0, 1), ["key-bytes"])]
)
def test_no_rate_is_no_limit(rates: Rates, policies: list[str]) -> None:
    assert [limit.policy for limit in publish_limits(KEY, "k1", rates, 10)] == policies


@pytest.mark.parametrize(("body", "size"), [("{}", 1002), ("é", 1002), ("", 1000)])
def test_an_event_counts_its_data_and_what_it_occupies_beside(body: str, size: int) -> None:
    assert stored_size(body) == size
