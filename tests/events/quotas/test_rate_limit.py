"""Rate limits, by any clock: one alone, and several from which a request takes at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.quotas.rate_limit import MAX_DEBT_SECONDS, MAX_NAMES, RateLimit, RateLimits, Request

TIMES = st.floats(min_value=0, max_value=4e9)
RATES = st.integers(min_value=1, max_value=1000)


@given(burst=st.integers(min_value=1, max_value=1000), per_second=RATES, now=TIMES)
def test_a_full_limit_grants_its_burst_and_not_one_more(burst: int, per_second: int, now: float) -> None:
    limit = RateLimit(burst, 1 / per_second)
    full_at, wait = limit.take(0.0, now, burst)
    assert wait == 0
    refused = limit.take(full_at, now)
    assert refused.full_at == full_at
    assert 0 < refused.wait_seconds < 1.001 / per_second


@given(per_second=RATES, now=TIMES)
def test_one_more_is_granted_after_the_wait_that_was_returned(per_second: int, now: float) -> None:
    limit = RateLimit(5, 1 / per_second)
    full_at, _ = limit.take(0.0, now, 5)
    wait = limit.take(full_at, now).wait_seconds
    assert limit.take(full_at, now + wait).wait_seconds == 0


def test_more_than_the_burst_is_granted_to_a_full_limit_and_delays_the_next() -> None:
    limit = RateLimit(5, 1.0)
    full_at, wait = limit.take(0.0, 100.0, 12)
    assert (full_at, wait) == (112.0, 0.0)
    assert limit.take(full_at, 100.0) == (112.0, 8.0)
    assert limit.take(full_at, 108.0) == (113.0, 0.0)


def test_more_than_the_burst_waits_until_the_limit_is_full() -> None:
    limit = RateLimit(5, 1.0)
    full_at, _ = limit.take(0.0, 100.0, 1)
    assert limit.take(full_at, 100.0, 6) == (101.0, 1.0)
    assert limit.take(full_at, 101.0, 6) == (107.0, 0.0)


@given(wanted=st.integers(min_value=1, max_value=5000), per_second=RATES, now=TIMES)
def test_whatever_is_wanted_is_granted_after_the_wait_that_was_returned(
    wanted: int, per_second: int, now: float
) -> None:
    limit = RateLimit(1000, 1 / per_second)
    full_at, _ = limit.take(0.0, now, 700)
    wait = limit.take(full_at, now, wanted).wait_seconds
    assert limit.take(full_at, now + wait, wanted).wait_seconds == 0


@pytest.mark.parametrize(("taken", "left"), [(0, 5), (2, 3), (5, 0), (9, 0)])
def test_what_is_left_is_known(taken: int, left: int) -> None:
    limit = RateLimit(5, 1 / 3)
    full_at, _ = limit.take(0.0, 100.0, taken)
    assert limit.left(full_at, 100.0) == left
    assert limit.left(full_at, 1000.0) == 5


SLOW, FAST = RateLimit(2, 1.0), RateLimit(10, 0.1)


def test_several_limits_are_taken_from_together_or_not_at_all() -> None:
    limits = RateLimits()
    assert limits.take([Request("a", SLOW, 1), Request("b", FAST, 10)], 100.0) is None
    shortage = limits.take([Request("a", SLOW, 1), Request("b", FAST, 5)], 100.0)
    assert shortage is not None
    assert (shortage.request.name, round(shortage.wait_seconds, 6)) == ("b", 0.5)
    # Nothing was taken of the other one.
    assert limits.take([Request("a", SLOW, 1)], 100.0) is None
    assert (limits.full_at("a"), limits.full_at("never named")) == (102.0, 0.0)


def test_the_longest_wait_is_returned() -> None:
    limits = RateLimits()
    limits.take([Request("a", SLOW, 2), Request("b", FAST, 10)], 100.0)
    for requests in (("a", "b"), ("b", "a")):
        shortage = limits.take([Request(name, {"a": SLOW, "b": FAST}[name], 1) for name in requests], 100.0)
        assert shortage is not None
        assert (shortage.request.name, shortage.wait_seconds) == ("a", 1.0)


def test_a_limit_that_changes_holds_from_then_on() -> None:
    limits = RateLimits()
    assert limits.take([Request("a", RateLimit(20, 0.1), 20)], 100.0) is None
    assert limits.take([Request("a", RateLimit(200, 0.01), 100)], 101.0) is None


def test_what_was_taken_elsewhere_counts_from_when_it_may_have_been_taken() -> None:
    limits = RateLimits()
    limits.taken_elsewhere(Request("a", SLOW, 3), since=100.0, now=110.0)
    assert limits.take([Request("a", SLOW, 2)], 110.0) is None
    limits.taken_elsewhere(Request("a", SLOW, 3), since=110.0, now=110.0)
    shortage = limits.take([Request("a", SLOW, 1)], 110.0)
    assert shortage is not None
    assert shortage.wait_seconds == 4.0
    # After a time without a limit a process may learn of millions.
    limits.taken_elsewhere(Request("a", SLOW, 1_000_000), since=110.0, now=111.0)
    assert limits.full_at("a") == 113.0 + MAX_DEBT_SECONDS


def test_what_is_given_back_can_be_taken_again() -> None:
    limits = RateLimits()
    taken = [Request("a", SLOW, 2)]
    assert limits.take(taken, 100.0) is None
    limits.give_back([*taken, Request("never named", SLOW, 1)])
    assert limits.take(taken, 100.0) is None
    assert limits.take(taken, 100.0) is not None


def test_limits_that_are_full_again_are_forgotten() -> None:
    limits = RateLimits()
    for number in range(MAX_NAMES + 1):
        limits.take([Request(str(number), SLOW, 1)], 100.0)
    limits.take([Request("still", SLOW, 2)], 101.5)
    limits.take([Request("new", SLOW, 1)], 102.5)
    assert limits.full_at("0") == 0.0
    assert limits.full_at("still") == 103.5
