"""The OpenAPI document agrees with the readers of bodies and identifiers, at the limits of each field."""

# Long because the bodies stand in one table.

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from threading import Barrier, Thread
from types import SimpleNamespace
from typing import Any, cast

import jsonschema_rs
import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request

from events.api.errors import ApiError
from events.domain import topics
from events.domain.cursor import InvalidCursor, parse_cursor
from events.domain.event_parser import MAX_AGENTS, MAX_KEY_LENGTH, InvalidEvent, read_event
from subscriptions.api.actions import _message, _target
from subscriptions.api.agent_status import _chosen, read_away
from subscriptions.api.desk.calls import read_note
from subscriptions.api.desk.schemas import MAX_NOTE
from subscriptions.api.login import _login
from subscriptions.api.schemas import MAX_TEXT
from tests.support.answers import document
from voipbin_ws.pages import api_docs

ID = "5371e9db-d035-4db6-a8d6-0994d33e744e"
ABSENT = object()
VALUES = (ABSENT, None, 7, True, "", "x", "x" * (MAX_TEXT + 1), [], ["x"], {}, {"id": ID}, {"a": 1})


def validator_of(name: str) -> jsonschema_rs.Draft202012Validator:
    whole = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def as_event(body: Any) -> object:
    return read_event(body, customer_id=ID, resources={"call"}, max_bytes=2**18)


def as_login(body: Any) -> object:
    return _login(cast(Request, SimpleNamespace(_request=SimpleNamespace(body=json.dumps(body).encode()))))


BODIES: list[tuple[str, Callable[[Any], object], dict[str, Any], dict[str, tuple[object, ...]]]] = [
    (
        "NewEvent",
        as_event,
        {
            "event_type": "call.status",
            "data": {"id": ID},
            "customer_id": ID,
            "agent_ids": [ID] * MAX_AGENTS,
            "timestamp": "2024-01-15T10:30:00.000000Z",
            "idempotency_key": "x" * MAX_KEY_LENGTH,
            "tags": {"team": "sales", "vip": True, "size": 1.5},
        },
        {
            "event_type": ("queue.status",),
            "data": ({"a": 1},),
            "agent_ids": ([ID] * (MAX_AGENTS + 1), [ID.upper()]),
            "timestamp": ("", "x", "x" * (MAX_TEXT + 1)),
            "idempotency_key": ("x" * (MAX_KEY_LENGTH + 1),),
            "tags": ({"Team": "x"}, {"team": None}, {"team": "x" * 257}, {"status": "x"}, {"t": ["x"]}),
        },
    ),
    ("Login", as_login, {"username": "mary", "password": "secret"}, {}),
    (
        "NewMessage",
        _message,
        {"to": "+15551234567", "text": "x" * MAX_TEXT, "automatic": True},
        {"to": ("+1", "0" * 20, "0" * 21, "1-2"), "text": (" ",)},
    ),
    ("NewMessage", _message, {"reply_to": ID, "text": "x"}, {"reply_to": ("",)}),
    ("Target", lambda body: _target({"to": body}), {"type": "queue", "id": ID}, {"type": ("tel",)}),
    (
        "StatusChoice",
        lambda body: read_away(body, _chosen(body), [{"code": "lunch", "label": "Lunch", "minutes": None}]),
        {"status": "away", "away_reason": "lunch", "minutes": 5},
        {"status": ("busy",), "away_reason": (None,), "minutes": (None, 0, 1441, 1.5)},
    ),
    (
        "NewCallNote",
        lambda body: read_note(body, ["sold"]),
        {"disposition": "sold", "note": "x" * MAX_NOTE},
        {"disposition": (None, "Sold!"), "note": ("", "x" * (MAX_NOTE + 1))},
    ),
]
STRICTER = {
    ("NewEvent", "event_type"): "the resource must be known",
    ("NewEvent", "data"): "the data must name its resource",
    ("NewEvent", "agent_ids"): "an id is written in lower case",
    ("NewEvent", "timestamp"): "the time must be one of RFC 3339",
    ("NewEvent", "tags"): "the gateway sets some tags itself",
    ("NewMessage", "text"): "the text must not be blank",
    ("NewMessage", "to"): "there must be a recipient",
    ("NewMessage", "reply_to"): "there must be a recipient",
    ("NewCallNote", "disposition"): "the disposition must be one of the customer's",
    ("StatusChoice", "away_reason"): "the reason must be one of the customer's",
    ("Target", "type"): "the id must fit the type",
    ("Target", "id"): "the id must fit the type",
}
"""Fields whose reader refuses some values that their schema permits, and why."""

EXCLUSIVE = {"NewMessage": {"to", "reply_to", "automatic"}}
"""Fields that not every good body has."""


def changes(
    good: dict[str, Any], more: dict[str, tuple[object, ...]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the body with one field changed, and the name of the field."""
    for name in good:
        for value in (*VALUES, *more.get(name, ())):
            changed = {**good, name: value}
            yield name, {each: it for each, it in changed.items() if it is not ABSENT}


@pytest.mark.parametrize(("name", "read", "good", "more"), BODIES, ids=[body[0] for body in BODIES])
def test_a_body_is_read_as_described(
    name: str,
    read: Callable[[Any], object],
    good: dict[str, Any],
    more: dict[str, tuple[object, ...]],
) -> None:
    described = validator_of(name)
    assert described.is_valid(good)
    fields = set(document()["components"]["schemas"][name]["properties"])
    assert set(good) <= fields <= set(good) | EXCLUSIVE.get(name, set())
    read(good)
    for field, body in changes(good, more):
        try:
            read(body)
        except (ApiError, InvalidEvent):
            assert not described.is_valid(body) or (name, field) in STRICTER, (field, body)
        else:
            assert described.is_valid(body), (field, body)


@pytest.mark.parametrize(
    "name", ["NewEvent", "CallOrder", "Target", "NewMessage", "NewCallNote", "StatusChoice"]
)
def test_a_strict_body_has_no_further_fields(name: str) -> None:
    assert document()["components"]["schemas"][name]["additionalProperties"] is False


LONGEST = topics.MAX_RESOURCE_ID_LENGTH


@pytest.mark.parametrize(
    "text", ["", "x", "a/b:c", "ü", "x" * LONGEST, "x" * (LONGEST + 1), "AZaz09._~@+=/-"]
)
def test_a_resource_id_is_read_as_described(text: str) -> None:
    pattern = document()["components"]["schemas"]["State"]["properties"]["resource_id"]["pattern"]
    assert bool(re.search(pattern, text)) == topics.is_resource_id(text)


@pytest.mark.parametrize(
    "text",
    ["", "7d0c7b1e52aa.1", "7d0c7b1e52aa.01", "7d0c7b1e52aa.", "7D0c7b1e52aa.1", "7d0c7b1e52aa." + "9" * 19],
)
def test_a_cursor_is_read_as_described(text: str) -> None:
    pattern = document()["components"]["schemas"]["Event"]["properties"]["cursor"]["pattern"]
    try:
        parse_cursor(text)
    except InvalidCursor:
        assert not re.search(pattern, text)
    else:
        assert re.search(pattern, text)


def schemas_within(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from schemas_within(each)


def test_the_examples_of_fields_fit_their_schemas() -> None:
    found = [
        (schema, example)
        for schema in schemas_within(document()["components"]["schemas"])
        for example in schema.get("examples", ())
    ]
    assert len(found) > 10
    for schema, example in found:
        jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(example)


def test_threads_build_the_document_once(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = api_docs.openapi_text()
    builds: list[object] = []
    real = SchemaGenerator.get_schema

    def counted(self: SchemaGenerator, **options: Any) -> Any:
        builds.append(self)
        return real(self, **options)

    monkeypatch.setattr(SchemaGenerator, "get_schema", counted)
    api_docs._build_openapi.cache_clear()
    ready = Barrier(4)
    texts: list[str] = []

    def fetch() -> None:
        ready.wait()
        texts.append(api_docs.openapi_text())

    threads = [Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [expected] * 4
    assert len(builds) == 1


# --- What generators of clients need ---


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in document()["paths"].values():
        for operation in methods.values():
            yield operation["operationId"], operation


def test_all_refusals_have_one_schema_with_open_codes() -> None:
    for name, operation in operations():
        for status, answer in operation["responses"].items():
            if status[0] in "45" and status != "503":
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Error"}, (name, status)
    code = document()["components"]["schemas"]["Error"]["properties"]["code"]
    assert code["type"] == "string"
    assert "enum" not in code


def test_a_body_is_required_unless_an_empty_one_is_read() -> None:
    optional = {name for name, each in operations() if not each.get("requestBody", {}).get("required", True)}
    assert optional == {"logout", "performCallAction", "replaceControlOptOut", "rotateControlAccessKey"}


def test_each_operation_names_its_credential_or_none() -> None:
    assert [name for name, operation in operations() if "security" not in operation] == []
    assert document()["info"]["license"] == {"name": "MIT", "identifier": "MIT"}


def test_the_examples_of_400_have_their_errors() -> None:
    found = 0
    for name, operation in operations():
        content = operation["responses"].get("400", {}).get("content", {}).get("application/json", {})
        for example in content.get("examples", {}).values():
            found += 1
            assert example["value"]["errors"], name
    assert found > 10


def test_an_operation_begins_with_a_usual_verb() -> None:
    verbs = (
        "change|check|create|delete|explain|get|import|list|login|logout|perform|publish|receive|replace|revoke|rotate"
        "|send|set|stream|update"
    )
    assert [name for name, _ in operations() if not re.match(f"({verbs})([A-Z]|$)", name)] == []
