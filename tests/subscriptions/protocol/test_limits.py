"""The rate limit, by any clock."""

from __future__ import annotations

import re
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from subscriptions.protocol.limits import Limits, RateLimit
from tests.support.processes import ROOT

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


def test_more_than_the_burst_is_never_granted() -> None:
    assert RateLimit(5, 1.0).take(0.0, 100.0, 6) == (0.0, 1.0)


def test_each_limit_of_a_connection_is_in_the_protocol_document() -> None:
    section = (ROOT / "docs" / "protocol.md").read_text().partition("\n## Limits\n")[2].partition("\n## ")[0]
    assert {limit.name.upper() for limit in fields(Limits)} <= set(re.findall("`([A-Z_]+)`", section))
