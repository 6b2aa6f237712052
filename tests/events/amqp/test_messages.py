"""A message from the broker read as an event: both shapes, whose it is, its key, and every reason why not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.amqp.messages import DIGEST_PREFIX, Message, Rules, Unreadable, key_of, read_message
from events.domain.topics import known_resources

ACME = "5e4a0680-804e-11ec-8477-2fea5968d85b"
GLOBEX = "11111111-2222-4333-8444-555555555555"
RULES = Rules(customer_id="", resources=known_resources(), max_data_bytes=10_000, max_body_bytes=20_000)
FALLBACK = Rules(customer_id=ACME, resources=known_resources(), max_data_bytes=10_000, max_body_bytes=20_000)
CALL = {"event_type": "call.status", "customer_id": ACME, "data": {"id": "c1", "status": "ringing"}}
WEBHOOK = {"type": "call_progressing", "data": {"id": "c2", "customer_id": ACME, "status": "progressing"}}


def message(content: object, **fields: Any) -> Message:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Message(1, body, **fields)


def test_our_own_shape_is_taken_as_over_http() -> None:
    draft = read_message(message(CALL), RULES)
    assert (draft.customer_id, draft.event_type, draft.resource_id) == (ACME, "call.status", "c1")


def test_voipbins_shape_is_translated() -> None:
    draft = read_message(message(WEBHOOK), RULES)
    assert (draft.customer_id, draft.event_type, draft.resource_id) == (ACME, "call.status", "c2")
    assert draft.data["status"] == "answered"


def test_what_voipbin_puts_around_its_events_does_no_harm() -> None:
    wrapped = {**WEBHOOK, "publisher": "call-manager", "data_type": "application/json"}
    assert read_message(message(wrapped), RULES).resource_id == "c2"


def test_the_customer_may_stand_beside_the_data_of_voipbins_shape() -> None:
    beside = {"type": "call_ringing", "customer_id": ACME, "data": {"id": "c3"}}
    assert read_message(message(beside), RULES).customer_id == ACME


def test_a_message_that_names_no_customer_is_of_the_one_that_was_configured() -> None:
    nameless = {name: value for name, value in CALL.items() if name != "customer_id"}
    assert read_message(message(nameless), FALLBACK).customer_id == ACME
    assert read_message(message({**CALL, "customer_id": GLOBEX}), FALLBACK).customer_id == GLOBEX
    with pytest.raises(Unreadable, match="customer_id: required"):
        read_message(message(nameless), RULES)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff{}", "not UTF-8"),
        (b"{", "not JSON"),
        (b'{"event_type": "call.status", "data": {"id": "a", "n": NaN}}', "NaN"),
        (b"", "not JSON"),
        ([CALL, CALL], "one JSON object"),
        ("call", "one JSON object"),
        ({"customer_id": ACME}, "event_type: required"),
        ({**CALL, "data": {}}, "data: required"),
        ({**CALL, "event_type": "fax.sent"}, '"fax" is no known resource'),
        ({**CALL, "customer_id": "ACME"}, "customer_id: write a UUID"),
        ({"type": "podcast_started", "data": {"id": "p"}}, "no event of a known resource"),
        ({**CALL, "data": {"id": "c", "note": "x" * 10_001}}, "larger than 10000 bytes"),
        (b" " * 20_001, "larger than 20000 bytes"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(content: object, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_message(message(content), RULES)


def test_a_compressed_body_is_refused_by_name() -> None:
    with pytest.raises(Unreadable, match="content_encoding 'gzip'"):
        read_message(message(CALL, content_encoding="gzip"), RULES)
    assert read_message(message(CALL, content_encoding="utf-8"), RULES).resource_id == "c1"


def test_the_key_is_the_bodys_own_or_the_messages_id_or_made_of_its_bytes() -> None:
    own = read_message(message({**CALL, "idempotency_key": "k"}, message_id="m"), RULES)
    named = read_message(message(CALL, message_id="m"), RULES)
    nameless = read_message(message(CALL), RULES)
    assert (own.idempotency_key, named.idempotency_key) == ("k", "amqp:m")
    assert nameless.idempotency_key == key_of(message(CALL))
    assert key_of(message(CALL)).startswith(DIGEST_PREFIX)
    assert key_of(message(CALL)) != key_of(message(WEBHOOK))


@pytest.mark.parametrize("message_id", ["m" * 251, "a\nb", "\udcff"])
def test_an_id_that_is_no_key_is_made_one(message_id: str) -> None:
    draft = read_message(message(CALL, message_id=message_id), RULES)
    assert draft.idempotency_key is not None
    assert draft.idempotency_key.startswith("amqp:id:")
