"""The session of one connection: messages in, effects out."""

# Long because every message and every limit is tested on one class.
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.domain.topics import known_resources
from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.effects import (
    AuditVerdict,
    Close,
    Effect,
    FindAgents,
    Join,
    Leave,
    Record,
    Send,
)
from subscriptions.protocol.limits import Limits
from subscriptions.protocol.messages import Authenticate, Ping
from subscriptions.protocol.permissions import Identity, Role
from subscriptions.protocol.session import MAX_PING_LENGTH, Session

ACME, GLOBEX = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
ANN, GUS = "aaaaaaaa-1111-4000-8000-000000000011", "bbbbbbbb-1111-4000-8000-000000000021"
CALLS, MESSAGES = f"customer_id:{ACME}:call:*", f"customer_id:{ACME}:message:*"
FOREIGN = f"customer_id:{GLOBEX}:call:*"
CURSOR = "0123456789ab.42"
NOW = 1000.0
LIMITS = Limits(
    message_max_bytes=2000,
    message_max_topics=5,
    connection_max_topics=6,
    subscribe_burst=10,
    subscribe_per_second=2,
    message_burst=100,
    messages_per_second=10,
    refused_messages_max=30,
    unreadable_messages_max=3,
)
MANAGER = Identity(
    customer_id=ACME,
    agent_id=ANN,
    role=Role.MANAGER,
    credential="token of ann",
    credential_id=f"agent:{ANN}",
    may_subscribe=True,
    may_publish=False,
)
STAFF = replace(MANAGER, role=Role.STAFF)


def session(identity: Identity = MANAGER, **limits: int) -> Session:
    return Session(identity, replace(LIMITS, **limits), known_resources())


def ask(session: Session, now: float = NOW, **message: Any) -> list[Effect]:
    return session.receive(json.dumps(message), now)


def subscribe(session: Session, *topics: str, now: float = NOW, **fields: Any) -> list[Effect]:
    return ask(session, now, type="subscribe", topics=topics, **fields)


def unsubscribe(session: Session, *topics: str, **fields: Any) -> list[Effect]:
    return ask(session, type="unsubscribe", topics=topics, **fields)


def frames(effects: Sequence[Effect]) -> list[dict[str, Any]]:
    sent = [
        each.frame if isinstance(each, Send) else each.ack
        for each in effects
        if isinstance(each, Send | Leave)
    ]
    return [json.loads(frame) for frame in sent if frame is not None]


def joined(effects: Sequence[Effect]) -> list[str]:
    return [topic.text for effect in effects if isinstance(effect, Join) for topic in effect.topics]


def left(effects: Sequence[Effect]) -> list[str]:
    return [topic.text for effect in effects if isinstance(effect, Leave) for topic in effect.topics]


def recorded(effects: Sequence[Effect]) -> list[tuple[str, str, str, str]]:
    return [
        (entry.action, entry.topic, entry.verdict, entry.rule)
        for effect in effects
        if isinstance(effect, Record | Leave)
        for entry in effect.entries
    ]


def call(number: int) -> str:
    return f"customer_id:{ACME}:call:{number}"


# --- Subscribing ---


def test_a_grant_is_recorded_before_it_is_joined() -> None:
    record, join = subscribe(session(), CALLS, request_id=7, since=CURSOR)
    assert recorded([record]) == [("subscribe", CALLS, AuditVerdict.GRANTED, "customer-manager")]
    assert isinstance(join, Join)
    assert (joined([join]), join.since, join.request_id) == ([CALLS], CURSOR, 7)
    assert [(str(topic.pattern), topic.customer_id) for topic in join.topics] == [(CALLS, ACME)]


def test_one_bad_topic_does_not_affect_the_others_and_each_code_is_reported_once() -> None:
    foreign_too = f"agent_id:{GUS}"
    effects = subscribe(session(), "nonsense", CALLS, FOREIGN, MESSAGES, foreign_too, request_id="r")
    assert joined(effects) == [CALLS, MESSAGES]
    errors = {frame["code"]: frame for frame in frames(effects)}
    assert len(errors) == len(frames(effects)) == 2
    assert errors["INVALID_TOPIC"]["topics"] == ["nonsense"]
    assert errors["PERMISSION_DENIED"]["topics"] == [FOREIGN, foreign_too]
    assert {(frame["action"], frame["request_id"]) for frame in errors.values()} == {("subscribe", "r")}
    # The one message has both reasons.
    assert ACME in errors["PERMISSION_DENIED"]["message"]
    assert f"agent_id:{ANN}" in errors["PERMISSION_DENIED"]["message"]
    assert [(topic, verdict, rule) for _, topic, verdict, rule in recorded(effects)] == [
        ("nonsense", AuditVerdict.REFUSED, "invalid-topic"),
        (CALLS, AuditVerdict.GRANTED, "customer-manager"),
        (FOREIGN, AuditVerdict.REFUSED, "foreign-customer"),
        (MESSAGES, AuditVerdict.GRANTED, "customer-manager"),
        (foreign_too, AuditVerdict.REFUSED, "foreign-agent"),
    ]


def test_nothing_granted_joins_nothing() -> None:
    effects = subscribe(session(), FOREIGN)
    assert joined(effects) == []
    assert [frame["code"] for frame in frames(effects)] == ["PERMISSION_DENIED"]


def test_the_error_for_a_misspelt_name_has_the_right_one() -> None:
    (frame,) = frames(subscribe(session(), f"customer_id:{ACME}:calls:*"))
    assert (frame["code"], "did you mean call?" in frame["message"]) == ("INVALID_TOPIC", True)


def test_subscribing_twice_is_subscribing_once() -> None:
    talk = session()
    subscribe(talk, CALLS)
    again = subscribe(talk, CALLS)
    assert joined(again) == [CALLS]  # It is acknowledged again; the hub holds it once.
    assert list(talk.topics) == [CALLS]
    assert left(unsubscribe(talk, CALLS)) == [CALLS]
    assert left(unsubscribe(talk, CALLS)) == []


def test_a_held_topic_takes_no_more_room() -> None:
    talk = session(connection_max_topics=2)
    subscribe(talk, call(1), call(2))
    assert joined(subscribe(talk, call(2), call(1))) == [call(2), call(1)]


def test_an_agents_own_topics_are_in_its_customers_log() -> None:
    (_, join) = subscribe(session(), f"agent_id:{ANN}")
    assert isinstance(join, Join)
    assert [(str(topic.pattern), topic.customer_id) for topic in join.topics] == [
        (f"agent_id:{ANN}:*:*", ACME)
    ]


# --- Platform staff ---


def test_staff_has_an_agents_customer_looked_up() -> None:
    talk = session(STAFF)
    topics = [f"agent_id:{GUS}:call", f"agent_id:{ANN}", "nonsense", CALLS]
    (find,) = subscribe(talk, *topics, request_id=1)
    assert isinstance(find, FindAgents)
    assert find.agent_ids == {GUS}
    effects = talk.subscribe(find.message, {GUS: GLOBEX}, NOW)
    (join,) = (effect for effect in effects if isinstance(effect, Join))
    assert {topic.text: topic.customer_id for topic in join.topics} == {
        topics[0]: GLOBEX,
        topics[1]: ACME,
        CALLS: ACME,
    }


def test_staff_gets_an_error_for_an_unknown_agent() -> None:
    talk = session(STAFF)
    (find,) = subscribe(talk, f"agent_id:{GUS}")
    assert isinstance(find, FindAgents)
    effects = talk.subscribe(find.message, {}, NOW)
    assert [(frame["code"], GUS in frame["message"]) for frame in frames(effects)] == [
        ("INVALID_TOPIC", True)
    ]
    assert talk.topics == {}


def test_only_staff_can_have_agents_looked_up() -> None:
    effects = subscribe(session(), f"agent_id:{GUS}")
    assert not [effect for effect in effects if isinstance(effect, FindAgents)]
    assert [frame["code"] for frame in frames(effects)] == ["PERMISSION_DENIED"]


# --- Unsubscribing ---


def test_unsubscribing_ends_the_topics_and_is_acknowledged() -> None:
    talk = session()
    subscribe(talk, CALLS, MESSAGES)
    effects = unsubscribe(talk, CALLS, request_id=2)
    assert left(effects) == [CALLS]
    assert recorded(effects) == [("unsubscribe", CALLS, AuditVerdict.ENDED, "asked")]
    assert frames(effects) == [
        {"type": "ack", "action": "unsubscribe", "topics": [CALLS], "status": "success", "request_id": 2}
    ]
    assert list(talk.topics) == [MESSAGES]


def test_unsubscribing_ends_only_the_text_that_was_subscribed() -> None:
    talk = session()
    prefix = f"customer_id:{ACME}:call"
    subscribe(talk, prefix, CALLS)
    assert left(unsubscribe(talk, prefix)) == [prefix]
    assert list(talk.topics) == [CALLS]


def test_unsubscribing_a_topic_that_is_not_held_is_acknowledged() -> None:
    talk = session()
    effects = unsubscribe(talk, CALLS)
    assert left(effects) == []
    assert recorded(effects) == []
    assert [frame["type"] for frame in frames(effects)] == ["ack"]


def test_unsubscribing_an_invalid_topic_is_an_error() -> None:
    talk = session()
    subscribe(talk, CALLS)
    ack, error = frames(unsubscribe(talk, "nonsense", CALLS, request_id=3))
    assert (ack["topics"], error["topics"]) == ([CALLS], ["nonsense"])
    assert (error["action"], error["code"], error["request_id"]) == ("unsubscribe", "INVALID_TOPIC", 3)


def test_unsubscribing_invalid_topics_alone_acknowledges_nothing() -> None:
    effects = unsubscribe(session(), "nonsense", "call")
    assert [(frame["type"], frame["topics"]) for frame in frames(effects)] == [
        ("error", ["nonsense", "call"])
    ]


# --- Limits ---


def test_more_topics_than_a_connection_may_hold_are_refused_and_the_rest_granted() -> None:
    talk = session(connection_max_topics=2)
    effects = subscribe(talk, call(1), call(2), call(3))
    assert joined(effects) == [call(1), call(2)]
    (error,) = frames(effects)
    assert (error["code"], error["topics"]) == ("RATE_LIMITED", [call(3)])
    assert "2 topics" in error["message"]
    unsubscribe(talk, call(1))
    assert joined(subscribe(talk, call(3))) == [call(3)]


def test_subscribing_too_fast_is_refused_until_time_has_passed() -> None:
    talk = session(subscribe_burst=4, subscribe_per_second=2)
    assert joined(subscribe(talk, call(1), call(2), call(3))) == [call(1), call(2), call(3)]
    hurried = subscribe(talk, call(4), call(5))
    assert joined(hurried) == []
    (error,) = frames(hurried)
    assert (error["code"], error["topics"]) == ("RATE_LIMITED", [call(4), call(5)])
    assert error["retry_after"] == 0.5
    (record,) = [each for effect in hurried if isinstance(effect, Record) for each in effect.entries]
    assert (record.rule, record.topic, record.count) == ("subscribe-rate", call(4), 2)
    assert call(5) in record.detail
    # One was left, and half a second brings one more.
    assert joined(subscribe(talk, call(4), call(5), now=NOW + 0.4)) == []
    assert joined(subscribe(talk, call(4), call(5), now=NOW + 0.5)) == [call(4), call(5)]


def test_the_bucket_never_holds_more_than_its_burst() -> None:
    talk = session(subscribe_burst=2, subscribe_per_second=2)
    later = NOW + 3600
    assert joined(subscribe(talk, call(1), call(2), now=later)) == [call(1), call(2)]
    assert joined(subscribe(talk, call(3), now=later)) == []


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"type": "ping", "a": "x" * 2000}, "2000 bytes"),
        ({"type": "subscribe", "topics": [call(number) for number in range(6)]}, "6 topics"),
    ],
)
def test_a_message_beyond_its_limits_is_an_error(message: dict[str, Any], why: str) -> None:
    (error,) = frames(ask(session(), **message))
    assert error["code"] == "INVALID_MESSAGE"
    assert why in error["message"]


# --- Invalid messages ---


def test_a_client_that_keeps_sending_invalid_messages_is_closed() -> None:
    talk = session(unreadable_messages_max=3)
    assert len(talk.receive("a", NOW)) == 1
    assert len(talk.receive(None, NOW)) == 1
    error, close = talk.receive("{}", NOW)
    assert frames([error])[0]["code"] == "INVALID_MESSAGE"
    assert isinstance(close, Close)
    assert close.code is CloseCode.PROTOCOL_ERROR
    assert "3 messages in a row" in close.message


def test_a_good_message_forgives_the_bad_ones_before() -> None:
    talk = session(unreadable_messages_max=2)
    for _ in range(5):
        assert [type(effect) for effect in talk.receive("nonsense", NOW)] == [Send]
        ask(talk, type="ping")


def test_after_a_good_message_the_count_begins_anew() -> None:
    talk = session(unreadable_messages_max=3)
    talk.receive("nonsense", NOW)
    ask(talk, type="ping")
    assert [len(talk.receive("nonsense", NOW)) for _ in range(3)] == [1, 1, 2]


def test_an_invalid_topic_does_not_count_as_an_invalid_message() -> None:
    talk = session(unreadable_messages_max=2)
    for _ in range(5):
        assert not [each for each in subscribe(talk, "nonsense") if isinstance(each, Close)]


def test_a_binary_frame_is_an_error() -> None:
    (error,) = frames(session().receive(None, NOW))
    assert (error["code"], "binary" in error["message"], error["action"]) == ("INVALID_MESSAGE", True, None)


def test_an_error_has_the_action_and_request_id() -> None:
    (error,) = frames(ask(session(), type="subscribe", topics="x", request_id=1.5))
    assert (error["action"], error["request_id"], error["topics"]) == ("subscribe", 1.5, [])


@given(st.lists(st.text(max_size=60), max_size=8))
def test_every_text_is_answered(texts: list[str]) -> None:
    talk = session(STAFF, unreadable_messages_max=100)
    for text in texts:
        assert talk.receive(text, NOW)


# U+0000 makes the whole message invalid.
TOPIC_TEXTS = st.sampled_from([CALLS, FOREIGN, f"agent_id:{ANN}", f"customer_id:{ACME}", call(1)]) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["subscribe", "unsubscribe"]), st.lists(TOPIC_TEXTS, min_size=1, max_size=6)
        ),
        max_size=8,
    )
)
def test_each_topic_is_answered_exactly_once(requests: list[tuple[str, list[str]]]) -> None:
    talk = session(message_max_topics=6, subscribe_burst=20)
    for action, topics in requests:
        effects = ask(talk, type=action, topics=topics)
        answered = joined(effects) + [topic for frame in frames(effects) for topic in frame["topics"]]
        assert sorted(answered) == sorted(set(topics))
        codes = [frame["code"] for frame in frames(effects) if frame["type"] == "error"]
        assert len(codes) == len(set(codes))


# --- Pings and new credentials ---


def test_a_ping_is_answered_with_its_request_id() -> None:
    assert ask(session(), type="ping", request_id="p") == [Ping("p")]


@pytest.mark.parametrize(
    ("text", "ping"),
    [
        ('{"type": "ping"}', Ping(None)),
        ('{"request_id": "7", "type": "ping"}', Ping("7")),
        ('{"type": "ping"}'.ljust(MAX_PING_LENGTH), Ping(None)),
        ('{"type": "ping"}'.ljust(MAX_PING_LENGTH + 1), None),
        ('{"type": "subscribe", "topics": ["a"]}', None),
        ('{"type": "subscribe", "topics": ["a"], "request_id": "ping"}', None),
        ('{"type": "ping"', None),
        ('{"type": "ping", "request_id": {}}', None),
    ],
    ids=lambda value: str(value)[:60].strip(),
)
def test_a_ping_is_found_among_the_messages_that_wait(text: str, ping: Ping | None) -> None:
    talk = session()
    assert talk.ping_in(text) == ping
    # Looking does not count as receiving.
    assert len(talk.receive("nonsense", NOW)) == 1


def verified(talk: Session, **fields: Any) -> Any:
    (verify,) = ask(talk, type="authenticate", token="t", **fields)
    assert isinstance(verify, Authenticate)
    return verify


def test_a_new_credential_takes_over() -> None:
    talk = session()
    renewed = replace(MANAGER, expires_at=5000.0)
    effects = talk.authenticated(verified(talk, request_id=9), renewed)
    assert frames(effects) == [
        {"type": "ack", "action": "authenticate", "topics": [], "status": "success", "request_id": 9}
    ]
    assert talk.identity is renewed


@pytest.mark.parametrize(
    "other",
    [
        replace(MANAGER, customer_id=GLOBEX),
        replace(MANAGER, agent_id=GUS),
        replace(MANAGER, agent_id=None, role=None),
        replace(MANAGER, may_subscribe=False),
    ],
)
def test_a_credential_of_another_is_refused_and_the_old_one_stays(other: Identity) -> None:
    talk = session()
    subscribe(talk, CALLS)
    (error,) = frames(talk.authenticated(verified(talk, request_id=9), other))
    assert (error["action"], error["code"], error["request_id"]) == ("authenticate", "PERMISSION_DENIED", 9)
    assert talk.identity is MANAGER
    assert list(talk.topics) == [CALLS]


def test_a_refused_credential_is_an_error() -> None:
    talk = session()
    (error,) = frames(talk.not_authenticated(verified(talk), "This token has expired"))
    assert (error["code"], error["message"]) == ("PERMISSION_DENIED", "This token has expired")


def test_topics_that_the_new_credential_may_not_have_end_each_with_an_error() -> None:
    talk = session()
    own = f"agent_id:{ANN}:call:*"
    subscribe(talk, CALLS, own, MESSAGES)
    lesser = replace(MANAGER, role=Role.AGENT, granted_resources=frozenset({"message"}))
    effects = talk.authenticated(verified(talk, request_id=9), lesser)
    assert left(effects) == [CALLS]
    assert recorded(effects) == [("subscribe", CALLS, AuditVerdict.ENDED, "resource-not-granted")]
    error, ack = frames(effects)
    assert (error["code"], error["topics"]) == ("PERMISSION_DENIED", [CALLS])
    assert (ack["type"], ack["action"]) == ("ack", "authenticate")
    assert list(talk.topics) == [own, MESSAGES]


def test_a_demoted_agent_is_judged_anew_at_its_next_subscribe() -> None:
    talk = session()
    talk.permissions_changed(replace(MANAGER, role=Role.AGENT))
    assert joined(subscribe(talk, CALLS)) == []
