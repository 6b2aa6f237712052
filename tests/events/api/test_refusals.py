"""POST /v1.0/events: every reason for which an event is refused, each with what is right."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from events.domain.strict_json import decode
from events.models import Event
from tests.events.support.people import Company, new_id
from tests.events.support.refusals import refused

pytestmark = pytest.mark.django_db

EVENTS = "/v1.0/events"
CALL: dict[str, Any] = {"event_type": "call.status", "data": {"id": "c", "status": "answered"}}


def text(data: str) -> str:
    """An event whose data is this JSON text."""
    return f'{{"event_type": "call.status", "data": {data}}}'


# --- What is no event ---

BAD_FIELDS: list[tuple[str, Any, str, str]] = [
    ("event_type", None, "event_type", "<resource>.<action>"),
    ("event_type", 5, "event_type", "<resource>.<action>"),
    ("event_type", "call", "event_type", "<resource>.<action>"),
    ("event_type", "call.status.now", "event_type", "<resource>.<action>"),
    ("event_type", "cal.status", "event_type", "did you mean call?"),
    ("event_type", "call.Status", "event_type", "lower-case"),
    ("event_type", "call." + "a" * 41, "event_type", "1 to 40"),
    ("event_type", "*.status", "event_type", "no known resource"),
    ("data", None, "data", "required"),
    ("data", [], "data", "required"),
    ("data", {}, "data", "required"),
    ("data", "text", "data", "required"),
    ("data", {"status": "x"}, "data.call_id", "missing"),
    ("data", {"id": 5}, "data.id", "string"),
    ("data", {"id": "a:b"}, "data.id", "1 to 128"),
    ("data", {"id": "x" * 129}, "data.id", "1 to 128"),
    ("data", {"id": "*"}, "data.id", "1 to 128"),
    ("data", {"id": "c", "call_id": ["x"]}, "data.call_id", "1 to 128"),
    ("data", {"id": "c", "note": "x" * 300_000}, "data", "262144 bytes"),
    ("data", {"id": "c", "note": "é" * 200_000}, "data", "262144 bytes"),
    ("customer_id", 5, "customer_id", "UUID"),
    ("customer_id", "acme", "customer_id", "UUID"),
    ("customer_id", "0F2A7C54-9D1B-4C59-8A77-3C1B2E4D5F60", "customer_id", "UUID"),
    ("agent_ids", "ada", "agent_ids", "list"),
    ("agent_ids", ["ada"], "agent_ids", "UUID"),
    ("agent_ids", [None], "agent_ids", "UUID"),
    ("agent_ids", [new_id()] * 1001, "agent_ids", "1000 are the most"),
    ("timestamp", 1705314600, "timestamp", "2024-01-15T10:30:00.000000Z"),
    ("timestamp", "now", "timestamp", "2024-01-15T10:30:00.000000Z"),
    ("timestamp", "2024-01-15T10:30:00", "timestamp", "2024-01-15T10:30:00.000000Z"),
    ("timestamp", "2023-02-29T10:30:00Z", "timestamp", "no such time"),
    ("timestamp", "2024-01-15T23:59:60Z", "timestamp", "no such time"),
    ("timestamp", "9999-12-31T23:59:59-05:00", "timestamp", "no such time"),
    ("idempotency_key", "", "idempotency_key", "1 to 255"),
    ("idempotency_key", "k" * 256, "idempotency_key", "1 to 255"),
    ("idempotency_key", 5, "idempotency_key", "1 to 255"),
    ("colour", "red", "colour", "unknown field"),
]


@pytest.mark.parametrize(("name", "value", "field", "says"), BAD_FIELDS)
def test_each_bad_field_is_named_with_what_is_right(name: str, value: Any, field: str, says: str) -> None:
    answer = Company().key(may_publish=True).post(EVENTS, {**CALL, name: value})
    [error] = refused(answer, 400, "INVALID_EVENT")
    assert (error["index"], error["field"]) == (0, field)
    assert says in error["message"]
    assert error["message"] in answer.body["message"]


def test_every_bad_field_of_every_item_is_named_at_once() -> None:
    events = [
        CALL,
        {
            "event_type": "x",
            "data": 1,
            "agent_ids": 2,
            "timestamp": 3,
            "idempotency_key": 4,
            "customer_id": 5,
            "y": 6,
        },
        "text",
        {},
        {"event_type": "call.status", "data": {}, "customer_id": new_id()},
    ]
    errors = refused(Company().key(may_publish=True).post(EVENTS, events), 400, "INVALID_EVENT")
    assert {(each["index"], each["field"]) for each in errors} == {
        *(
            (1, name)
            for name in (
                "event_type",
                "data",
                "agent_ids",
                "timestamp",
                "idempotency_key",
                "customer_id",
                "y",
            )
        ),
        (2, ""),
        *((3, name) for name in ("event_type", "data")),
        (4, "data"),
    }
    assert all(each["message"] for each in errors)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        ("{", "line 1 column 2"),
        ("{'event_type': 1}", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "UTF-16, by its byte-order mark"),
        (b"{\x00}\x00", "UTF-16, by its zero bytes"),
        (text('{"id": "\xff"}').encode("latin-1"), "not UTF-8"),
        (text('{"id": NaN}'), "NaN"),
        (text('{"id": -Infinity}'), "Infinity"),
        (text('{"id": "c", "n": 1e400}'), "too large for a 64-bit float"),
        (text('{"id": "c", "n": 9007199254740992}'), "2^53 - 1"),
        (text('{"id": "c", "n": -9007199254740992}'), "2^53 - 1"),
        (text('{"id": "c", "n": ' + "1" * 10_000 + "}"), "2^53 - 1"),
        (text('{"id": "c", "id": "d"}'), "twice"),
        ('{"event_type": "call.status", "event_type": "call.ended", "data": {"id": "c"}}', "twice"),
        (text(r'{"id": "c", "t": "\ud800"}'), "surrogate"),
        (text(r'{"id": "c", "t": "\udc00\ud800"}'), "surrogate"),
        (text(r'{"id": "c", "\ud83d": 1}'), "surrogate"),
        (text(r'{"id": "c", "t": "a\u0000b"}'), "U+0000"),
        (text('{"id": "c", "t": "a\0b"}'), "not JSON"),
        (text('{"id": "c", "d": ' + "[" * 31 + "]" * 31 + "}"), "32 levels"),
        ("[" * 100_000, "32 levels"),
        ('{"a":' * 100_000, "32 levels"),
        (gzip.compress(json.dumps(CALL).encode(), mtime=0), "not UTF-8"),
    ],
)
def test_what_not_every_client_reads_alike_is_refused(body: Any, says: str) -> None:
    answer = Company().key(may_publish=True).post(EVENTS, body)
    [error] = refused(answer, 400, "INVALID_EVENT")
    assert error["index"] is None
    assert says in error["message"]
    assert len(answer.text) < 1000


def test_thirty_two_levels_are_taken() -> None:
    # The event, its data, and thirty lists in it.
    body = text('{"id": "c", "d": ' + "[" * 30 + "]" * 30 + "}")
    assert Company().key(may_publish=True).post(EVENTS, body).status == 201
    assert (
        Company().key(may_publish=True).post(EVENTS, text(r'{"id": "c", "t": "\ud83d\ude00"}')).status == 201
    )


@pytest.mark.parametrize(
    ("body", "field"), [("5", ""), ("null", ""), ('"text"', ""), ("true", ""), ("[[]]", ""), ("[1]", "")]
)
def test_json_that_is_no_object_is_no_event(body: str, field: str) -> None:
    [error] = refused(Company().key(may_publish=True).post(EVENTS, body), 400, "INVALID_EVENT")
    assert (error["index"], error["field"]) == (0, field)


def test_an_empty_list_is_refused() -> None:
    assert refused(Company().key(may_publish=True).post(EVENTS, []), 400, "INVALID_EVENT") == []


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
def test_a_compressed_body_is_refused_with_what_to_send(encoding: str) -> None:
    body = gzip.compress(json.dumps(CALL).encode())
    answer = Company().key(may_publish=True).post(EVENTS, body, content_encoding=encoding)
    refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert "Content-Encoding" in answer.body["message"]


def test_a_body_that_says_it_is_not_encoded_is_taken() -> None:
    assert Company().key(may_publish=True).post(EVENTS, CALL, content_encoding="identity").status == 201


# --- Anything at all ---

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from(
    ["event_type", "data", "customer_id", "agent_ids", "timestamp", "idempotency_key", "x"]
)
_items = st.dictionaries(_names, _values | st.just("call.status") | st.just({"id": "c"}), max_size=5)


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(_items | _values, max_size=3) | _items | _values)
def test_whatever_is_sent_is_stored_or_refused_with_reasons(body: Any) -> None:
    before = Event.objects.count()
    answer = Company().key(may_publish=True).post(EVENTS, body)
    if answer.status == 201:
        stored = len(answer.body) if isinstance(answer.body, list) else 1
        assert Event.objects.count() <= before + stored
        for event in Event.objects.all():
            decode(event.body)
    else:
        assert answer.status in (400, 403, 409)
        assert answer.body["code"] in ("INVALID_EVENT", "PERMISSION_DENIED", "IDEMPOTENCY_CONFLICT")
        assert Event.objects.count() == before
