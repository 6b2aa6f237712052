"""The grammar of filters: a JSON object, with the operators of Centrifugo."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from events.domain.strict_json import InvalidJson, decode, encode
from events.domain.topics import did_you_mean, quoted

MAX_DEPTH = 8
"""The most levels of operators."""

MAX_TERMS = 64
"""The most operators of one filter."""

MAX_VALUE_LENGTH = 256
"""The most characters of a value."""

MAX_VALUES = 100
"""The most values of `in` and `nin`."""

EQUALITIES = ("eq", "neq")
TEXT_COMPARISONS = ("sw", "ew", "ct")
NUMBER_COMPARISONS = ("gt", "gte", "lt", "lte")
MEMBERSHIPS = ("in", "nin")
PRESENCES = ("ex", "nex")
GROUPS = ("and", "or")
NEGATION = "not"
OPERATORS = (*EQUALITIES, *MEMBERSHIPS, *PRESENCES, *TEXT_COMPARISONS, *NUMBER_COMPARISONS, *GROUPS, NEGATION)

_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)

Scalar = str | int | float | bool


class InvalidFilter(ValueError):
    """The value is no filter; the message begins with the path of the fault."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison of a tag with one value."""

    field: str
    op: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a tag is one of these values."""

    field: str
    op: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether an event has a tag."""

    field: str
    op: str


@dataclass(frozen=True, slots=True)
class Group:
    """All or one of these expressions."""

    op: str
    filters: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """The opposite of an expression."""

    filter: Expression


Expression = Comparison | Membership | Presence | Group | Negation


def parse(value: object) -> Expression:
    """Parse a filter that was decoded from JSON.

    Raises:
        InvalidFilter: With the path in the filter, what is wrong and what is right.
    """
    return _Parser().expression(value, "", 1)


def parse_text(text: str) -> Expression:
    """Parse a filter from its JSON text.

    Raises:
        InvalidFilter: With the path in the filter, what is wrong and what is right.
    """
    try:
        value = decode(text)
    except InvalidJson as error:
        raise InvalidFilter(f"{error}: {_EXAMPLE}") from None
    return parse(value)


def canonical(expression: Expression) -> str:
    """Return the JSON text that identifies an expression: equal filters share it."""
    return encode(_as_json(expression))


_EXAMPLE = 'a filter is a JSON object such as {"field": "queue_id", "op": "eq", "value": "…"}'


class _Parser:
    """Parses one filter and counts its operators."""

    def __init__(self) -> None:
        self._terms = 0

    def expression(self, value: object, path: str, depth: int) -> Expression:
        if not isinstance(value, dict):
            raise _invalid(path, _EXAMPLE)
        if depth > MAX_DEPTH:
            raise _invalid(path, f"nested deeper than {MAX_DEPTH} levels")
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise _invalid(path, f"more than {MAX_TERMS} operators: use in instead of many eq")
        op = value.get("op", "")
        if not isinstance(op, str):
            raise _invalid(f"{path}op", f"a string: one of {', '.join(OPERATORS)}")
        if op in GROUPS:
            _require_fields(value, ("op", "filters"), path)
            return Group(op, self._filters(value["filters"], f"{path}filters", depth))
        if op == NEGATION:
            _require_fields(value, ("op", "filter"), path)
            return Negation(self.expression(value["filter"], f"{path}filter.", depth + 1))
        if op in PRESENCES:
            _require_fields(value, ("field", "op"), path)
            return Presence(_name(value["field"], path), op)
        if op in MEMBERSHIPS:
            _require_fields(value, ("field", "op", "values"), path)
            return Membership(_name(value["field"], path), op, _values(value["values"], path))
        if op in _VALUE_CHECKS:
            _require_fields(value, ("field", "op", "value"), path)
            return Comparison(
                _name(value["field"], path), op, _VALUE_CHECKS[op](value["value"], f"{path}value")
            )
        if "op" not in value:
            raise _invalid(f"{path}op", f"missing: one of {', '.join(OPERATORS)}")
        hint = did_you_mean(op, OPERATORS)
        raise _invalid(f"{path}op", f"{quoted(op)} is no operator: one of {', '.join(OPERATORS)}{hint}")

    def _filters(self, value: object, path: str, depth: int) -> tuple[Expression, ...]:
        if not isinstance(value, list) or not value:
            raise _invalid(path, "a list of at least one filter")
        return tuple(
            self.expression(each, f"{path}[{place}].", depth + 1) for place, each in enumerate(value)
        )


def _invalid(path: str, message: str) -> InvalidFilter:
    path = path.removesuffix(".")
    return InvalidFilter(f"{path}: {message}" if path else message)


def _require_fields(value: Mapping[str, Any], names: tuple[str, ...], path: str) -> None:
    for name in names:
        if name not in value:
            raise _invalid(f"{path}{name}", f"missing: the operator {value['op']} has {', '.join(names)}")
    for name in value:
        if name not in names:
            raise _invalid(
                f"{path}{name[:64]}", f"unknown field: the operator {value['op']} has {', '.join(names)}"
            )


def _name(value: object, path: str) -> str:
    if isinstance(value, str) and _FIELD_NAME.fullmatch(value):
        return value
    raise _invalid(f"{path}field", "the name of a tag: 1 to 32 lower-case letters, digits and _")


def _values(value: object, path: str) -> tuple[Scalar, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_VALUES:
        raise _invalid(f"{path}values", f"a list of 1 to {MAX_VALUES} values")
    return tuple(_scalar(each, f"{path}values[{place}]") for place, each in enumerate(value))


def _scalar(value: object, path: str) -> Scalar:
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise _invalid(path, "a string, a number, true or false; use ex and nex for whether there is one")


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise _invalid(path, "a string")
    if len(value) > MAX_VALUE_LENGTH:
        raise _invalid(path, f"{len(value)} characters, {MAX_VALUE_LENGTH} are the most")
    return value


def _number(value: object, path: str) -> Scalar:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _scalar(value, path)
    raise _invalid(path, "a number: only numbers are compared by size")


_VALUE_CHECKS: Mapping[str, Callable[[object, str], Scalar]] = {
    **dict.fromkeys(EQUALITIES, _scalar),
    **dict.fromkeys(TEXT_COMPARISONS, _text),
    **dict.fromkeys(NUMBER_COMPARISONS, _number),
}


def _as_json(expression: Expression) -> dict[str, Any]:
    match expression:
        case Comparison(field, op, value):
            return {"field": field, "op": op, "value": value}
        case Membership(field, op, values):
            return {"field": field, "op": op, "values": list(values)}
        case Presence(field, op):
            return {"field": field, "op": op}
        case Group(op, filters):
            return {"op": op, "filters": [_as_json(each) for each in filters]}
    return {"op": NEGATION, "filter": _as_json(expression.filter)}
