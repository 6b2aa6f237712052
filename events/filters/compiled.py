"""Filters as functions: an expression is compiled once, and called for each event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Any

from events.filters.expression import (
    Comparison,
    Expression,
    Group,
    Membership,
    Presence,
    Scalar,
    parse_text,
)

Tags = Mapping[str, Scalar]
Predicate = Callable[[Tags], bool]

_BY_SIZE: Mapping[str, Callable[[Any, Any], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
_OF_TEXT: Mapping[str, Callable[[str, Any], bool]] = {
    "sw": str.startswith,
    "ew": str.endswith,
    "ct": str.__contains__,
}


# The subscribers of a filter compile it once; the feed holds on to it.
@lru_cache(maxsize=1024)
def predicate_of(text: str) -> Predicate:
    """Compile a filter's JSON text, which is valid."""
    return compile_expression(parse_text(text))


def compile_expression(expression: Expression) -> Predicate:
    """Return the function that is true for the tags of an event that the expression matches.

    A missing tag matches `neq`, `nin` and `nex` only, as in Centrifugo.
    """
    match expression:
        case Comparison(field, op, value):
            return _comparison(field, op, value)
        case Membership(field, op, values):
            return _membership(field, op, values)
        case Presence(field, op):
            wanted = op == "ex"
            return lambda tags: (field in tags) is wanted
        case Group(op, filters):
            parts = tuple(compile_expression(each) for each in filters)
            if op == "and":
                return lambda tags: all(part(tags) for part in parts)
            return lambda tags: any(part(tags) for part in parts)
    positive = compile_expression(expression.filter)
    return lambda tags: not positive(tags)


def _comparison(field: str, op: str, value: Scalar) -> Predicate:
    if op in ("eq", "neq"):
        return _membership(field, "in" if op == "eq" else "nin", (value,))
    if op in _OF_TEXT:
        compare_text = _OF_TEXT[op]

        def text_matches(tags: Tags) -> bool:
            tag = tags.get(field)
            return isinstance(tag, str) and compare_text(tag, value)

        return text_matches
    compare = _BY_SIZE[op]

    def size_matches(tags: Tags) -> bool:
        tag = tags.get(field)
        return isinstance(tag, int | float) and not isinstance(tag, bool) and compare(tag, value)

    return size_matches


def _membership(field: str, op: str, values: tuple[Scalar, ...]) -> Predicate:
    wanted = op == "in"
    # In Python true equals 1: comparison is typed, so they are kept apart.
    booleans = frozenset(each for each in values if isinstance(each, bool))
    others = frozenset(each for each in values if not isinstance(each, bool))

    def matches(tags: Tags) -> bool:
        tag = tags.get(field)
        return (tag in (booleans if isinstance(tag, bool) else others)) is wanted

    return matches
