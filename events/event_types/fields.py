"""The vocabulary of the catalogue: fields, their kinds, and event types.

Sans-I/O.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal["string", "integer", "number", "boolean", "object", "array", "any"]

UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
"""RFC 3339; VoIPBIN's own times have a space and no zone, and stay as they were sent."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event's data.

    `values` are the known values, to which others may be added. `pattern` constrains a string, `fields` are those of an
    object and `type_name` is its name in code, `unit` is the unit of a number, and `example` a value in the example of
    its event types. `since` is the version of the catalogue that added it.
    """

    name: str
    kind: Kind
    meaning: str
    example: Any = None
    values: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    unit: str = ""
    fields: tuple[Field, ...] = ()
    type_name: str = ""
    is_nullable: bool = False
    is_required: bool = False
    since: str = "1.0"

    @property
    def required(self) -> Field:
        """The same field, which every event of a type has."""
        return replace(self, is_required=True)

    def with_example(self, example: Any) -> Field:
        """The same field with another value in the example."""
        return replace(self, example=example)


@dataclass(frozen=True, slots=True)
class EventType:
    """An event type: when it is published, and the fields of its data.

    Further fields are always allowed.
    """

    name: str
    when: str
    fields: tuple[Field, ...]

    @property
    def resource(self) -> str:
        """The resource of its topics."""
        return self.name.partition(".")[0]

    @property
    def example(self) -> dict[str, Any]:
        """Complete data."""
        return {field.name: field.example for field in self.fields}


def text(
    name: str, meaning: str, example: str | None, values: Sequence[str] = (), *, nullable: bool = False
) -> Field:
    """A string; with `values`, usually one of them."""
    return Field(name, "string", meaning, example, tuple(values), is_nullable=nullable)


def uuid(name: str, meaning: str, example: str | None, *, nullable: bool = False) -> Field:
    """A UUID."""
    return Field(name, "string", meaning, example, pattern=UUID, is_nullable=nullable)


def time(name: str, meaning: str, example: str | None, *, nullable: bool = False) -> Field:
    """A time."""
    return Field(name, "string", meaning, example, pattern=TIME, is_nullable=nullable)


def number(name: str, meaning: str, example: float, unit: str = "", *, integer: bool = True) -> Field:
    """A number; `unit` is empty for a count."""
    return Field(name, "integer" if integer else "number", meaning, example, unit=unit)


def boolean(name: str, meaning: str, example: bool) -> Field:
    """True or false."""
    return Field(name, "boolean", meaning, example)


def group(type_name: str, name: str, meaning: str, *fields: Field, nullable: bool = False) -> Field:
    """An object with these fields."""
    example = {field.name: field.example for field in fields}
    return Field(name, "object", meaning, example, fields=fields, type_name=type_name, is_nullable=nullable)
