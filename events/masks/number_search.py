"""Filters that could find out telephone numbers, which a masked reader may not use.

Sans-I/O.
"""

from __future__ import annotations

from events.filters.expression import Comparison, Expression, Group, Membership, Negation
from events.masks.number_mask import is_oracle

NUMBER_TAGS = frozenset({"source", "destination"})
ID_TAGS = frozenset({"queue_id", "agent_id", "event_type", "resource", "status", "direction"})
"""Tags of the gateway without numbers; those of publishers may have some."""


def finds_numbers(expression: Expression) -> bool:
    """Return whether a filter depends on tags of numbers, or on digits in other tags."""
    match expression:
        case Group():
            return any(map(finds_numbers, expression.filters))
        case Negation():
            return finds_numbers(expression.filter)
        case Comparison():
            values: tuple[object, ...] = (expression.value,)
        case Membership():
            values = expression.values
        case _:
            return expression.field in NUMBER_TAGS
    if expression.field in NUMBER_TAGS:
        return True
    return expression.field not in ID_TAGS and any(is_oracle(str(value)) for value in values)
