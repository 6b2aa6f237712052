"""The event types in the clients' languages, as texts.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Iterable

from events.event_types.catalogue import EVENT_TYPES
from events.event_types.fields import EventType, Field

_PYTHON_KINDS = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list[Any]",
    "object": "dict[str, Any]",
    "any": "Any",
}
_TYPESCRIPT_KINDS = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "array": "unknown[]",
    "object": "Record<string, unknown>",
    "any": "unknown",
}

_PYTHON_HEAD = '''"""The agreed data of each event type.

Sans-I/O. Written by the gateway's `manage.py write_client_types`. Every field may be missing, and further ones may
come: publishers decide what an event contains.
"""

# Long because it has all event types.

from __future__ import annotations

from typing import Any, Literal, TypedDict
'''

_TYPESCRIPT_HEAD = """/**
 * The agreed data of each event type. Written by the gateway's `manage.py write_client_types`.
 *
 * Every field may be missing, and further ones may come: publishers decide what an event contains. Write
 * `event as AgreedEvent` in a handler: a comparison of its `event_type` then selects its data.
 */
"""


def type_name(event_type: str) -> str:
    """Return the name of an event type in code, such as `CallCreated`."""
    return "".join(part.title() for part in event_type.split("."))


def python_types() -> str:
    """Return the module of the Python client."""
    parts = [_PYTHON_HEAD]
    parts += [_python_object(name, "Part of an event's data.", fields) for name, fields in _groups().items()]
    for each in EVENT_TYPES.values():
        parts.append(_python_object(f"{type_name(each.name)}Data", f"Data of {each.name}.", each.fields))
        parts.append(_python_event(each))
    names = "\n    | ".join(map(type_name, EVENT_TYPES))
    doc = '"""The frame of an event: comparing its `event_type` selects its data."""'
    parts.append(f"AgreedEvent = (\n    {names}\n)\n{doc}\n")
    return "\n\n".join(parts)


def typescript_types() -> str:
    """Return the declarations of the JavaScript client."""
    parts = [_TYPESCRIPT_HEAD]
    parts += [
        _typescript_object(name, "Part of an event's data.", fields) for name, fields in _groups().items()
    ]
    for each in EVENT_TYPES.values():
        parts.append(
            _typescript_object(
                f"{type_name(each.name)}Data", f"Data of {each.name}. {each.when}", each.fields
            )
        )
    union = "".join(
        f'\n  | {{ event_type: "{name}"; timestamp: string; topic: string; id: string; cursor: string; '
        f"data: {type_name(name)}Data }}"
        for name in EVENT_TYPES
    )
    parts.append(f"/** An event by its event type. */\nexport type AgreedEvent ={union};\n")
    return "\n".join(parts)


def _groups() -> dict[str, tuple[Field, ...]]:
    """Return the fields of all objects within data, by the name of their type."""
    fields = (field for each in EVENT_TYPES.values() for field in each.fields)
    return {field.type_name: field.fields for field in fields if field.fields}


def _python_object(name: str, meaning: str, fields: Iterable[Field]) -> str:
    lines = [f"class {name}(TypedDict, total=False):", f'    """{meaning}"""', ""]
    for field in fields:
        kind = field.type_name or _PYTHON_KINDS[field.kind]
        lines.append(f"    {field.name}: {kind} | None" if field.is_nullable else f"    {field.name}: {kind}")
        lines.append(f'    """{_sentence(field)}"""')
    return "\n".join(lines) + "\n"


def _python_event(event_type: EventType) -> str:
    name = type_name(event_type.name)
    return (
        f'class {name}(TypedDict):\n    """{event_type.when}"""\n\n'
        f'    event_type: Literal["{event_type.name}"]\n    timestamp: str\n    topic: str\n    data: {name}Data\n'
    )


def _typescript_object(name: str, meaning: str, fields: Iterable[Field]) -> str:
    lines = [f"/** {meaning} */", f"export interface {name} {{"]
    for field in fields:
        kind = field.type_name or _TYPESCRIPT_KINDS[field.kind]
        null = " | null" if field.is_nullable else ""
        lines += [f"  /** {_sentence(field)} */", f"  {field.name}?: {kind}{null};"]
    return "\n".join([*lines, "}", ""])


def _sentence(field: Field) -> str:
    unit = f" In {field.unit}." if field.unit else ""
    values = f" Known values: {', '.join(field.values)}." if field.values else ""
    return f"{field.meaning}{unit}{values}"
