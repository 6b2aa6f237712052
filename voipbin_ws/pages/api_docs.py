"""OpenAPI for REST and AsyncAPI for the WebSocket, each as a document and as a page.

The modules that build the descriptions are imported on the first request for one: most processes never serve them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from threading import Lock
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from events.event_types.catalogue import EVENT_TYPES
from events.event_types.client_types import type_name
from voipbin_ws.http.security_headers import PAGE_POLICY
from voipbin_ws.pages.asyncapi import asyncapi_document, asyncapi_text
from voipbin_ws.pages.views import page

Schema = Mapping[str, Any]

SWAGGER_POLICY = f"{PAGE_POLICY}; img-src 'self' data:"
"""The policy of other pages, and `data:` images: Swagger UI draws its arrows from them."""

_building = Lock()


def openapi_text() -> str:
    """Return the OpenAPI document as JSON; the first call builds it."""
    # drf-spectacular resolves its extensions in module state, which is not safe for threads.
    with _building:
        return _build_openapi()


@cache
def _build_openapi() -> str:
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiJsonRenderer

    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    text: bytes = OpenApiJsonRenderer().render(document)
    return text.decode()


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 (Django passes it)
    """Serve the OpenAPI document."""
    return _document(openapi_text(), "application/json")


@require_safe
def asyncapi(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Serve the AsyncAPI document."""
    return _document(asyncapi_text(), "application/yaml")


def _document(text: str, content_type: str) -> HttpResponse:
    return HttpResponse(text, content_type=content_type, headers={"Cache-Control": "no-cache"})


@require_safe
def rest_page(request: HttpRequest) -> HttpResponse:
    """Serve Swagger UI, which also sends requests."""
    response = page(request, "docs/rest.html", title="REST")
    response["Content-Security-Policy"] = SWAGGER_POLICY
    return response


@require_safe
def websocket_page(request: HttpRequest) -> HttpResponse:
    """Serve the AsyncAPI document as a page."""
    return page(request, "docs/websocket.html", title="WebSocket", **_websocket_context())


@cache
def codes_of_websocket() -> dict[str, Any]:
    """Return the codes of error frames, closes and refused handshakes."""
    document = asyncapi_document()
    socket = document["channels"]["socket"]
    return {
        "error_codes": document["components"]["schemas"]["error"]["properties"]["code"]["oneOf"],
        "close_codes": socket["x-close-codes"],
        "refusals": socket["x-refusals"],
    }


@cache
def _websocket_context() -> dict[str, Any]:
    """Return the contents of the AsyncAPI document in the order of the page."""
    document = asyncapi_document()
    socket = document["channels"]["socket"]
    schemas = document["components"]["schemas"]
    event_types = set(map(type_name, EVENT_TYPES))
    messages = {}
    for name, message in document["components"]["messages"].items():
        payload = schemas[_target(message["payload"])]
        messages[name] = {
            **message,
            "anchor": f"message-{name}",
            "fields": list(_fields(payload, schemas)),
            "items": payload.get("items"),
            "examples_as_json": [_json(example["payload"]) for example in message["examples"]],
        }
    operations = [
        {
            **operation,
            "sent": [
                messages[_target(each)] for each in operation["messages"] if _target(each) not in event_types
            ],
            "answers": [messages[_target(each)] for each in operation.get("reply", {}).get("messages", [])],
        }
        for operation in document["operations"].values()
    ]
    return {
        "info": document["info"],
        "socket": socket,
        "query": list(_fields(socket["bindings"]["ws"]["query"], schemas)),
        "headers": list(_fields(socket["bindings"]["ws"]["headers"], schemas)),
        "operations": operations,
        "messages": [message for name, message in messages.items() if name not in event_types],
    }


def _fields(schema: Schema, schemas: Schema) -> Iterator[dict[str, Any]]:
    """Yield name, presence, type and description of each property of an object."""
    for name, unresolved in schema.get("properties", {}).items():
        field = _resolve(unresolved, schemas)
        yield {
            "name": name,
            "required": name in schema.get("required", ()),
            "type": _type_text(field, schemas),
            "description": field.get("description", ""),
        }


def _resolve(schema: Schema, schemas: Schema) -> Schema:
    """Return the schema merged with those that it refers to."""
    for part in [schema] if "$ref" in schema else schema.get("allOf", []):
        schema = {**_resolve(schemas[_target(part)], schemas), **schema}
    return schema


def _type_text(schema: Schema, schemas: Schema) -> str:
    if "const" in schema:
        return _json(schema["const"])
    if "enum" in schema:
        return " · ".join(_json(value) for value in schema["enum"])
    if "oneOf" in schema:
        return " or ".join(_type_text(_resolve(each, schemas), schemas) for each in schema["oneOf"])
    kind = schema.get("type", "anything")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if kind == "array" and "items" in schema:
        text = f"list of {_type_text(_resolve(schema['items'], schemas), schemas)}"
    return f"{text} ({schema['format']})" if "format" in schema else text


def _target(reference: Schema) -> str:
    """Return the name that a `$ref` ends in."""
    return str(reference["$ref"]).rpartition("/")[2]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
