"""The limit of a connection's messages of every type."""

from __future__ import annotations

import json

import pytest

from subscriptions.protocol.effects import Close, Effect, Pause, Record, Send
from subscriptions.protocol.limits import network_of
from subscriptions.protocol.message_rate import ANSWERED_ONE_BY_ONE
from tests.subscriptions.protocol.test_session import CALLS, LIMITS, MESSAGES, NOW, frames, session

FLOODS = [
    '{"type": "ping", "request_id": 7}',
    json.dumps({"type": "subscribe", "topics": [CALLS, MESSAGES], "request_id": 7}),
    json.dumps({"type": "unsubscribe", "topics": [CALLS], "request_id": 7}),
    '{"type": "authenticate", "token": "x", "request_id": 7}',
    '{"type": "nonsense", "request_id": 7}',
    "no JSON",
    None,
]


def limited(text: str | None, count: int) -> list[list[Effect]]:
    """Return the effects of `count` messages beyond the limit."""
    talk = session(message_burst=2, messages_per_second=2, unreadable_messages_max=100)
    for _ in range(2):
        assert not any(isinstance(each, Pause) for each in talk.receive(text, NOW))
    return [talk.receive(text, NOW) for _ in range(count)]


@pytest.mark.parametrize("text", FLOODS)
def test_messages_of_every_type_are_limited_and_the_answer_says_when_to_send_again(text: str | None) -> None:
    (effects,) = limited(text, 1)
    (frame,) = frames(effects)
    assert (frame["code"], frame["retry_after"]) == ("RATE_LIMITED", 0.5)
    assert frame.get("request_id") == (7 if text and "7" in text else None)
    message = json.loads(text) if text and text.startswith("{") else {}
    assert frame["topics"] == message.get("topics", [])
    known = message.get("type") in ("ping", "subscribe", "unsubscribe", "authenticate")
    assert frame["action"] == (message["type"] if known else None)
    assert "More than 2 messages at once, or 2 a second" in frame["message"]
    assert effects[-1] == Pause(0.5)
    # What it asked for is on record, as one.
    entries = [entry for each in effects if isinstance(each, Record) for entry in each.entries]
    is_request = message.get("type") in ("subscribe", "unsubscribe", "authenticate")
    assert [entry.count for entry in entries] == [max(len(frame["topics"]), 1)] * is_request


def test_a_refused_message_changes_nothing_and_passes_later() -> None:
    talk = session(message_burst=1, messages_per_second=2)
    subscribe = json.dumps({"type": "subscribe", "topics": [CALLS]})
    talk.receive('{"type": "ping"}', NOW)
    assert frames(talk.receive(subscribe, NOW + 0.1))[0]["retry_after"] == 0.4
    assert list(talk.topics) == []
    talk.receive(subscribe, NOW + 0.5)
    assert list(talk.topics) == [CALLS]


def test_the_answers_to_a_flood_are_few_and_the_connection_is_closed() -> None:
    answers = limited("no JSON", LIMITS.refused_messages_max)
    assert sum(isinstance(each, Send) for effects in answers for each in effects) == ANSWERED_ONE_BY_ONE
    (close,) = answers[-1]
    assert isinstance(close, Close)
    assert (close.code.name, close.code.retry) == ("TOO_MANY", True)
    assert close.message.startswith(f"{LIMITS.refused_messages_max} messages were not processed")


def test_refused_messages_without_an_answer_are_answered_together_once_a_second() -> None:
    talk = session(message_burst=5, messages_per_second=1)
    for number in range(5 + ANSWERED_ONE_BY_ONE + 5):
        talk.receive('{"type": "ping"}', NOW + 0.01 * number)
    (together,) = frames(talk.receive('{"type": "ping"}', NOW + 1.3))
    assert (together["action"], together["topics"], together["code"]) == (None, [], "RATE_LIMITED")
    assert together["message"].startswith("5 more messages were not processed")
    for number in range(7):
        talk.receive('{"type": "ping"}', NOW + 1.4 + 0.001 * number)
    # A refused message may bring it too.
    *_, together = frames(talk.receive('{"type": "ping"}', NOW + 2.31))
    assert together["message"].startswith("7 more messages were not processed")


def test_a_connection_that_was_quiet_begins_anew() -> None:
    talk = session(message_burst=1, messages_per_second=1, refused_messages_max=3, unreadable_messages_max=9)
    for number in range(4):
        now = NOW + 10 * number
        effects = [effect for _ in range(3) for effect in talk.receive("no JSON", now)]
        assert not any(isinstance(each, Close) for each in effects)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("not an address", "not an address"),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
