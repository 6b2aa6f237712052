"""The JSON Schemas of the event types (draft 2020-12).

Sans-I/O.
"""

from __future__ import annotations

from typing import Any

from events.event_types.catalogue import EVENT_TYPES, VERSION
from events.event_types.client_types import type_name
from events.event_types.fields import TIME, UUID, EventType, Field

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PATH = "/v1.0/event-types/"


def schema_of(event_type: EventType) -> dict[str, Any]:
    """Return the schema of an event type's data."""
    return {
        "$schema": DIALECT,
        "$id": f"{PATH}{event_type.name}",
        "title": event_type.name,
        "description": event_type.when,
        "x-version": VERSION,
        **_object(event_type.fields),
        "examples": [event_type.example],
    }


def data_schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas of all types' data by their names in a document: `CallCreatedData`."""
    return {
        f"{type_name(each.name)}Data": {
            # Without a title, by which generators would name it like the event.
            key: value
            for key, value in schema_of(each).items()
            if not key.startswith("$") and key != "title"
        }
        for each in EVENT_TYPES.values()
    }


def _object(fields: tuple[Field, ...]) -> dict[str, Any]:
    required = [field.name for field in fields if field.is_required]
    return {
        "type": "object",
        "properties": {field.name: _field(field) for field in fields},
        **({"required": required} if required else {}),
    }


def _field(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    if field.kind != "any":
        schema["type"] = [field.kind, "null"] if field.is_nullable else field.kind
    schema["description"] = _description(field)
    if field.pattern is UUID:
        schema["format"] = "uuid"
    if field.pattern is TIME:
        schema["pattern"] = f"^{TIME.pattern}$"
    if field.values:
        # No enum: a platform may add values, and a client that was generated before must still read the event.
        schema["x-values"] = list(field.values)
    if field.fields:
        schema |= {name: value for name, value in _object(field.fields).items() if name != "type"}
    if field.example is not None:
        schema["examples"] = [field.example]
    if field.since != "1.0":
        schema["x-since"] = field.since
    return schema


def _description(field: Field) -> str:
    parts = [field.meaning]
    if field.unit:
        parts.append(f"In {field.unit}.")
    if field.pattern is TIME:
        parts.append(
            "RFC 3339 with a zone; VoIPBIN's own times are UTC without one, and the year 9999 means not yet."
        )
    if field.values:
        parts.append(f"Known values: {', '.join(field.values)}.")
    return " ".join(parts)
