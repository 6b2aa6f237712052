"""The AsyncAPI document: docs/asyncapi.yaml, and a message for each event type."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings

from events.event_types.catalogue import AGENT, CUSTOMER, EVENT_TYPES
from events.event_types.client_types import type_name
from events.event_types.fields import EventType
from events.event_types.schema import data_schemas

EVENT_OPERATION = "sendEvents"
"""The operation whose messages are events."""


@cache
def asyncapi_document() -> dict[str, Any]:
    """Return the whole document."""
    import yaml

    document: dict[str, Any] = yaml.safe_load((settings.BASE_DIR / "docs" / "asyncapi.yaml").read_text())
    socket, components = document["channels"]["socket"], document["components"]
    components["schemas"] |= data_schemas()
    for each in EVENT_TYPES.values():
        name = type_name(each.name)
        components["schemas"][name] = {
            "allOf": [{"$ref": "#/components/schemas/event"}],
            "properties": {
                "event_type": {"const": each.name},
                "data": {"$ref": f"#/components/schemas/{name}Data"},
            },
        }
        components["messages"][name] = {
            "name": each.name,
            "title": each.name,
            "summary": each.when,
            "payload": {"$ref": f"#/components/schemas/{name}"},
            "examples": [{"payload": frame_of(each)}],
        }
        socket["messages"][name] = {"$ref": f"#/components/messages/{name}"}
        document["operations"][EVENT_OPERATION]["messages"].append(
            {"$ref": f"#/channels/socket/messages/{name}"}
        )
    return document


@cache
def asyncapi_text() -> str:
    """Return the document as YAML."""
    import yaml

    return yaml.safe_dump(asyncapi_document(), sort_keys=False, allow_unicode=True, width=120)


def frame_of(event_type: EventType) -> dict[str, Any]:
    """Return a complete frame of an event type, as an example."""
    data = event_type.example
    resource_id = data.get(f"{event_type.resource}_id") or data.get("id") or AGENT
    return {
        "event_type": event_type.name,
        "timestamp": "2024-01-15T10:30:00.000000Z",
        "topic": f"customer_id:{CUSTOMER}:{event_type.resource}:{resource_id}",
        "data": data,
        "id": "0c4f3c9e-2f5f-4f0f-9a51-4b0c6b6a7a10",
        "cursor": "7d0c7b1e52aa.1",
    }
