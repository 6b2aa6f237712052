"""Filters that could find out telephone numbers, which a masked reader may not use.

Sans-I/O.
"""

from __future__ import annotations

from events.filters.expression import (
    TEXT_COMPARISONS,
    Comparison,
    Expression,
    Group,
    Membership,
    Negation,
    Scalar,
)
from events.masks.number_mask import is_oracle, mask_id, may_be_guess

NUMBER_TAGS = frozenset({"source", "destination"})
ID_TAGS = frozenset({"queue_id", "agent_id", "event_type", "resource", "status", "direction"})
"""Tags of the gateway without numbers; those of publishers may have some."""


def finds_numbers(expression: Expression) -> bool:
    """Return whether a filter depends on tags of numbers, or on digits in other tags.

    Parts of texts with a digit find numbers in every tag; whole values only if they could be one.
    """
    match expression:
        case Group():
            return any(map(finds_numbers, expression.filters))
        case Negation():
            return finds_numbers(expression.filter)
        case Comparison(op=op, value=value) if op in TEXT_COMPARISONS:
            return expression.field in NUMBER_TAGS or is_oracle(str(value))
        case Comparison():
            return _names_number(expression.field, expression.value)
        case Membership():
            return any(_names_number(expression.field, value) for value in expression.values)
        case _:
            return expression.field in NUMBER_TAGS


def _names_number(field: str, value: Scalar) -> bool:
    """Return whether a comparison with a whole value could confirm a guessed number."""
    if field in ID_TAGS:
        return mask_id(str(value)) != str(value)
    return field in NUMBER_TAGS or may_be_guess(str(value))
