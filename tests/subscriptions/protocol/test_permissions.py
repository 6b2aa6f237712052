"""Every kind of credential with every kind of topic, compared with the documented table."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.http import HttpRequest
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from events.domain.topics import Pattern, known_resources, parse_pattern
from subscriptions.protocol.permissions import Identity, Role, Rule, may_subscribe

ACME, GLOBEX = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
ANN, BOB = "aaaaaaaa-1111-4000-8000-000000000011", "aaaaaaaa-2222-4000-8000-000000000012"
GUS = "bbbbbbbb-1111-4000-8000-000000000021"
UNKNOWN_ID = "cccccccc-0000-4000-8000-000000000003"
CALL_ID = "xyz789"
RESOURCES = known_resources()


def identity(
    kind: str,
    customer_id: str,
    agent_id: str | None,
    role: Role | None,
    granted: frozenset[str] = frozenset(),
    allowed: frozenset[str] | None = None,
) -> Identity:
    return Identity(
        customer_id=customer_id,
        agent_id=agent_id,
        role=role,
        credential=kind,
        credential_id=kind,
        may_subscribe=True,
        may_publish=False,
        granted_resources=granted,
        allowed_topics=allowed,
    )


def identities() -> Iterator[Identity]:
    """The same identity for a token and for a key of the agent."""
    for customer, agent in ((ACME, ANN), (GLOBEX, GUS)):
        yield identity("customer's key", customer, None, None)
        yield identity("agent", customer, agent, Role.AGENT)
        yield identity("agent with grants", customer, agent, Role.AGENT, frozenset({"message", "queue"}))
        yield identity("manager", customer, agent, Role.MANAGER)
        yield identity("admin", customer, agent, Role.ADMIN)
        yield identity("staff", customer, agent, Role.STAFF)


def topics() -> Iterator[str]:
    owners = [f"customer_id:{each}" for each in (ACME, GLOBEX, UNKNOWN_ID)]
    owners += [f"agent_id:{each}" for each in (ANN, BOB, GUS, UNKNOWN_ID)]
    # An id of one kind in the scope of the other belongs to no customer or agent.
    owners += [f"agent_id:{ACME}", f"customer_id:{ANN}"]
    for owner in owners:
        yield owner
        for resource in ("call", "message", "queue", "agent", "*"):
            yield f"{owner}:{resource}"
            yield f"{owner}:{resource}:*"
            yield f"{owner}:{resource}:{CALL_ID}"


def by_the_contract(who: Identity, topic: str) -> tuple[bool, Rule]:
    """The documented table, implemented independently:

    | customer_id | a manager or admin of that customer; an access key of that customer that belongs to no agent;
    |             | platform staff, for any customer; an agent, for those resources of its customer that it was granted
    | agent_id    | that agent alone; platform staff
    """
    scope, scope_id, resource, *_ = [*topic.split(":"), "*"]
    if who.credential == "staff":
        return True, Rule.PLATFORM_STAFF
    if scope == "agent_id":
        own = {ACME: ANN, GLOBEX: GUS}[who.customer_id]
        if who.credential != "customer's key" and scope_id == own:
            return True, Rule.OWN_AGENT
        return False, Rule.FOREIGN_AGENT
    if scope_id != who.customer_id:
        return False, Rule.FOREIGN_CUSTOMER
    match who.credential:
        case "manager" | "admin":
            return True, Rule.CUSTOMER_MANAGER
        case "customer's key":
            return True, Rule.CUSTOMER_KEY
        case "agent with grants" if resource in ("message", "queue"):
            return True, Rule.GRANTED_RESOURCE
    return False, Rule.RESOURCE_NOT_GRANTED


@pytest.mark.parametrize(
    "who", list(identities()), ids=lambda who: f"{who.credential} of {who.customer_id[:4]}"
)
def test_every_verdict_is_the_contracts(who: Identity) -> None:
    for topic in topics():
        verdict = may_subscribe(who, parse_pattern(topic, RESOURCES))
        assert (topic, verdict.granted, verdict.rule) == (topic, *by_the_contract(who, topic))


def test_the_table_has_both_verdicts_and_every_rule() -> None:
    seen = {by_the_contract(who, topic) for who, topic in itertools.product(identities(), topics())}
    assert {rule for _, rule in seen} == set(Rule) - {
        Rule.TOPIC_NOT_ALLOWED,
        Rule.SUMMARY_CHANGED,
        Rule.NUMBERS_MASKED,
        Rule.BEYOND_LIMIT,
    }
    assert {granted for granted, _ in seen} == {True, False}


def test_a_refusal_says_what_is_right_and_a_grant_says_nothing() -> None:
    for who, topic in itertools.product(identities(), topics()):
        verdict = may_subscribe(who, parse_pattern(topic, RESOURCES))
        assert bool(verdict.message) is not verdict.granted
        if not verdict.granted:
            assert who.customer_id in verdict.message or any(
                word in verdict.message for word in ("granted", "agent_id", "customer_id")
            )


def test_a_refused_agent_is_shown_what_it_was_granted() -> None:
    topic = parse_pattern(f"customer_id:{ACME}:call", RESOURCES)
    agents = [who for who in identities() if who.customer_id == ACME and who.role is Role.AGENT]
    shown = {
        who.granted_resources: verdict.message
        for who in agents
        if not (verdict := may_subscribe(who, topic)).granted and "(yours: " in verdict.message
    }
    assert len(shown) > 1
    for granted, message in shown.items():
        assert f"(yours: {', '.join(sorted(granted)) or 'none'})" in message


def test_a_refusal_is_the_same_whether_the_other_exists_or_not() -> None:
    for who in identities():
        for real, unreal in (
            (f"agent_id:{BOB}", f"agent_id:{UNKNOWN_ID}"),
            (f"customer_id:{GLOBEX if who.customer_id == ACME else ACME}", f"customer_id:{UNKNOWN_ID}"),
        ):
            assert may_subscribe(who, parse_pattern(real, RESOURCES)) == may_subscribe(
                who, parse_pattern(unreal, RESOURCES)
            )


def test_grants_never_cover_a_wildcard_resource() -> None:
    everything = identity("agent", ACME, ANN, Role.AGENT, frozenset({*RESOURCES, "*"}))
    assert not may_subscribe(everything, parse_pattern(f"customer_id:{ACME}:*:*", RESOURCES)).granted
    assert not may_subscribe(everything, parse_pattern(f"customer_id:{ACME}:*:{CALL_ID}", RESOURCES)).granted
    assert may_subscribe(everything, parse_pattern(f"customer_id:{ACME}:call:*", RESOURCES)).granted


def test_a_foreign_customers_manager_is_a_stranger() -> None:
    manager = identity("manager", GLOBEX, GUS, Role.MANAGER)
    for topic in (f"customer_id:{ACME}", f"customer_id:{ACME}:call:{CALL_ID}", f"agent_id:{ANN}"):
        assert not may_subscribe(manager, parse_pattern(topic, RESOURCES)).granted


def test_rest_framework_lets_every_identity_in() -> None:
    request = Request(HttpRequest())
    for who in identities():
        request.user = who
        assert IsAuthenticated().has_permission(request, APIView())


# --- Keys with allowed topics ---

CALLS, ONE_CALL, ONE_ID = (
    f"customer_id:{ACME}:call:*",
    f"customer_id:{ACME}:call:{CALL_ID}",
    f"customer_id:{ACME}:*:q1",
)


def test_a_list_of_topics_never_permits_more_than_no_list() -> None:
    patterns = {str(parse_pattern(each, RESOURCES)) for each in topics() if ACME in each or ANN in each}
    lists = [frozenset({pattern}) for pattern in sorted(patterns)]
    for who in identities():
        for allowed in lists:
            narrowed = replace(who, allowed_topics=allowed)
            for topic in topics():
                pattern = parse_pattern(topic, RESOURCES)
                wide, narrow = may_subscribe(who, pattern), may_subscribe(narrowed, pattern)
                assert narrow == wide or (wide.granted and narrow.rule is Rule.TOPIC_NOT_ALLOWED)
                # Every event of the pattern is also covered by the list alone.
                [allows] = allowed
                covered = Pattern(*allows.split(":")).covers
                assert not narrow.granted or all(
                    covered(f"{pattern.scope}:{pattern.scope_id}:{resource}:{resource_id}")
                    for resource in (["call", "queue"] if pattern.resource == "*" else [pattern.resource])
                    for resource_id in (["c", "q"] if pattern.resource_id == "*" else [pattern.resource_id])
                )


@pytest.mark.parametrize(
    ("topic", "granted"),
    [
        (CALLS, True),
        (f"customer_id:{ACME}:call", True),
        (ONE_CALL, True),
        (f"customer_id:{ACME}:queue:q1", True),
        (f"customer_id:{ACME}:*:q1", True),
        (f"customer_id:{ACME}", False),
        (f"customer_id:{ACME}:*:{CALL_ID}", False),
        (f"customer_id:{ACME}:queue:*", False),
        (f"customer_id:{ACME}:queue:q2", False),
    ],
)
def test_a_limited_key_may_subscribe_to_what_its_list_covers(topic: str, granted: bool) -> None:
    key = identity("customer's key", ACME, None, None, allowed=frozenset({CALLS, ONE_ID}))
    verdict = may_subscribe(key, parse_pattern(topic, RESOURCES))
    assert (verdict.granted, verdict.rule) == (
        granted,
        Rule.CUSTOMER_KEY if granted else Rule.TOPIC_NOT_ALLOWED,
    )
    assert granted or (CALLS in verdict.message and ONE_ID in verdict.message)


def test_a_list_permits_nothing_that_the_holder_may_not_subscribe_to() -> None:
    everything = frozenset({f"customer_id:{ACME}:*:*", f"agent_id:{BOB}:*:*", f"customer_id:{GLOBEX}:*:*"})
    agents_key = identity("agent", ACME, ANN, Role.AGENT, allowed=everything)
    for topic, rule in (
        (f"customer_id:{ACME}:call:*", Rule.RESOURCE_NOT_GRANTED),
        (f"agent_id:{BOB}:call:*", Rule.FOREIGN_AGENT),
        (f"customer_id:{GLOBEX}:call:*", Rule.FOREIGN_CUSTOMER),
        (f"agent_id:{ANN}:call:*", Rule.TOPIC_NOT_ALLOWED),
    ):
        assert may_subscribe(agents_key, parse_pattern(topic, RESOURCES)).rule is rule


def test_a_long_list_is_abridged_in_the_refusal() -> None:
    many = frozenset(f"customer_id:{ACME}:call:{number}" for number in range(100))
    key = identity("customer's key", ACME, None, None, allowed=many)
    message = may_subscribe(key, parse_pattern(CALLS, RESOURCES)).message
    assert "and 95 more" in message
    assert len(message) < 600
