"""The OpenAPI document is valid, complete, and agrees with the code and the protocol document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.validation import validate_schema

from events.api.errors import ERROR_CODES
from events.event_types.catalogue import EVENT_TYPES
from events.reading.queries import CALL_PARAMETERS, HISTORY_PARAMETERS, STATE_PARAMETERS
from subscriptions.protocol.codes import CloseCode, ErrorCode
from tests.support import frames
from tests.support.answers import check_answer, document, operation_of
from tests.support.processes import ROOT
from voipbin_ws.pages.asyncapi import asyncapi_document

METHODS = ("get", "post", "put", "patch", "delete")
UNDESCRIBED_ROUTES = {"v1.0/openapi.json", "v1.0/asyncapi.yaml"}
"""The addresses of the descriptions themselves."""
OPERATIONS = [
    (method.upper(), path, described)
    for path, methods in document()["paths"].items()
    for method, described in methods.items()
]


def routes(patterns: list[Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every address with its view."""
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, route)
        elif isinstance(each, URLPattern):
            yield route, each.callback


def test_the_document_is_openapi_3_1() -> None:
    assert document()["openapi"] == "3.1.0"
    validate_schema(document())
    broken = json.loads(json.dumps(document()))
    broken["paths"]["/v1.0/me"]["get"]["responses"] = []
    with pytest.raises(Exception, match="not of type 'object'"):
        validate_schema(broken)


def test_the_command_writes_the_document_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))
    assert yaml.load((tmp_path / "openapi.yaml").read_text(), yaml.CSafeLoader) == document()


def test_every_address_and_method_is_described() -> None:
    found = set()
    for route, view in routes(get_resolver().url_patterns):
        if not route.startswith(("v1.0/", "auth/")) or route in UNDESCRIBED_ROUTES:
            continue
        path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
        found |= {(method.upper(), path) for method in METHODS if hasattr(view.cls, method)}
    assert len(found) > 10
    from_views = {(method, path) for method, path, described in OPERATIONS if described["tags"] != ["Health"]}
    # The stream is served beside Django.
    assert found | {("GET", "/v1.0/sse")} == from_views
    assert {path for _, path, described in OPERATIONS if described["tags"] == ["Health"]} == {
        *("/healthz", "/readyz", "/metrics"),
    }


@pytest.mark.parametrize(("method", "path", "described"), OPERATIONS, ids=lambda each: str(each)[:40])
def test_an_operation_is_described_completely(method: str, path: str, described: dict[str, Any]) -> None:
    assert described["operationId"]
    assert described["summary"]
    assert described["tags"][0] in {tag["name"] for tag in document()["tags"]}
    named = {each["name"] for each in described.get("parameters", []) if each["in"] == "path"}
    assert named == set(re.findall(r"{(\w+)}", path))
    for answer in described["responses"].values():
        assert answer["description"]
    bodies = [described["requestBody"]["content"]["application/json"]] if "requestBody" in described else []
    for content in [
        *bodies,
        *(
            content
            for answer in described["responses"].values()
            for content in answer.get("content", {}).values()
        ),
    ]:
        validator = jsonschema_rs.Draft202012Validator(
            {**content["schema"], "components": document()["components"]}
        )
        for example in content.get("examples", {}).values():
            validator.validate(example["value"])
    if bodies:
        assert bodies[0]["examples"]


def test_operation_ids_are_unique() -> None:
    names = [described["operationId"] for _, _, described in OPERATIONS]
    assert sorted(set(names)) == sorted(names)


def test_a_credential_is_accepted_in_three_ways() -> None:
    schemes_of_credentials = [{"bearer": []}, {"token": []}, {"accesskey": []}]
    for _, path, described in OPERATIONS:
        is_public = path.startswith(
            ("/auth/login", "/auth/invitation", "/healthz", "/readyz", "/v1.0/event-types")
        )
        own = [{"metrics": []}, {}] if path == "/metrics" else schemes_of_credentials
        assert described.get("security", []) == ([] if is_public else own), path
    schemes = dict(document()["components"]["securitySchemes"])
    assert schemes.pop("metrics")["type"] == "http"
    assert {name: each.get("in", each["type"]) for name, each in schemes.items()} == {
        "bearer": "http",
        "token": "query",
        "accesskey": "query",
    }


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/v1.0/events", HISTORY_PARAMETERS),
        ("/v1.0/calls", CALL_PARAMETERS),
        ("/v1.0/resources/queue", STATE_PARAMETERS),
    ],
)
def test_parameters_are_those_that_are_read(path: str, parameters: tuple[str, ...]) -> None:
    operation = operation_of("GET", path)
    assert operation is not None
    assert operation.parameters == set(parameters)


def test_the_codes_are_those_of_the_protocol_document() -> None:
    rows = re.findall(
        r"^\| (\d{3}) \| ((?:`[A-Z_]+`(?:, )?)+) \|", (ROOT / "docs" / "protocol.md").read_text(), re.M
    )
    documented = {(int(status), code) for status, codes in rows for code in re.findall(r"[A-Z_]+", codes)}
    described = {(status, code) for code, (status, _) in ERROR_CODES.items()}
    assert documented - described == set()
    assert {code for _, code in described - documented} == {"METHOD_NOT_ALLOWED", "UPGRADE_REQUIRED"}


def test_every_address_is_in_the_protocol_document() -> None:
    protocol = (ROOT / "docs" / "protocol.md").read_text()
    paths = {path for _, path, described in OPERATIONS if described["tags"] != ["Health"]}
    forms = {path: re.sub(r"{\w+}", "[^/`]+", path.replace(".", r"\.")) for path in paths}
    assert {path for path, form in forms.items() if not re.search(f"[` ]{form}`", protocol)} == set()


def test_an_event_has_the_same_fields_over_rest_and_websocket() -> None:
    over_socket = frames.document()["components"]["schemas"]["event"]
    over_rest = document()["components"]["schemas"]["Event"]
    assert set(over_rest["required"]) == set(over_socket["required"])
    assert list(over_rest["properties"]) == list(over_socket["properties"])
    for name in ("event_type", "topic"):
        assert over_rest["properties"][name]["pattern"] == over_socket["properties"][name]["pattern"]


RECEIPT = {
    "id": "0c4f3c9e-2f5f-4f0f-9a51-4b0c6b6a7a10",
    "cursor": "7d0c7b1e52aa.1",
    "topics": [],
    "replayed": False,
}
EMPTY_PAGE = {
    "cursor": "7d0c7b1e52aa.1",
    "now": "2024-01-15T10:30:00.000000Z",
    "items": [],
    "next": None,
}


@pytest.mark.parametrize(
    ("request_line", "sent", "status", "answered"),
    [
        ("GET /v1.0/events", None, 200, {**EMPTY_PAGE, "total": 0}),
        ("GET /v1.0/events", None, 200, {"cursor": "7d0c7b1e52aa.1", "items": []}),
        ("GET /v1.0/events?colour=blue", None, 200, EMPTY_PAGE),
        ("GET /v1.0/events", None, 418, {"code": "TEAPOT", "message": "short and stout"}),
        ("GET /v1.0/events", None, 404, {"code": "NOT_HERE", "message": "why"}),
        ("GET /v1.0/events", None, 404, {"code": "NOT_FOUND", "message": "why", "hint": "look"}),
        ("POST /v1.0/events", {"event_type": "call.status"}, 201, RECEIPT | {"topics": ["x"]}),
        ("POST /v1.0/events", {"event_type": "call.status", "data": {"id": "1"}}, 201, RECEIPT),
    ],
)
def test_an_undescribed_answer_is_refused(
    request_line: str, sent: object, status: int, answered: object
) -> None:
    method, path = request_line.split()
    with pytest.raises(AssertionError):
        check_answer(method, path, json.dumps(sent), status, json.dumps(answered))


def test_a_described_answer_is_accepted() -> None:
    check_answer("GET", "/v1.0/events?type=call.status&token=x", "", 200, json.dumps(EMPTY_PAGE))


# --- Served ---


def test_the_gateway_serves_both_descriptions() -> None:
    rest, socket = Client().get("/v1.0/openapi.json"), Client().get("/v1.0/asyncapi.yaml")
    assert (rest["Content-Type"], socket["Content-Type"]) == ("application/json", "application/yaml")
    assert rest.json() == document()
    assert yaml.safe_load(socket.content) == asyncapi_document()
    assert Client().post("/v1.0/openapi.json").status_code == 405


def test_the_page_of_the_websocket_shows_the_whole_document() -> None:
    page = Client().get("/docs/websocket").content.decode()
    described = frames.document()
    for message in described["components"]["messages"].values():
        assert message["title"] in page
    for name in described["components"]["schemas"]["event"]["properties"]:
        assert f"<code>{name}</code>" in page
    assert "`" not in page


def test_the_page_of_errors_has_every_code() -> None:
    page = Client().get("/docs/errors").content.decode()
    for code in ERROR_CODES:
        assert f'id="{code}"' in page
    for each in CloseCode:
        assert f'id="{each.value}"' in page
    for error in ErrorCode:
        assert f'id="frame-{error}"' in page


def test_the_page_of_event_types_has_all_of_them_with_their_fields() -> None:
    page = Client().get("/docs/events").content.decode()
    for name, event_type in EVENT_TYPES.items():
        assert f'id="{name}"' in page
        assert all(f"<code>{field.name}</code>" in page for field in event_type.fields)
    assert Client().get("/v1.0/event-types").json()["event_types"][0]["event_type"] == "call.created"
    assert Client().get("/v1.0/event-types/call.created").json()["title"] == "call.created"
    absent = Client().get("/v1.0/event-types/call.create")
    assert absent.status_code == 404
    assert "did you mean call.created?" in absent.json()["message"]
