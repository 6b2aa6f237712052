"""The OpenAPI document: drf-spectacular's hooks, and the addresses beside the REST views."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema

from events.api.operation import CREDENTIAL
from events.cloudevents.attributes import PAGE_OF_CLOUD_EVENTS, SPEC_VERSION, STRUCTURED
from events.event_types.catalogue import EVENT_TYPES
from events.event_types.client_types import type_name
from events.event_types.schema import data_schemas

_TAGS = {
    "Publishing": "Publish events to the gateway.",
    "Reading": "Past events, and the present state.",
    "Acting": "Actions of the connected platform; the status of agents.",
    "Control": "Manage customers, queues, agents, access keys and opt-outs.",
    "Credentials": "Log in, and read the identity of a credential.",
    "WebSocket": "The WebSocket itself is described by [AsyncAPI](/docs/websocket).",
    "Health": "For load balancers and monitoring, without a credential.",
}
_BEARER = {"type": "http", "scheme": "bearer"}
_IN_QUERY = {"type": "apiKey", "in": "query"}
_SECURITY_SCHEMES = {
    "bearer": {**_BEARER, "description": "A token (JWT) of an agent, or an access key (`vb_…`)."},
    "token": {
        **_IN_QUERY,
        "name": "token",
        "description": "A token or an access key. Prefer the header: addresses are often logged.",
    },
    "accesskey": {**_IN_QUERY, "name": "accesskey", "description": "An access key."},
    "metrics": {**_BEARER, "description": "The setting `METRICS_TOKEN`, only for `/metrics`."},
}


_WITHOUT_BODY = {"logout", "performCallAction", "replaceControlOptOut", "rotateControlAccessKey"}
"""Operations for which an empty body is the same as {}."""


def describe_views(endpoints: list[Any]) -> list[Any]:
    """Apply the descriptions of the views' methods (`events.api.operation`): the hook before."""
    for _, _, method, view in endpoints:
        handler = getattr(view.cls, method.lower())
        summary, _, description = inspect.cleandoc(handler.__doc__ or view.cls.__doc__).partition("\n\n")
        extend_schema(
            **handler.operation, summary=summary.removesuffix("."), description=" ".join(description.split())
        )(handler)
    return endpoints


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what does not come from the views: the hook after."""
    result["tags"] = [{"name": name, "description": text} for name, text in _TAGS.items()]
    result["servers"] = [{"url": "/", "description": "This gateway"}]
    # One view has several addresses.
    for plural in ("agents", "messages", "queues"):
        result["paths"][f"/v1.0/{plural}"]["get"] |= {
            "operationId": f"list{plural.title()}",
            "summary": f"Read the present state of {plural}",
        }
    result["paths"] |= {**_HEALTH, **_STREAM}
    result["components"]["securitySchemes"] = _SECURITY_SCHEMES
    schemas = result["components"]["schemas"]
    # drf-spectacular does not take these from serializers.
    for strict in (
        "NewEvent",
        "CallOrder",
        "Target",
        "NewMessage",
        "NewCallNote",
        "StatusChoice",
        "Logout",
        "PasswordChange",
    ):
        schemas[strict]["additionalProperties"] = False
    for operation in (each for path in result["paths"].values() for each in path.values()):
        # Without it, linters take a public operation for a forgotten one.
        operation.setdefault("security", [])
        if "requestBody" in operation:
            operation["requestBody"]["required"] = operation["operationId"] not in _WITHOUT_BODY
    _describe_cloud_events(result["paths"], schemas)
    for name, schema in schemas.items():
        if name.removeprefix("Patched").startswith("Managed"):
            # Their requests refuse what only answers have.
            read_only = {each for each, how in schema["properties"].items() if how.get("readOnly")}
            schema["additionalProperties"] = False
            schema["required"] = [each for each in schema.get("required", []) if each not in read_only]
    _describe_event_types(schemas)
    schemas["NewEventOrList"]["oneOf"][1] |= {"minItems": 1, "maxItems": settings.EVENTS_MAX_IN_REQUEST}
    schemas["ReceiptOrList"]["oneOf"][1] |= {"minItems": 1}
    return result


def _describe_event_types(schemas: dict[str, Any]) -> None:
    """Add the agreed event types.

    Answers do not refer to them, because only checked data is sure to agree with them.
    """
    event = schemas["Event"]
    references = {}
    for name in EVENT_TYPES:
        title = f"{type_name(name)}Event"
        references[name] = f"#/components/schemas/{title}"
        # Spelled out: generators do not join `allOf` where both parts describe a field.
        data = {"$ref": f"#/components/schemas/{type_name(name)}Data"}
        own = {"event_type": {"type": "string", "const": name}, "data": data}
        schemas[title] = {**event, "properties": {**event["properties"], **own}}
    schemas |= data_schemas()
    schemas["KnownEvent"] = {
        "description": "An event of an agreed type. Events agree with their type if their customer refuses others "
        "(*check of event data*), and may be of other types.",
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "event_type", "mapping": references},
    }


def _describe_cloud_events(paths: dict[str, Any], schemas: dict[str, Any]) -> None:
    reference = {"$ref": "#/components/schemas/CloudEvent"}
    page = schemas["EventPage"]
    schemas["CloudEvent"] = _CLOUD_EVENT
    schemas["CloudEventPage"] = {
        **page,
        "properties": {**page["properties"], "items": {"type": "array", "items": reference}},
    }
    # Not as further bodies of publishEvents: generated clients would tell them apart by a check that fails for lists.
    of_page = paths["/v1.0/events"]["get"]["responses"]["200"]["content"]
    of_page[PAGE_OF_CLOUD_EVENTS] = {"schema": {"$ref": "#/components/schemas/CloudEventPage"}}
    paths["/v1.0/events/{event_id}"]["get"]["responses"]["200"]["content"][STRUCTURED] = {"schema": reference}


def _health(name: str, summary: str, answers: Mapping[str, tuple[str, Any]], **more: Any) -> dict[str, Any]:
    responses = {
        status: {
            "description": description,
            "content": {"text/plain" if schema == _TEXT else "application/json": {"schema": schema}},
        }
        for status, (description, schema) in answers.items()
    }
    operation = {"operationId": name, "summary": summary, "tags": ["Health"], "responses": responses}
    return {"get": {**operation, "security": [], **more}}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _stream_parameter(name: str, description: str, location: str = "query") -> dict[str, Any]:
    schema = {"type": "string"}
    return {
        "name": name,
        "in": location,
        "required": name == "topics",
        "schema": schema,
        "description": description,
    }


_TEXT = {"type": "string"}
_CLOUD_EVENT = {
    "type": "object",
    "description": "An event as a CloudEvent 1.0 in the JSON format. Its attributes are described at `/docs/protocol`.",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"type": "string", "const": SPEC_VERSION},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1},
        "type": {"type": "string", "description": "`com.voipbin.` and the event type."},
        "data": {"type": "object", "additionalProperties": True},
    },
    "additionalProperties": True,
}
_VERSION = {**_TEXT, "description": "The gateway's version."}
_PARTS = {
    "type": "object",
    "description": "The state of each part, with the reason of a failure.",
    "additionalProperties": {**_object(ok={"type": "boolean"}, reason=_TEXT), "additionalProperties": True},
}
_READY = _object(ready={"type": "boolean"}, parts=_PARTS)
_ERROR = {"$ref": "#/components/schemas/Error"}
_STREAM = {
    "/v1.0/sse": {
        "get": {
            "operationId": "streamEvents",
            "summary": "Receive events as server-sent events",
            "description": "The frames of the [WebSocket](/docs/websocket), for clients that cannot open one.",
            "tags": ["WebSocket"],
            "security": CREDENTIAL,
            "parameters": [
                _stream_parameter("topics", "Topics or patterns, separated by commas."),
                _stream_parameter("filter", "A filter as JSON, for the `topics` before it."),
                _stream_parameter("since", "A cursor: receive what followed it."),
                _stream_parameter("lastEventId", "The same, for clients that cannot send the header."),
                _stream_parameter("format", "`cloudevents`: receive events as CloudEvents."),
                _stream_parameter("Last-Event-ID", "The `id` of the last message.", "header"),
            ],
            "responses": {
                "200": {
                    "description": "A stream that ends with the connection.",
                    "content": {"text/event-stream": {"schema": _TEXT}},
                },
                **{
                    status: {"description": why, "content": {"application/json": {"schema": _ERROR}}}
                    for status, why in {
                        "400": "`INVALID_REQUEST`, `INVALID_TOPIC`: a parameter or every topic is not valid.",
                        "401": "`UNAUTHORIZED`: there is no credential, or it is not accepted.",
                        "403": "`PERMISSION_DENIED`, `FORBIDDEN_ORIGIN`: no topic, or this origin, is not permitted.",
                        "429": "`RATE_LIMITED`: too many connections or topics. With the header `Retry-After`.",
                        "503": "`UNAVAILABLE`: the database does not answer. With the header `Retry-After`.",
                    }.items()
                },
            },
        }
    }
}
_HEALTH = {
    "/metrics": _health(
        "getMetrics",
        "Read the metrics of the process, for Prometheus",
        {
            "200": ("The metrics, also as OpenMetrics.", _TEXT),
            "401": ("`UNAUTHORIZED`: the token for metrics is missing or wrong.", _ERROR),
            "403": ("`PERMISSION_DENIED`: no token is set, and this is another machine.", _ERROR),
        },
        security=[{"metrics": []}, {}],
    ),
    "/healthz": _health(
        "getHealth",
        "Read whether the process is alive",
        {"200": ("It is alive.", _object(status={"const": "alive"}, version=_VERSION))},
    ),
    "/readyz": _health(
        "getReadiness",
        "Read whether the process is ready for clients",
        {"200": ("It is ready.", _READY), "503": ("It is not ready; its parts have the reason.", _READY)},
    ),
}
