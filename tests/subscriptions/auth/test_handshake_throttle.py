"""The throttle of refused handshakes."""

from __future__ import annotations

import pytest

from subscriptions.auth import handshake_throttle as module
from subscriptions.auth.handshake_throttle import (
    LONGEST_WAIT_SECONDS,
    MAX_REMEMBERED,
    PER_ADDRESS,
    HandshakeThrottle,
    credential_digest,
)

BAD, GOOD = credential_digest("token=bad", {}), credential_digest("", {"authorization": "Bearer good"})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def test_an_address_with_many_refused_handshakes_waits_and_its_network_with_it(clock: list[float]) -> None:
    throttle = HandshakeThrottle()
    for number in range(PER_ADDRESS.burst):
        assert throttle.wait_seconds("2001:db8::1", BAD) == 0
        throttle.refused(f"2001:db8::{number:x}", BAD)
    for _ in range(1000):
        # Those that were on their way.
        throttle.refused("2001:db8::1", BAD)
    assert 0 < throttle.wait_seconds("2001:db8::ffff", GOOD) <= PER_ADDRESS.refill_seconds
    assert throttle.wait_seconds("2001:db8:0:1::1", BAD) == 0
    clock[0] += PER_ADDRESS.refill_seconds
    assert throttle.wait_seconds("2001:db8::1", BAD) == 0
    throttle.refused("2001:db8::1", BAD)
    assert throttle.wait_seconds("2001:db8::1", BAD) > 0


def test_a_credential_that_was_accepted_does_not_wait_until_it_is_refused(clock: list[float]) -> None:
    throttle = HandshakeThrottle()
    throttle.accepted(GOOD)
    for _ in range(PER_ADDRESS.burst):
        throttle.refused("192.0.2.7", BAD)
    assert throttle.wait_seconds("192.0.2.7", GOOD) == 0
    throttle.refused("192.0.2.7", GOOD)
    assert throttle.wait_seconds("192.0.2.7", GOOD) > 0


def test_connections_that_flood_let_their_address_wait_longer_but_not_for_ever(clock: list[float]) -> None:
    throttle = HandshakeThrottle()
    for _ in range(20):
        throttle.flooded("192.0.2.7", GOOD)
    wait = throttle.wait_seconds("192.0.2.7", GOOD)
    assert LONGEST_WAIT_SECONDS - 1 < wait <= LONGEST_WAIT_SECONDS
    throttle.refused("192.0.2.7", GOOD)
    assert throttle.wait_seconds("192.0.2.7", GOOD) == wait


def test_what_is_remembered_is_bounded(clock: list[float]) -> None:
    throttle = HandshakeThrottle()
    for number in range(MAX_REMEMBERED + 10):
        throttle.refused(f"host {number}", BAD)
        throttle.accepted(str(number).encode())
    assert len(throttle._full_at) == len(throttle._accepted) == MAX_REMEMBERED
