"""The oracle itself: it finds each kind of broken promise, and none where there is none."""

from __future__ import annotations

import pytest

from tests.faults.support.oracle import (
    Happening,
    Missed,
    ReceivedEvent,
    Started,
    Stopped,
    StoredEvent,
    Story,
    judge,
)

ACME, GLOBEX = "acme", "globex"
CALLS = "customer_id:acme:call:*"
QUEUES = "customer_id:acme:queue:*"
LOG = [
    *(
        StoredEvent(
            ACME, seq, f"a{seq}", frozenset({f"customer_id:acme:{'call' if seq % 2 else 'queue'}:{seq}"})
        )
        for seq in range(1, 11)
    ),
    StoredEvent(GLOBEX, 1, "g1", frozenset({"customer_id:globex:call:1"})),
]


def received(*numbers: int) -> list[Happening]:
    return [ReceivedEvent(f"a{seq}", seq, f"customer_id:acme:call:{seq}") for seq in numbers]


def problems(*happenings: Happening, acknowledged: tuple[str, ...] = (), log: list[StoredEvent] = LOG) -> str:
    return "; ".join(judge(acknowledged, log, [Story("Ann", ACME, list(happenings))]).problems)


def test_a_client_that_received_all_has_nothing_to_complain_of() -> None:
    assert problems(Started(2, (CALLS,)), *received(3, 5, 7, 9), acknowledged=("a1", "g1")) == ""


@pytest.mark.parametrize(
    ("happenings", "problem"),
    [
        ([Started(2, (CALLS,)), *received(3, 7, 9)], "never received 1 events"),
        ([Started(2, (CALLS,)), *received(3, 5, 7)], "never received 1 events"),
        ([Started(2, (CALLS,)), *received(3, 5, 5, 7, 9)], "received 1 events twice"),
        ([Started(2, (CALLS,)), *received(3, 7, 5, 9)], "received number 5 after number 7"),
        ([Started(2, (CALLS,)), *received(1, 3, 5, 7, 9)], "did not subscribe to"),
        ([Started(2, (CALLS,)), *received(3, 4, 5, 7, 9)], "did not subscribe to"),
        ([Started(2, (CALLS,)), *received(3, 5, 7, 9), ReceivedEvent("g1", 11, "")], "of another customer"),
        ([Started(2, (CALLS,)), *received(3, 5, 7, 9), ReceivedEvent("x", 11, "")], "that is not stored"),
    ],
)
def test_each_broken_promise_is_found(happenings: list[Happening], problem: str) -> None:
    assert problem in problems(*happenings)


def test_an_acknowledged_event_that_is_not_stored_is_lost() -> None:
    verdict = judge(["a1", "a99"], LOG, [])
    assert verdict.lost == 1
    assert "a99" in verdict.problems[0]


def test_a_hole_and_a_double_in_the_numbers_are_found() -> None:
    assert "holes" in problems(log=[*LOG[:4], *LOG[5:]])
    assert "holes" in problems(log=[*LOG, StoredEvent(ACME, 4, "a4b", frozenset())])


def test_what_the_gateway_said_was_missed_may_be_missing_and_nothing_else() -> None:
    assert problems(Started(0, (CALLS,)), *received(1), Missed(6), *received(7, 9)) == ""
    assert "never received" in problems(Started(0, (CALLS,)), *received(1), Missed(6), *received(9))


def test_between_unsubscribing_and_subscribing_with_a_cursor_nothing_may_be_missing() -> None:
    back = [
        Started(0, (CALLS, QUEUES)),
        *received(1, 2, 3),
        Stopped((QUEUES,)),
        *received(5),
        Started(3, (QUEUES,)),
    ]
    assert problems(*back, *received(4, 6, 7, 8, 9, 10)) == ""
    assert "never received" in problems(*back, *received(6, 7, 8, 9, 10))
