"""Masked readers and limited managers: which topics, filters and summaries they may have."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from events.domain.topics import known_resources, parse_pattern
from subscriptions.protocol.effects import Join, Leave, Send
from subscriptions.protocol.manager_limit import Limit
from subscriptions.protocol.permissions import (
    Identity,
    Role,
    Rule,
    SummaryAccess,
    may_subscribe,
    summary_access,
)
from tests.subscriptions.protocol.test_session import CALLS, MANAGER, session, subscribe

ACME = MANAGER.customer_id
ANN, BOB = "aaaaaaaa-1111-4000-8000-000000000011", "aaaaaaaa-2222-4000-8000-000000000012"
SALES, SUPPORT = "aaaaaaaa-3333-4000-8000-000000000013", "aaaaaaaa-4444-4000-8000-000000000014"
LIMIT = Limit(frozenset({SALES}), frozenset({ANN}), '{"field": "queue_id", "op": "in", "values": []}')
LIMITED = replace(MANAGER, role=Role.MANAGER, agent_id=ANN, limit=LIMIT, filter=LIMIT.filter)
MASKED = replace(MANAGER, masks_numbers=True)
ON_NUMBERS = {"field": "source", "op": "eq", "value": "+491701234567"}
ON_STATUS = {"field": "status", "op": "eq", "value": "ringing"}


def verdict(identity: Identity, topic: str) -> Any:
    found = may_subscribe(identity, parse_pattern(topic, known_resources()))
    return True if found.granted else found.rule


@pytest.mark.parametrize(
    ("resource_id", "expected"),
    [
        ("+491701234567", Rule.NUMBERS_MASKED),
        ("0049170-1234567", Rule.NUMBERS_MASKED),
        ("xyz789", True),
        ("*", True),
    ],
)
def test_a_masked_reader_names_no_number_in_a_topic(resource_id: str, expected: Any) -> None:
    assert verdict(MASKED, f"customer_id:{ACME}:call:{resource_id}") == expected


def test_a_masked_reader_has_no_filter_on_numbers() -> None:
    current = session(MASKED)
    _, send = subscribe(current, CALLS, filter=ON_NUMBERS)
    assert isinstance(send, Send)
    assert json.loads(send.frame)["code"] == "PERMISSION_DENIED"
    assert isinstance(subscribe(current, CALLS, filter=ON_STATUS)[1], Join)


def test_a_filter_on_numbers_ends_when_numbers_are_masked() -> None:
    current = session(MANAGER)
    subscribe(current, CALLS, filter=ON_NUMBERS)
    subscribe(current, f"{CALLS}:other", filter=ON_STATUS)
    leave, _ = current.permissions_changed(MASKED)
    assert isinstance(leave, Leave)
    assert [held.text for held in leave.topics] == [CALLS]
    assert leave.entries[0].rule == Rule.NUMBERS_MASKED


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("call:*", True),
        ("*", True),
        (f"queue:{SALES}", True),
        (f"queue:{SUPPORT}", Rule.BEYOND_LIMIT),
        (f"agent:{ANN}", True),
        (f"agent:{BOB}", Rule.BEYOND_LIMIT),
        (f"summary:{SALES}", True),
        ("summary:*", True),
        (f"summary:{SUPPORT}", Rule.BEYOND_LIMIT),
        ("summary:all", Rule.BEYOND_LIMIT),
    ],
)
def test_a_limited_manager_names_no_queue_or_agent_beyond(topic: str, expected: Any) -> None:
    assert verdict(LIMITED, f"customer_id:{ACME}:{topic}") == expected
    assert verdict(LIMITED, f"agent_id:{ANN}:{topic}") is True


def test_summaries_are_of_the_queues_of_the_limit_unless_a_key_filters_more() -> None:
    pattern = parse_pattern(f"customer_id:{ACME}:summary:*", known_resources())
    assert summary_access(LIMITED, pattern) is SummaryAccess.QUEUES
    assert summary_access(replace(LIMITED, filter="{}"), pattern) is SummaryAccess.NONE
    current = session(LIMITED)
    subscribe(current, f"customer_id:{ACME}:summary:*")
    (held,) = current.topics.values()
    assert held.summary_queues == {SALES}
    # With another limit, the summaries are subscribed again.
    other = replace(LIMITED, limit=replace(LIMIT, queues=frozenset({SUPPORT})))
    assert isinstance(current.permissions_changed(other)[0], Leave)
