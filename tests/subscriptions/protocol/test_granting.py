"""What a credential may grant: at most what it has."""

from __future__ import annotations

from typing import Any

import pytest

from events.filters.expression import canonical, parse
from subscriptions.protocol.granting import beyond
from subscriptions.protocol.permissions import Grant, Identity

CUSTOMER = "customer_id:11111111-1111-4111-8111-111111111111"
CALLS, ALL = f"{CUSTOMER}:call:*", f"{CUSTOMER}:*:*"
RINGING = {"field": "status", "op": "eq", "value": "ringing"}
FROM = {"field": "source", "op": "eq", "value": "+491701234567"}
INBOUND = {"field": "direction", "op": "eq", "value": "inbound"}


def granter(**fields: Any) -> Identity:
    given = {"may_subscribe": True, "may_publish": True, "may_control": True, **fields}
    return Identity(CUSTOMER[12:], None, None, "key", "key:1", **given)


def text(value: object) -> str:
    return canonical(parse(value))


@pytest.mark.parametrize(
    ("has", "granted", "exceeded"),
    [
        ({}, {}, []),
        ({}, {"allowed_topics": (ALL,), "filter": text(RINGING), "may_publish": True}, []),
        ({"may_publish": False}, {"may_publish": True}, ["may_publish"]),
        ({"may_subscribe": False}, {}, ["may_subscribe"]),
        ({"allowed_topics": frozenset({CALLS})}, {}, ["allowed_topics"]),
        ({"allowed_topics": frozenset()}, {"allowed_topics": (CALLS,)}, ["allowed_topics"]),
        ({"allowed_topics": frozenset({CALLS})}, {"allowed_topics": (CALLS, ALL)}, ["allowed_topics"]),
        ({"allowed_topics": frozenset({ALL})}, {"allowed_topics": (CALLS, ALL)}, []),
        ({"filter": text(RINGING)}, {}, ["filter"]),
        ({"filter": text(RINGING)}, {"filter": text(INBOUND)}, ["filter"]),
        (
            {"filter": text(RINGING)},
            {"filter": text({"op": "or", "filters": [RINGING, INBOUND]})},
            ["filter"],
        ),
        ({"filter": text(RINGING)}, {"filter": text({"op": "and", "filters": [INBOUND, RINGING]})}, []),
        ({"filter": text(RINGING)}, {"filter": text(RINGING)}, []),
        ({"masks_numbers": True}, {}, ["masks_numbers"]),
        ({"masks_numbers": True}, {"masks_numbers": True, "filter": text(RINGING)}, []),
        ({"masks_numbers": True}, {"masks_numbers": True, "filter": text(FROM)}, ["filter"]),
        ({}, {"masks_numbers": True, "filter": text(FROM)}, []),
    ],
)
def test_each_field_beyond_the_granter_is_named(
    has: dict[str, Any], granted: dict[str, Any], exceeded: list[str]
) -> None:
    found = list(beyond(granter(**has), Grant("key:1", **granted)))
    assert [field for field, _ in found] == exceeded
    assert all(message for _, message in found)
