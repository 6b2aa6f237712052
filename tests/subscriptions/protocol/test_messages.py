"""Every message: byte for byte where docs/protocol.md has an example, refused if invalid."""

# Long because each message of both directions is compared with its documentation.

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscriptions.protocol.codes import CloseCode, ErrorCode
from subscriptions.protocol.messages import (
    Action,
    Authenticate,
    Message,
    Ping,
    Subscribe,
    UnreadableMessage,
    Unsubscribe,
    ack_frame,
    close_reason,
    closing_frame,
    error_frame,
    pong_frame,
    read_message,
)

TOPIC = "customer_id:12345678-1234-1234-1234-123456789012:call:*"
CURSOR = "0123456789ab.42"


def read(text: str, max_bytes: int = 1000, max_topics: int = 3) -> Message:
    return read_message(text, max_bytes=max_bytes, max_topics=max_topics)


def refused(text: str, **limits: int) -> UnreadableMessage:
    with pytest.raises(UnreadableMessage) as error:
        read(text, **limits)
    return error.value


# --- In ---


def test_the_published_examples_are_read() -> None:
    assert read(f'{{"type": "subscribe", "topics": ["{TOPIC}"]}}') == Subscribe((TOPIC,), None, None)
    assert read(f'{{"type": "unsubscribe", "topics": ["{TOPIC}"]}}') == Unsubscribe((TOPIC,), None)
    assert read('{"type": "ping"}') == Ping(None)
    assert read('{"type": "authenticate", "token": "a.b.c"}') == Authenticate("a.b.c", None)


def test_a_subscribe_can_tell_where_it_was() -> None:
    request = {"type": "subscribe", "topics": [TOPIC], "since": CURSOR}
    assert read(json.dumps(request)) == Subscribe((TOPIC,), CURSOR, None)
    assert read(json.dumps(request | {"since": None})) == Subscribe((TOPIC,), None, None)


def test_a_topic_named_twice_is_named_once() -> None:
    assert read(json.dumps({"type": "subscribe", "topics": ["b", "a", "b"]})) == Subscribe(
        ("b", "a"), None, None
    )


@pytest.mark.parametrize(
    ("message", "warnings"),
    [
        ({"type": "ping", "extra": {"a": [1]}}, ['unknown field "extra": there are request_id, type']),
        (
            {"type": "subscribe", "topics": [TOPIC], "sinse": CURSOR},
            ['unknown field "sinse": did you mean "since"?'],
        ),
        (
            {"type": "unsubscribe", "topics": [TOPIC], "since": 1, "Topics": 1},
            [
                'unknown field "since": there are request_id, topics, type',
                'unknown field "Topics": did you mean "topics"?',
            ],
        ),
        (
            {"type": "authenticate", "token": "x", "topics": 1},
            ['unknown field "topics": there are request_id, token, type'],
        ),
        (
            {"type": "ping", **{f"x{n}": n for n in range(20)}},
            [f'unknown field "x{n}": there are request_id, type' for n in range(10)],
        ),
    ],
    ids=str,
)
def test_fields_that_are_not_known_are_ignored_with_a_warning(
    message: dict[str, Any], warnings: list[str]
) -> None:
    read_one = read(json.dumps(message))
    assert list(read_one.warnings) == warnings
    known = {"authenticate": {"type", "token"}}.get(message["type"], {"type", "topics"})
    expected = read(json.dumps({name: value for name, value in message.items() if name in known}))
    assert replace(read_one, warnings=()) == expected


def test_an_unreadable_message_has_its_warnings() -> None:
    error = refused(json.dumps({"type": "subscribe", "topic": TOPIC}))
    assert error.warnings == ('unknown field "topic": did you mean "topics"?',)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"action": "subscribe"}, "it is missing"),
        ({"type": 7}, '"type" is one of'),
        ({"type": "Subscribe"}, 'not "Subscribe" (did you mean subscribe?)'),
        ({"type": "dance"}, 'not "dance"'),
        ({"type": "publish"}, "events are published with POST /v1.0/events"),
    ],
)
def test_an_unknown_type_is_quoted_with_what_is_right(message: dict[str, Any], expected: str) -> None:
    assert expected in str(refused(json.dumps(message)))


@pytest.mark.parametrize("request_id", ["7", "", "ünï", "x" * 128, 0, -3, 2**53 - 1, 1.5, 1e300])
def test_a_request_id_comes_back_as_it_was(request_id: str | float) -> None:
    message = read(json.dumps({"type": "ping", "request_id": request_id}))
    assert isinstance(message, Ping)
    returned = json.loads(pong_frame(None, message.request_id))["request_id"]
    assert (type(returned), returned) == (type(request_id), request_id)


@pytest.mark.parametrize("request_id", [True, False, {}, {"a": 1}, [], ["7"], "x" * 129])
def test_a_request_id_of_another_kind_is_refused(request_id: object) -> None:
    error = refused(json.dumps({"type": "ping", "request_id": request_id}))
    assert "request_id" in str(error)
    assert error.request_id is None


UNREADABLE = {
    "": "not JSON",
    "subscribe": "not JSON",
    "{'type': 'ping'}": "not JSON",
    '{"type": "ping"': "not JSON",
    '{"type": "ping"} {"type": "ping"}': "not JSON",
    '{"type": "ping", "request_id": NaN}': "NaN",
    '{"type": "ping", "request_id": 1e400}': "too large",
    '{"type": "ping", "request_id": 9007199254740992}': "2^53 - 1",
    '{"type": "ping", "type": "ping"}': "twice",
    '{"type": "ping", "a": "\\ud800"}': "surrogate",
    '{"type": "ping", "a": "\\u0000"}': "U+0000",
    '{"type": "ping", "a": ' + "[" * 40 + "]" * 40 + "}": "nested",
    '["subscribe"]': "JSON object",
    '"subscribe"': "JSON object",
    "null": "JSON object",
    "7": "JSON object",
    "{}": '"type" is one of',
    '{"type": null}': '"type" is one of',
    '{"type": ["ping"]}': '"type" is one of',
    '{"type": "PING"}': '"type" is one of',
    '{"type": "publish"}': '"type" is one of',
    '{"type": "subscribe"}': '"topics" is a list',
    '{"type": "subscribe", "topics": []}': "at least one",
    '{"type": "subscribe", "topics": "a"}': '"topics" is a list',
    '{"type": "subscribe", "topics": {"a": 1}}': '"topics" is a list',
    '{"type": "subscribe", "topics": ["a", 1]}': "each a string",
    '{"type": "subscribe", "topics": [null]}': "each a string",
    '{"type": "unsubscribe", "topics": [["a"]]}': "each a string",
    '{"type": "subscribe", "topics": ["a"], "since": 7}': "cursor",
    '{"type": "subscribe", "topics": ["a"], "since": ""}': "cursor",
    '{"type": "subscribe", "topics": ["a"], "since": "yesterday"}': "cursor",
    '{"type": "subscribe", "topics": ["a"], "since": "0123456789ab.-1"}': "cursor",
    '{"type": "authenticate"}': '"token"',
    '{"type": "authenticate", "token": ""}': '"token"',
    '{"type": "authenticate", "token": 7}': '"token"',
}


@pytest.mark.parametrize(
    ("text", "why"), UNREADABLE.items(), ids=[text[:60] or "empty" for text in UNREADABLE]
)
def test_an_invalid_message_is_refused_with_the_reason(text: str, why: str) -> None:
    assert why in str(refused(text))


def test_a_refusal_names_action_and_request() -> None:
    error = refused('{"type": "subscribe", "topics": 7, "request_id": 5}')
    assert (error.action, error.request_id) == (Action.SUBSCRIBE, 5)
    error = refused('{"type": "authenticate", "request_id": "x"}')
    assert (error.action, error.request_id) == (Action.AUTHENTICATE, "x")
    error = refused('{"type": "dance", "request_id": "x"}')
    assert (error.action, error.request_id) == (None, "x")


def test_bytes_are_counted_not_characters() -> None:
    text = '{"type": "ping", "request_id": "%s"}' % ("é" * 10)
    size = len(text.encode())
    assert read(text, max_bytes=size) == Ping("é" * 10)
    assert str(size - 1) in str(refused(text, max_bytes=size - 1))


def test_topics_are_counted_without_repetitions() -> None:
    three = {"type": "subscribe", "topics": ["a", "b", "c", "a"]}
    assert read(json.dumps(three)) == Subscribe(("a", "b", "c"), None, None)
    error = refused(json.dumps(three | {"topics": list("abcd"), "request_id": 1}))
    assert "4 topics" in str(error)
    assert "3 are the most" in str(error)
    assert error.request_id == 1


@given(st.text())
@example('{"type": "subscribe", "topics": ["a"], "since": "0123456789ab.1,0123456789ab.1"}')
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UnreadableMessage):
        assert isinstance(read(text), Subscribe | Unsubscribe | Ping | Authenticate)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(CURSOR),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from([*Action, "dance"]) | VALUES},
        optional={
            "topics": VALUES | st.lists(st.text(max_size=8)),
            "since": VALUES,
            "request_id": VALUES,
            "token": VALUES,
        },
    )
)
def test_any_object_is_read_or_refused(message: dict[str, object]) -> None:
    text = json.dumps(message)
    try:
        found = read(text)
    except UnreadableMessage as error:
        json.loads(
            error_frame(error.action, [], ErrorCode.INVALID_MESSAGE, str(error), request_id=error.request_id)
        )
    else:
        assert found.request_id == message.get("request_id")  # type: ignore[attr-defined]


# --- Out ---


def test_frames_are_the_contracts_to_the_byte() -> None:
    topics = f'"topics": ["{TOPIC}"]'
    assert ack_frame(Action.SUBSCRIBE, [TOPIC], cursor=CURSOR) == (
        f'{{"type": "ack", "action": "subscribe", {topics}, "status": "success", "cursor": "{CURSOR}"}}'
    )
    assert ack_frame(Action.UNSUBSCRIBE, [TOPIC], request_id=7) == (
        f'{{"type": "ack", "action": "unsubscribe", {topics}, "status": "success", "request_id": 7}}'
    )
    assert error_frame("subscribe", [TOPIC], ErrorCode.PERMISSION_DENIED, "…") == (
        f'{{"type": "error", "action": "subscribe", {topics}, "code": "PERMISSION_DENIED", "message": "…"}}'
    )
    assert pong_frame(CURSOR, "p") == f'{{"type": "pong", "cursor": "{CURSOR}", "request_id": "p"}}'
    assert pong_frame(None) == '{"type": "pong", "cursor": null}'
    assert json.loads(pong_frame(None, warnings=["x"]))["warnings"] == ["x"]
    filtered = json.loads(
        ack_frame(Action.SUBSCRIBE, [TOPIC], cursor=CURSOR, sent_filter={"op": "ex", "field": "x"})
    )
    assert filtered["filter"] == {"op": "ex", "field": "x"}


def test_an_ack_has_cursor_and_recovery() -> None:
    live = ack_frame(Action.SUBSCRIBE, [TOPIC], cursor=CURSOR)
    assert json.loads(live) == {
        "type": "ack",
        "action": "subscribe",
        "topics": [TOPIC],
        "status": "success",
        "cursor": CURSOR,
    }
    lost = json.loads(ack_frame(Action.SUBSCRIBE, [TOPIC], cursor=CURSOR, recovered=False, reason="too old"))
    assert (lost["recovered"], lost["reason"]) == (False, "too old")
    found = json.loads(ack_frame(Action.SUBSCRIBE, [TOPIC], cursor=CURSOR, recovered=True))
    assert found["recovered"] is True
    assert "reason" not in found


# The documented closes: code, name, whether to reconnect.
CLOSES = [
    (4012, "RESTARTING", True),
    (4400, "PROTOCOL_ERROR", False),
    (4401, "TOKEN_EXPIRED", True),
    (4403, "REVOKED", False),
    (4408, "TOO_SLOW", True),
    (4429, "TOO_MANY", True),
]


def test_the_closes_are_the_contracts() -> None:
    assert [(int(code), code.name, code.retry) for code in CloseCode] == CLOSES


@pytest.mark.parametrize(("number", "name", "retry"), CLOSES)
def test_before_a_close_comes_its_reason(number: int, name: str, retry: bool) -> None:
    fields = f'"code": "{name}", "message": "Why “so”", "retry": {str(retry).lower()}'
    assert closing_frame(CloseCode(number), "Why “so”") == (
        f'{{"type": "error", "action": null, "topics": [], {fields}}}'
    )


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("The token has expired", "The token has expired"),
        ("x" * 123, "x" * 123),
        ("x" * 124, "x" * 123),
        ("x" + "é" * 62, "x" + "é" * 61),
        ("é" * 62, "é" * 61),  # Half a character of the last fits.
    ],
    ids=["short", "of 123 bytes", "of 124 bytes", "of 125 bytes", "cut within a character"],
)
def test_a_close_has_as_much_of_its_reason_as_a_control_frame_holds(message: str, reason: str) -> None:
    assert close_reason(message) == reason


def test_error_codes_are_the_contracts() -> None:
    assert set(ErrorCode) == {
        *("PERMISSION_DENIED", "INVALID_TOPIC", "INVALID_FILTER", "INVALID_MESSAGE", "RATE_LIMITED")
    }
