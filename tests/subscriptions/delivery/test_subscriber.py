"""The subscriptions of a connection, by customer and pattern, for any text of a topic."""

from __future__ import annotations

from unittest.mock import sentinel

from subscriptions.delivery.replay import Replay
from subscriptions.delivery.subscriber import Subscriber
from tests.subscriptions.support.hub_harness import held, new_customer

ACME, GLOBEX = new_customer(), new_customer()
SHORT, WHOLE = f"customer_id:{ACME}:call", f"customer_id:{ACME}:call:*"
THEIRS = f"customer_id:{GLOBEX}:*:*"


def subscriber() -> Subscriber:
    return Subscriber(sentinel.outbox, sentinel.close)


def test_topics_are_noted_as_patterns_by_customer() -> None:
    someone = subscriber()
    found = someone.hold([held(SHORT, ACME), held(THEIRS, GLOBEX)])
    assert found == {ACME: [WHOLE], GLOBEX: [THEIRS]}
    assert someone.subscriptions[ACME].topics == {WHOLE: {SHORT}}


def test_a_pattern_ends_with_its_last_spelling() -> None:
    someone = subscriber()
    someone.hold([held(SHORT, ACME), held(WHOLE, ACME)])
    someone.subscriptions[ACME].starts[WHOLE] = 7
    assert someone.release([held(SHORT, ACME)]) == {}
    assert someone.subscriptions[ACME].starts == {WHOLE: 7}
    assert someone.release([held(SHORT, ACME)]) == {}, "a topic that ends twice ends no other"
    assert someone.release([held(WHOLE, ACME)]) == {ACME: [WHOLE]}
    assert someone.subscriptions == {}


def test_releasing_what_is_not_held_changes_nothing() -> None:
    someone = subscriber()
    someone.hold([held(THEIRS, GLOBEX)])
    assert someone.release([held(WHOLE, ACME)]) == {}
    assert set(someone.subscriptions) == {GLOBEX}


def test_a_customer_is_forgotten_with_its_last_pattern_and_no_other_is() -> None:
    someone = subscriber()
    someone.hold([held(WHOLE, ACME), held(f"customer_id:{ACME}:queue", ACME), held(THEIRS, GLOBEX)])
    someone.release([held(WHOLE, ACME)])
    assert set(someone.subscriptions) == {ACME, GLOBEX}
    someone.release([held(f"customer_id:{ACME}:queue", ACME)])
    assert set(someone.subscriptions) == {GLOBEX}


def test_what_ends_during_a_replay_is_replayed_no_more() -> None:
    someone = subscriber()
    someone.hold([held(WHOLE, ACME), held(f"customer_id:{ACME}", ACME)])
    replay = someone.subscriptions[ACME].replay = Replay({}, {WHOLE: 0, f"customer_id:{ACME}:*:*": 0}, 9)
    someone.release([held(WHOLE, ACME)])
    assert set(replay.starts) == {f"customer_id:{ACME}:*:*"}


def test_two_subscribers_with_the_same_topics_are_different() -> None:
    assert subscriber() != subscriber()
    assert len({subscriber(), subscriber()}) == 2
