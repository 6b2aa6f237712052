"""Who receives which summaries: those who receive the events that they count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from events.domain.topics import parse_pattern
from subscriptions.protocol.effects import Join, Leave
from subscriptions.protocol.permissions import (
    Identity,
    Role,
    Rule,
    SummaryAccess,
    may_subscribe,
    summary_access,
)
from tests.subscriptions.protocol.test_permissions import ACME, ANN, BOB, GLOBEX, GUS, RESOURCES, identity
from tests.subscriptions.protocol.test_session import session, subscribe

SUMMARY_TOPICS = ("summary:q", "summary:all", "summary:*", "summary")
NONE, QUEUES, AGENTS = SummaryAccess


@pytest.mark.parametrize(
    ("who", "access"),
    [
        (identity("manager", ACME, ANN, Role.MANAGER), (AGENTS, AGENTS, AGENTS, AGENTS)),
        (identity("key", ACME, None, None), (AGENTS, AGENTS, AGENTS, AGENTS)),
        (replace(identity("key", ACME, None, None), filter="{}"), (NONE, NONE, NONE, NONE)),
        (identity("stranger", GLOBEX, GUS, Role.MANAGER), (NONE, NONE, NONE, NONE)),
        (identity("agent", ACME, ANN, Role.AGENT), (NONE, NONE, NONE, NONE)),
        (
            identity("granted", ACME, ANN, Role.AGENT, frozenset({"queue"})),
            (QUEUES, QUEUES, QUEUES, QUEUES),
        ),
        (
            identity("granted both", ACME, ANN, Role.AGENT, frozenset({"queue", "agent"})),
            (AGENTS, AGENTS, AGENTS, AGENTS),
        ),
        (
            identity("of a queue", ACME, None, None, allowed=frozenset({f"customer_id:{ACME}:queue:q"})),
            (QUEUES, NONE, NONE, NONE),
        ),
        (
            identity("of queues", ACME, None, None, allowed=frozenset({f"customer_id:{ACME}:queue:*"})),
            (QUEUES, QUEUES, QUEUES, QUEUES),
        ),
        (
            identity("of figures", ACME, None, None, allowed=frozenset({f"customer_id:{ACME}:summary:all"})),
            (NONE, QUEUES, NONE, NONE),
        ),
        (
            replace(
                identity("wallboard", ACME, None, None, allowed=frozenset({f"customer_id:{ACME}:summary:q"})),
                is_display=True,
            ),
            (AGENTS, NONE, NONE, NONE),
        ),
    ],
    ids=lambda value: value.credential if isinstance(value, Identity) else "",
)
def test_summaries_are_for_those_who_receive_the_queues_events(
    who: Identity, access: tuple[SummaryAccess, ...]
) -> None:
    for topic, expected in zip(SUMMARY_TOPICS, access, strict=True):
        pattern = parse_pattern(f"customer_id:{ACME}:{topic}", RESOURCES)
        assert summary_access(who, pattern) is expected, topic
        if pattern.resource_id != "*" and expected is not NONE:
            assert may_subscribe(who, pattern).granted, topic
    assert summary_access(who, parse_pattern(f"customer_id:{ACME}:queue:q", RESOURCES)) is NONE
    assert summary_access(who, parse_pattern(f"customer_id:{ACME}", RESOURCES)) is NONE


def test_an_agent_has_the_summaries_of_its_own_queues() -> None:
    who = identity("agent", ACME, ANN, Role.AGENT)
    for topic in ("summary:q", "summary:all", "summary"):
        assert summary_access(who, parse_pattern(f"agent_id:{ANN}:{topic}", RESOURCES)) is QUEUES
        assert summary_access(who, parse_pattern(f"agent_id:{BOB}:{topic}", RESOURCES)) is NONE


def test_a_topic_ends_when_its_summaries_are_others() -> None:
    topic = f"customer_id:{ACME}:summary:all"
    both = identity("agent", ACME, ANN, Role.AGENT, frozenset({"agent", "queue"}))
    talk = session(both)
    [_, join] = subscribe(talk, topic)
    assert isinstance(join, Join)
    assert [each.summary for each in join.topics] == [AGENTS]
    assert talk.permissions_changed(both) == []
    effects = talk.permissions_changed(replace(both, granted_resources=frozenset({"queue"})))
    [leave] = [each for each in effects if isinstance(each, Leave)]
    assert [(each.topic, each.rule) for each in leave.entries] == [(topic, Rule.SUMMARY_CHANGED)]
    assert talk.topics == {}


def test_queues_alone_do_not_open_the_platforms_own_summaries() -> None:
    who = identity("granted", ACME, ANN, Role.AGENT, frozenset({"queue"}))
    verdict = may_subscribe(who, parse_pattern(f"customer_id:{ACME}:summary:*", RESOURCES))
    assert verdict.rule is Rule.RESOURCE_NOT_GRANTED
