"""Comparing an event's data with the catalogue.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from events.event_types.catalogue import EVENT_TYPES, RESOURCES
from events.event_types.fields import TIME, UUID, Field


class Mismatch(NamedTuple):
    """A field that is not as agreed: its path in the event, and what is right."""

    path: str
    message: str


_KINDS: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "string": ("a string", (str,)),
    "integer": ("a whole number", (int,)),
    "number": ("a number", (int, float)),
    "boolean": ("true or false", (bool,)),
    "object": ("an object", (dict,)),
    "array": ("a list", (list,)),
}

TEST_ACTION = "test"
"""The action of operators' test events, whose data is not agreed."""


def mismatches(event_type: str, data: Mapping[str, Any]) -> list[Mismatch]:
    """Return what is not as agreed.

    Nothing for an event type of a resource without agreed data.
    """
    resource, _, action = event_type.partition(".")
    if resource not in RESOURCES or action == TEST_ACTION:
        return []
    known = EVENT_TYPES.get(event_type)
    if known is None:
        names = ", ".join(name for name in EVENT_TYPES if name.startswith(f"{resource}."))
        return [Mismatch("event_type", f"{event_type} has no agreed data: there are {names}")]
    return list(_compare("data", known.fields, data))


def _compare(path: str, fields: tuple[Field, ...], data: Mapping[str, Any]) -> Iterator[Mismatch]:
    for field in fields:
        place = f"{path}.{field.name}"
        if field.name not in data:
            if field.is_required:
                yield Mismatch(place, f"required: {field.meaning}")
            continue
        value = data[field.name]
        if value is None:
            if not field.is_nullable and field.kind != "any":
                yield Mismatch(place, f"write {_KINDS[field.kind][0]}, or leave it out: it is null")
        elif field.kind != "any":
            yield from _compare_value(place, field, value)


def _compare_value(place: str, field: Field, value: object) -> Iterator[Mismatch]:
    name, types = _KINDS[field.kind]
    # A bool is an int in Python, and no number in JSON.
    if not isinstance(value, types) or (isinstance(value, bool) and field.kind != "boolean"):
        yield Mismatch(place, f"write {name}")
    elif isinstance(value, dict):
        yield from _compare(place, field.fields, value)
    elif field.pattern is not None and isinstance(value, str) and not field.pattern.fullmatch(value):
        right = {UUID: "a UUID", TIME: "a time such as 2024-01-15T10:30:00.000000Z"}[field.pattern]
        yield Mismatch(place, f"write {right}")
