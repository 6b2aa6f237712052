"""The OpenAPI document as a whole: drf-spectacular's hooks, by which the apps' addresses come together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import events.api.openapi_paths
import subscriptions.api.openapi

_TAGS = {
    "Publishing": "Tell the gateway what happened.",
    "Reading": "What happened, and the present state.",
    "Acting": "Have the connected platform do something; an agent's status.",
    "Credentials": "Log in, and ask whose a credential is.",
    "WebSocket": "The WebSocket itself is described by [AsyncAPI](/docs/websocket).",
    "Health": "For load balancers and monitoring, without a credential.",
}


def begin(endpoints: list[Any]) -> list[Any]:
    """The hook before: by the time it is found, this module's imports have described the views."""
    return endpoints


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The hook after: what does not come from the views."""
    components = result.setdefault("components", {})
    components["schemas"] = {**events.api.openapi_paths.SCHEMAS, **subscriptions.api.openapi.SCHEMAS}
    result["tags"] = [{"name": name, "description": words} for name, words in _TAGS.items()]
    result["servers"] = [{"url": "/", "description": "This gateway."}]
    calls = result["paths"]["/v1.0/calls"]["get"]
    calls["operationId"], calls["summary"] = "readCalls", "Read the present state of calls"
    result["paths"].update(_HEALTH)
    components.setdefault("securitySchemes", {})["metrics"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "The setting `METRICS_TOKEN`, for `/metrics` alone.",
    }
    return result


def _healthy(
    name: str, summary: str, *, security: Sequence[Any] = (), **answers: tuple[str, str, Mapping[str, Any]]
) -> dict[str, Any]:
    responses = {
        status.removeprefix("s"): {
            "description": description,
            "content": {kind: {"schema": schema}},
        }
        for status, (description, kind, schema) in answers.items()
    }
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "tags": ["Health"],
            "security": list(security),
            "responses": responses,
        }
    }


_JSON = "application/json"
_PART = {
    "type": "object",
    "required": ["ok", "reason"],
    "properties": {"ok": {"type": "boolean"}, "reason": {"type": "string"}},
    "additionalProperties": True,
}
_READY = {
    "type": "object",
    "required": ["ready", "parts"],
    "properties": {
        "ready": {"type": "boolean"},
        "parts": {
            "type": "object",
            "description": "The state of each part, with the reason where something is wrong.",
            "additionalProperties": _PART,
        },
    },
}
_REFUSED = {"$ref": "#/components/schemas/Error"}
_HEALTH = {
    "/metrics": _healthy(
        "readMetrics",
        "Read the process's numbers, for Prometheus",
        security=({"metrics": []}, {}),
        s200=("The numbers, also as OpenMetrics.", "text/plain", {"type": "string"}),
        s401=("`UNAUTHORIZED`: the token of the metrics is missing or wrong.", _JSON, _REFUSED),
        s403=("`PERMISSION_DENIED`: no token is set, and this is another machine.", _JSON, _REFUSED),
    ),
    "/healthz": _healthy(
        "readHealth",
        "Ask whether the process lives",
        s200=(
            "It does.",
            _JSON,
            {
                "type": "object",
                "required": ["status", "version"],
                "properties": {
                    "status": {"const": "alive"},
                    "version": {"type": "string", "description": "The gateway's version."},
                },
            },
        ),
    ),
    "/readyz": _healthy(
        "readReadiness",
        "Ask whether the process should be given clients",
        s200=("It should.", _JSON, _READY),
        s503=("It should not; the reason stands at its part.", _JSON, _READY),
    ),
}
