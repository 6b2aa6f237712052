"""docs/asyncapi.yaml is valid AsyncAPI 3, and agrees with the code and docs/protocol.md."""

# Long because one document is compared with everything that must agree with it.
from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.domain.cursor import InvalidCursor, parse_cursor
from events.event_types.catalogue import EVENT_TYPES
from events.event_types.client_types import type_name
from subscriptions.protocol.codes import CloseCode, ErrorCode
from subscriptions.protocol.messages import (
    Action,
    UnreadableMessage,
    ack_frame,
    closing_frame,
    error_frame,
    pong_frame,
    read_message,
)
from tests.support.frames import FROM_CLIENT, FROM_GATEWAY, check_received, check_sent, document, is_described
from tests.support.processes import ROOT
from voipbin_ws.pages.asyncapi import asyncapi_document

PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
TOPIC = "customer_id:12345678-1234-1234-1234-123456789012:call:*"
SCHEMAS: Mapping[str, Any] = document()["components"]["schemas"]
SOCKET: Mapping[str, Any] = document()["channels"]["socket"]


@cache
def asyncapi() -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator(
        json.loads((ROOT / "tests" / "fixtures" / "asyncapi-3.0.0.schema.json").read_text())
    )


def table(heading: str, *, number: int = 0) -> list[list[str]]:
    """The cells of a table of docs/protocol.md, by its heading and its number under it."""
    section = PROTOCOL.partition(f"\n{heading}\n")[2]
    assert section, f"there is no heading {heading}"
    section = re.split(r"^#{2,3} ", section, maxsplit=1, flags=re.MULTILINE)[0]
    tables = re.findall(r"^\|[-| ]+\|\n((?:\|.*\|\n)+)", section, re.MULTILINE)
    return [[cell.strip() for cell in row[1:-1].split("|")] for row in tables[number].splitlines()]


def codes_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


# --- The document itself ---


def test_it_is_asyncapi_3() -> None:
    assert document()["asyncapi"] == "3.0.0"
    assert [error.message for error in asyncapi().iter_errors(document())] == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("asyncapi",), "2.6.0"),
        (("channels", "socket", "address"), 7),
        (("operations", "onPing", "action"), "answer"),
        (("components", "securitySchemes", "token", "in"), "body"),
        (("components", "schemas", "ping", "properties", "type"), {"minLength": "one"}),
        (("info", "colour"), "blue"),
    ],
)
def test_what_is_no_asyncapi_is_found(place: tuple[str, ...], value: object) -> None:
    broken = copy.deepcopy(document())
    part = broken
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    assert not asyncapi().is_valid(broken)


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    named = set(references(document()))
    for reference in named:
        part: Any = document()
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
    used = {name.rpartition("/")[2] for name in named if name.startswith("#/components/schemas/")}
    assert used == SCHEMAS.keys()
    assert {f"#/channels/socket/messages/{name}" for name in SOCKET["messages"]} <= named


@pytest.mark.parametrize("name", [*FROM_CLIENT, *FROM_GATEWAY])
def test_every_message_has_examples_that_are_as_it_says(name: str) -> None:
    examples = document()["components"]["messages"][name]["examples"]
    for example in examples:
        (check_sent if name in FROM_CLIENT else check_received)(example["payload"])
    assert examples


def test_messages_are_all_that_is_sent() -> None:
    assert [*FROM_CLIENT, *FROM_GATEWAY] == list(SOCKET["messages"])
    assert tuple(Action) == FROM_CLIENT


# --- The frames ---


@pytest.mark.parametrize(
    "frame",
    [
        ack_frame(Action.SUBSCRIBE, ["a"], cursor="0123456789ab.7"),
        ack_frame(Action.SUBSCRIBE, ["a"], cursor="0123456789ab.7", recovered=True, request_id="x"),
        ack_frame(Action.SUBSCRIBE, ["a"], cursor="0123456789ab.7", recovered=False, reason="pruned"),
        ack_frame(Action.UNSUBSCRIBE, ["a"], request_id=1.5),
        ack_frame(Action.AUTHENTICATE, []),
        error_frame(None, [], ErrorCode.INVALID_MESSAGE, "why"),
        pong_frame(None),
        pong_frame("0123456789ab.7,0123456789ac.8", 7),
        *(error_frame(action, ["a"], code, "why") for action in Action for code in ErrorCode),
        *(closing_frame(code, "why") for code in CloseCode),
    ],
)
def test_every_frame_that_the_gateway_makes_is_described(frame: str) -> None:
    check_received(json.loads(frame))


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "pong"},
        {"type": "pong", "cursor": None, "lag": 1},
        {"type": "pong", "cursor": "1"},
        {"type": "hello"},
        {"type": "ack", "action": "subscribe", "topics": ["a"], "status": "success"},
        {"type": "ack", "action": "ping", "topics": ["a"], "status": "success", "cursor": "0123456789ab.7"},
        {"type": "error", "action": None, "topics": [], "code": "TOO_BIG", "message": "why"},
        {"type": "error", "action": None, "topics": [], "code": "REVOKED", "message": "why"},
        {"event_type": "call.status"},
        [],
        "text",
    ],
)
def test_a_frame_that_is_not_described_is_found(frame: object) -> None:
    with pytest.raises(AssertionError):
        check_received(frame)


CURSORS = st.from_regex(SCHEMAS["cursor"]["pattern"], fullmatch=True) | st.sampled_from(
    ["", "0123456789ab.7", "0123456789ab.07", "0123456789ab.7,", "0123456789AB.7", "yesterday"]
)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)
ANYTHING = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1, 1) | TEXT
GOOD = {
    "type": st.sampled_from(list(Action)),
    "topics": st.lists(st.just(TOPIC) | TEXT, min_size=1, max_size=3),
    "token": st.just("vb_key"),
}
WRONG = {
    "type": st.just("listen") | ANYTHING,
    "topics": st.lists(ANYTHING, max_size=2) | ANYTHING,
    "token": ANYTHING,
}
BESIDE = {
    "since": CURSORS | ANYTHING,
    "request_id": ANYTHING | st.text("x", min_size=127, max_size=130) | st.lists(ANYTHING, max_size=1),
    "another": ANYTHING,
}
MESSAGES = (
    st.fixed_dictionaries(GOOD, optional=BESIDE)
    | st.fixed_dictionaries({}, optional=GOOD)
    | st.fixed_dictionaries(GOOD | WRONG)
    | st.fixed_dictionaries(GOOD | {"topics": WRONG["topics"]})
    | ANYTHING
)


def is_read(message: object) -> bool:
    try:
        read_message(json.dumps(message), max_bytes=2**16, max_topics=100)
    except UnreadableMessage:
        return False
    return True


def test_a_message_is_read_just_where_it_is_described() -> None:
    seen = set()

    @given(message=MESSAGES)
    def each(message: object) -> None:
        if _names_a_log_twice(message):
            return
        seen.add(is_described(message))
        assert is_read(message) == is_described(message), message

    each()
    assert seen == {True, False}


def _names_a_log_twice(message: object) -> bool:
    """What a pattern cannot express."""
    since = message.get("since") if isinstance(message, dict) else None
    epochs = [part.partition(".")[0] for part in since.split(",")] if isinstance(since, str) else []
    return len(set(epochs)) < len(epochs)


@given(text=CURSORS)
def test_a_cursor_is_described_as_it_is_read(text: str) -> None:
    try:
        parse_cursor(text)
    except InvalidCursor:
        read = False
    else:
        read = True
    described = re.fullmatch(SCHEMAS["cursor"]["pattern"], text) is not None
    assert read == described or _names_a_log_twice({"since": text})


# --- Agreement with the code and docs/protocol.md ---


def test_error_codes_are_those_of_the_code_and_of_the_document() -> None:
    described = {
        each["const"]: each["description"] for each in SCHEMAS["error"]["properties"]["code"]["oneOf"]
    }
    assert list(described) == list(ErrorCode)
    assert {codes_in(code)[0]: when for code, when in table("## Errors")} == described


def test_close_codes_are_those_of_the_code_and_of_the_document() -> None:
    described = SOCKET["x-close-codes"]
    assert [(each["code"], each["name"], each["retry"]) for each in described] == [
        (code.value, code.name, code.retry) for code in CloseCode
    ]
    assert SCHEMAS["closing"]["properties"]["code"]["enum"] == [code.name for code in CloseCode]
    documented = [
        (int(code), codes_in(name)[0], json.loads(codes_in(retry)[0]))
        for code, name, _, retry in table("## How a connection ends")
    ]
    assert documented == [(each["code"], each["name"], each["retry"]) for each in described]


def test_refusals_are_those_of_the_document() -> None:
    documented = [(int(status), codes_in(code)[0], why) for status, code, why, _ in table("### Refusals")]
    for (status, code, why), described in zip(documented, SOCKET["x-refusals"], strict=True):
        assert (described["status"], described["code"]) == (status, code)
        assert why.removesuffix(" (see below)") == described["description"]


def test_messages_of_clients_are_those_of_the_document() -> None:
    documented = table("## Messages")
    assert [codes_in(message)[0] for message, _, _ in documented] == list(Action)
    for message, fields, _ in documented:
        name = codes_in(message)[0]
        properties = SCHEMAS[name]["properties"].keys()
        assert properties == {"type", "request_id", *codes_in(fields)}, name


def test_fields_of_an_event_are_those_of_the_document() -> None:
    assert [codes_in(field)[0] for field, _ in table("## Events")] == list(SCHEMAS["event"]["properties"])


def test_event_types_are_those_of_the_document() -> None:
    types = {name for cell, _ in table("## Event types") for name in codes_in(cell)}
    assert types == EVENT_TYPES.keys()


def test_the_served_document_has_a_message_for_each_event_type() -> None:
    served = asyncapi_document()
    assert asyncapi().is_valid(served)
    for name, event_type in EVENT_TYPES.items():
        message = served["components"]["messages"][type_name(name)]
        [example] = message["examples"]
        check_received(example["payload"])
        assert served["components"]["schemas"][f"{type_name(name)}Data"]["examples"] == [event_type.example]
    for reference in references(served):
        part: Any = served
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
