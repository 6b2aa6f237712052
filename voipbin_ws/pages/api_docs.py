"""The whole interface described for machines and shown to people: REST by OpenAPI, the WebSocket by AsyncAPI.

What makes the descriptions is imported by whoever asks for one first: most processes never do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from voipbin_ws.http.security_headers import PAGE_POLICY

SWAGGER_POLICY = f"{PAGE_POLICY}; img-src 'self' data:"
"""Swagger UI draws its arrows from `data:` addresses; beyond that, nothing that other pages may not."""


@cache
def openapi_text() -> str:
    """The OpenAPI document as JSON."""
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiJsonRenderer

    document = SchemaGenerator().get_schema(request=None, public=True)
    text: bytes = OpenApiJsonRenderer().render(document)
    return text.decode()


@cache
def asyncapi_text() -> str:
    """The AsyncAPI document as YAML, as docs/asyncapi.yaml has it."""
    return (settings.BASE_DIR / "docs" / "asyncapi.yaml").read_text()


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 (Django gives it)
    return _document(openapi_text(), "application/json")


@require_safe
def asyncapi(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    return _document(asyncapi_text(), "application/yaml")


def _document(text: str, kind: str) -> HttpResponse:
    return HttpResponse(text, content_type=kind, headers={"Cache-Control": "no-cache"})


@require_safe
def rest_page(request: HttpRequest) -> HttpResponse:
    """Swagger UI, which also sends requests."""
    response = _page(request, "docs/rest.html", {"title": "REST"})
    response["Content-Security-Policy"] = SWAGGER_POLICY
    return response


@require_safe
def websocket_page(request: HttpRequest) -> HttpResponse:
    """The AsyncAPI document for people."""
    return _page(request, "docs/websocket.html", {"title": "WebSocket", **_shown()})


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, template, context)
    # The files that it names change with it.
    response["Cache-Control"] = "no-cache"
    return response


@cache
def _shown() -> dict[str, Any]:
    """The AsyncAPI document in the order in which people read it."""
    import yaml

    document = yaml.safe_load(asyncapi_text())
    socket = document["channels"]["socket"]
    schemas = document["components"]["schemas"]
    messages = {}
    for name, message in document["components"]["messages"].items():
        payload = message["payload"]["$ref"].rpartition("/")[2]
        messages[name] = {
            **message,
            "anchor": f"message-{name}",
            "fields": list(_fields(schemas[payload], schemas)),
            "items": schemas[payload].get("items"),
            "shown": [_json(example["payload"]) for example in message["examples"]],
        }
    operations = [
        {
            **operation,
            "sent": [messages[_name(each)] for each in operation["messages"]],
            "answers": [messages[_name(each)] for each in operation.get("reply", {}).get("messages", [])],
        }
        for operation in document["operations"].values()
    ]
    return {
        "info": document["info"],
        "address": socket["address"],
        "socket": socket,
        "query": list(_fields(socket["bindings"]["ws"]["query"], schemas)),
        "headers": list(_fields(socket["bindings"]["ws"]["headers"], schemas)),
        "closes": socket["x-close-codes"],
        "refusals": socket["x-refusals"],
        "operations": operations,
        "messages": messages.values(),
        "error_codes": schemas["error"]["properties"]["code"]["oneOf"],
        "data": [
            {
                "resource": name.removesuffix("Data"),
                "types": schema["x-event-types"].items(),
                "fields": list(_fields(schema, schemas)),
            }
            for name, schema in schemas.items()
            if name.endswith("Data")
        ],
    }


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each field of an object with its type and meaning in words."""
    for name, field in schema.get("properties", {}).items():
        resolved = _resolved(field, schemas)
        yield {
            "name": name,
            "needed": name in schema.get("required", ()),
            "type": _kind(resolved, schemas),
            "description": resolved.get("description", ""),
        }


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with what it refers to laid under it."""
    for part in [schema] if "$ref" in schema else schema.get("allOf", []):
        schema = {**_resolved(schemas[_name(part)], schemas), **schema}
    return schema


def _kind(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    if "const" in schema:
        return _json(schema["const"])
    if "enum" in schema:
        return " · ".join(_json(value) for value in schema["enum"])
    if "oneOf" in schema:
        return " or ".join(_kind(_resolved(each, schemas), schemas) for each in schema["oneOf"])
    kind = schema.get("type", "anything")
    words = " or ".join(kind) if isinstance(kind, list) else kind
    if kind == "array" and "items" in schema:
        words = f"list of {_kind(_resolved(schema['items'], schemas), schemas)}"
    return f"{words} ({schema['format']})" if "format" in schema else words


def _name(reference: Mapping[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
