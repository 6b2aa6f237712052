"""What an identity sees of one customer: whole resources, its own agent's events, and what allowed topics leave."""

from __future__ import annotations

import pytest

from events.domain.topics import Pattern
from events.domain.visibility import Visible

ACME, ANN, BEN = "acme", "ann", "ben"
ANNS_QUEUES = f"agent_id:{ANN}:queue:*"
CALL_1, OF_OTHERS = f"customer_id:{ACME}:call:1", "customer_id:globex:call:*"

EVERYTHING = Visible(ACME, None, None)
CALLS_AND_OWN = Visible(ACME, frozenset({"call"}), ANN)
OWN = Visible(ACME, frozenset(), ANN)
NARROWED = Visible(ACME, None, ANN, frozenset({CALL_1, ANNS_QUEUES, OF_OTHERS}))


@pytest.mark.parametrize(
    ("visible", "resource", "resource_id", "whole"),
    [
        (EVERYTHING, "call", "*", True),
        (EVERYTHING, "queue", "1", True),
        (CALLS_AND_OWN, "call", "*", True),
        (CALLS_AND_OWN, "queue", "1", False),
        (OWN, "call", "1", False),
        (NARROWED, "call", "1", True),
        (NARROWED, "call", "2", False),
        (NARROWED, "call", "*", False),
        (NARROWED, "queue", "1", False),
    ],
)
def test_a_resource_is_whole_if_it_is_granted_and_allowed(
    visible: Visible, resource: str, resource_id: str, whole: bool
) -> None:
    assert visible.is_whole(resource, resource_id) is whole


@pytest.mark.parametrize(
    ("visible", "resource", "agents", "included", "topic", "shown"),
    [
        (EVERYTHING, "call", [], True, f"customer_id:{ACME}:call:1", ()),
        (EVERYTHING, "call", [BEN, ANN], True, f"customer_id:{ACME}:call:1", (BEN, ANN)),
        (CALLS_AND_OWN, "call", [BEN], True, f"customer_id:{ACME}:call:1", (BEN,)),
        (CALLS_AND_OWN, "queue", [BEN], False, f"agent_id:{ANN}:queue:1", ()),
        (CALLS_AND_OWN, "queue", [BEN, ANN], True, f"agent_id:{ANN}:queue:1", (ANN,)),
        (OWN, "call", [], False, f"agent_id:{ANN}:call:1", ()),
        (OWN, "call", [ANN], True, f"agent_id:{ANN}:call:1", (ANN,)),
        (NARROWED, "call", [BEN], True, f"customer_id:{ACME}:call:1", (BEN,)),
        (NARROWED, "queue", [BEN, ANN], True, f"agent_id:{ANN}:queue:1", (ANN,)),
        (NARROWED, "message", [ANN], False, f"agent_id:{ANN}:message:1", (ANN,)),
        (Visible(ACME, frozenset(), None), "call", [ANN], False, f"customer_id:{ACME}:call:1", ()),
    ],
)
def test_an_event_is_seen_whole_or_on_the_agents_own_topic_without_the_other_agents(
    visible: Visible, resource: str, agents: list[str], included: bool, topic: str, shown: tuple[str, ...]
) -> None:
    assert visible.includes(resource, "1", agents) is included
    assert visible.topic(resource, "1") == topic
    assert visible.shown_agents(resource, "1", agents) == shown


def test_allowed_patterns_are_split_by_the_scope_that_they_narrow() -> None:
    assert NARROWED.of_customer == (Pattern("customer_id", ACME, "call", "1"),)
    assert NARROWED.of_agent == (Pattern("agent_id", ANN, "queue", "*"),)


def test_without_allowed_patterns_nothing_is_narrowed() -> None:
    assert (OWN.of_customer, OWN.of_agent) == (None, None)


SUMMARY = f"customer_id:{ACME}:summary"


@pytest.mark.parametrize(
    ("visible", "queue_id", "agents", "shown"),
    [
        (EVERYTHING, "*", (), True),
        (EVERYTHING, "q", (), True),
        (Visible(ACME, None, None, filter="{}"), "q", (), False),
        (Visible(ACME, None, None, filter="{}", summary_queues=frozenset({"q"})), "q", (), True),
        (Visible(ACME, None, None, filter="{}", summary_queues=frozenset({"q"})), "r", (), False),
        (Visible(ACME, None, None, filter="{}", summary_queues=frozenset({"q"})), "*", (), False),
        (Visible(ACME, frozenset({"queue"}), ANN), "*", (), True),
        (CALLS_AND_OWN, "q", (), False),
        (CALLS_AND_OWN, "q", (BEN,), False),
        (CALLS_AND_OWN, "q", (ANN, BEN), True),
        (CALLS_AND_OWN, "*", (), False),
        (NARROWED, "q", (ANN,), True),
        (NARROWED, "q", (BEN,), False),
        (Visible(ACME, None, None, frozenset({f"customer_id:{ACME}:queue:q"})), "q", (), True),
        (Visible(ACME, None, None, frozenset({f"customer_id:{ACME}:queue:q"})), "*", (), False),
        (Visible(ACME, None, None, frozenset({f"{SUMMARY}:all"})), "*", (), True),
        (Visible(ACME, None, None, frozenset({f"{SUMMARY}:all"})), "q", (), False),
        (Visible(ACME, None, None, frozenset({f"{SUMMARY}:q"})), "q", (), True),
    ],
)
def test_a_summary_is_shown_like_the_events_that_it_counts(
    visible: Visible, queue_id: str, agents: tuple[str, ...], shown: bool
) -> None:
    assert visible.shows_summary(queue_id, agents) is shown
