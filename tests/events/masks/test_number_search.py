"""Filters by which a masked reader could find numbers out."""

from typing import Any

import pytest

from events.filters.expression import parse
from events.masks.number_search import finds_numbers


def compare(field: str, value: Any, op: str = "eq") -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


@pytest.mark.parametrize(
    ("expression", "finds"),
    [
        (compare("source", "+49", "sw"), True),
        (compare("destination", "x"), True),
        ({"field": "source", "op": "ex"}, True),
        ({"field": "vip", "op": "ex"}, False),
        (compare("caller", "+49 1", "sw"), True),
        (compare("caller", 491701234567, "gt"), True),
        (compare("caller", "70", "ct"), True),
        (compare("queue_id", "+4", "sw"), True),
        (compare("agent_id", "+491701234567"), True),
        ({"field": "queue_id", "op": "nin", "values": ["+491701234567"]}, True),
        (compare("team", "north", "sw"), False),
        (compare("vip", True), False),
        (compare("level", 12), False),
        (compare("queue_id", "1234567"), False),
        ({"field": "queue_id", "op": "in", "values": ["1234567"]}, False),
        ({"field": "team", "op": "in", "values": ["a", "0170 1234567"]}, True),
        ({"op": "not", "filter": compare("source", "1")}, True),
        ({"op": "and", "filters": [compare("vip", True), compare("source", "1")]}, True),
        ({"op": "or", "filters": [compare("vip", True), compare("status", "ringing")]}, False),
    ],
)
def test_a_filter_on_digits_finds_numbers(expression: dict[str, Any], finds: bool) -> None:
    assert finds_numbers(parse(expression)) is finds
