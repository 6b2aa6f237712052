"""Topics and patterns: their grammar by tables, and what covers what against the definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.domain.topics import (
    PLATFORM_RESOURCES,
    PUBLISHED_RESOURCES,
    InvalidTopic,
    Pattern,
    agent_topic,
    covering_patterns,
    customer_topic,
    known_resources,
    parse_pattern,
)
from tests.journeys.support.oracle import RESOURCES as DOCUMENTED_RESOURCES

RESOURCES = known_resources()
C = "12345678-1234-1234-1234-123456789012"
CALL = "5371e9db-d035-4db6-a8d6-0994d33e744e"
A_UUID = "write a UUID in lower case with dashes, such as 12345678-1234-1234-1234-123456789012"
A_TOPIC = "A topic is <scope>:<scope_id>:<resource>:<resource_id>, such as customer_id:12345678-1234-"
AN_ID = "write * for all, or an id of 1 to 128 letters, digits and . _ ~ @ + = / -"

VALID = [
    (f"customer_id:{C}", f"customer_id:{C}:*:*"),
    (f"customer_id:{C}:*", f"customer_id:{C}:*:*"),
    (f"customer_id:{C}:*:*", f"customer_id:{C}:*:*"),
    (f"customer_id:{C}:call", f"customer_id:{C}:call:*"),
    (f"customer_id:{C}:call:*", f"customer_id:{C}:call:*"),
    (f"customer_id:{C}:call:{CALL}", f"customer_id:{C}:call:{CALL}"),
    (f"customer_id:{C}:*:{CALL}", f"customer_id:{C}:*:{CALL}"),
    (f"agent_id:{C}", f"agent_id:{C}:*:*"),
    (f"agent_id:{C}:queue:xyz789", f"agent_id:{C}:queue:xyz789"),
    (f"agent_id:{C}:number:+15551234567", f"agent_id:{C}:number:+15551234567"),
    (f"agent_id:{C}:email:a.b_c~d@e+f=g/h-i", f"agent_id:{C}:email:a.b_c~d@e+f=g/h-i"),
    (f"agent_id:{C}:call:{'x' * 128}", f"agent_id:{C}:call:{'x' * 128}"),
]

INVALID = [
    ("", A_TOPIC),
    ("call", A_TOPIC),
    (f"customer_id:{C}:call:*:*", A_TOPIC),
    (f"customer_id:{C}:call:sip:1000", A_TOPIC),
    ("customer_id:" * 100_000, A_TOPIC),
    (
        f"customer:{C}:call:*",
        '"customer" is no scope: write customer_id or agent_id (did you mean customer_id?)',
    ),
    (f"agentid:{C}", "(did you mean agent_id?)"),
    (f"*:{C}:call:*", '"*" is no scope: write customer_id or agent_id'),
    (f" customer_id:{C}", "is no scope: write customer_id or agent_id"),
    (f"Customer_id:{C}", "is no scope: write customer_id or agent_id (did you mean customer_id?)"),
    (":", '"" is no scope: write customer_id or agent_id'),
    ("customer_id:*:call:*", f'"*" is no customer id: {A_UUID}'),
    ("agent_id::call:*", f'"" is no agent id: {A_UUID}'),
    ("customer_id:abc123:call:*", f'"abc123" is no customer id: {A_UUID}'),
    (f"customer_id:{CALL.upper()}:call:*", A_UUID),
    (f"customer_id:{{{C}}}:call:*", A_UUID),
    (f"customer_id:{C.replace('-', '')}:call:*", A_UUID),
    (f"customer_id:{C} :call:*", A_UUID),
    (f"customer_id:{C}\n", A_UUID),
    (f"customer_id:{C[:-1]}２", A_UUID),
    (f"customer_id:{C[:-1]}A", A_UUID),
    (f"customer_id:{C}0:call:*", A_UUID),
    (f"customer_id:{C}:cal:*", "write * or a name such as call, message or queue (did you mean call?)"),
    (f"customer_id:{C}:calls", '"calls" is no known resource: write * or a name such as call'),
    (f"customer_id:{C}:CALL:*", "(did you mean call?)"),
    (f"customer_id:{C}:call*:*", "is no known resource"),
    (f"customer_id:{C}:**:*", '"**" is no known resource: write * or a name such as call'),
    (f"customer_id:{C}::*", '"" is no known resource'),
    (f"customer_id:{C}:", '"" is no known resource'),
    (f"customer_id:{C}:call:", f'"" is no resource id: {AN_ID}'),
    (f"customer_id:{C}:call:a b", f'"a b" is no resource id: {AN_ID}'),
    (f"customer_id:{C}:call:53*", f'"53*" is no resource id: {AN_ID}'),
    (f"customer_id:{C}:call:{CALL}\n", AN_ID),
    (f"customer_id:{C}:call:é", AN_ID),
    (f"customer_id:{C}:call:{'x' * 129}", AN_ID),
    (f"customer_id:{C}:call:{'x' * 1_000_000}", AN_ID),
    (f"customer_id:{C}:{'x' * 1_000_000}:*", "is no known resource"),
]


@pytest.mark.parametrize(("text", "canonical"), VALID)
def test_a_topic_is_read_in_full_form_and_prefixes_mean_everything_below(text: str, canonical: str) -> None:
    pattern = parse_pattern(text, RESOURCES)
    assert str(pattern) == canonical
    assert Pattern.from_canonical(canonical) == pattern
    assert parse_pattern(canonical, RESOURCES) == pattern


@pytest.mark.parametrize(("text", "message"), INVALID, ids=lambda text: repr(text)[:60])
def test_what_is_no_topic_is_refused_and_the_message_says_what_is_right(text: str, message: str) -> None:
    with pytest.raises(InvalidTopic) as refusal:
        parse_pattern(text, RESOURCES)
    assert message in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_what_a_sender_wrote_is_shown_printable() -> None:
    with pytest.raises(InvalidTopic) as refusal:
        parse_pattern(f"customer_id:{C}:call\x1b[31m\n\u202e:*", RESOURCES)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize("resource", [*PUBLISHED_RESOURCES, *PLATFORM_RESOURCES])
def test_every_resource_of_the_platform_is_known(resource: str) -> None:
    assert parse_pattern(f"customer_id:{C}:{resource}", RESOURCES).resource == resource


def test_the_known_resources_are_those_of_the_protocol_document() -> None:
    assert set(DOCUMENTED_RESOURCES) == RESOURCES


def test_a_setting_adds_resources() -> None:
    with pytest.raises(InvalidTopic, match="is no known resource"):
        parse_pattern(f"customer_id:{C}:door_bell", RESOURCES)
    assert parse_pattern(f"customer_id:{C}:door_bell", known_resources(["door_bell"])).resource == "door_bell"


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (f"customer_id:{C}:call:{CALL}", True),
        (f"customer_id:{C}:call", False),
        (f"customer_id:{C}:*:{CALL}", False),
        (f"customer_id:{C}", False),
    ],
)
def test_only_a_pattern_without_wildcards_is_a_whole_topic(text: str, whole: bool) -> None:
    assert parse_pattern(text, RESOURCES).is_whole_topic is whole


def test_an_event_has_its_customers_topic_and_its_agents() -> None:
    assert customer_topic(C, "call", CALL) == f"customer_id:{C}:call:{CALL}"
    assert agent_topic(C, "call", CALL) == f"agent_id:{C}:call:{CALL}"


# Few values for each part, so that patterns and topics meet often.
scopes = st.sampled_from(["customer_id", "agent_id"])
owners = st.sampled_from([C, C.replace("1", "2")])
resources = st.sampled_from(["call", "queue"])
ids = st.sampled_from(["1", "11", "call", "queue"])
topics = st.tuples(scopes, owners, resources, ids)
patterns = st.builds(Pattern, scopes, owners, resources | st.just("*"), ids | st.just("*"))


@given(patterns, topics)
def test_a_pattern_covers_a_topic_whose_parts_it_names_or_leaves_open(
    pattern: Pattern, topic: tuple[str, str, str, str]
) -> None:
    named = (pattern.scope, pattern.scope_id, pattern.resource, pattern.resource_id)
    by_definition = all(name in ("*", part) for name, part in zip(named, topic, strict=True))
    assert pattern.covers(":".join(topic)) is by_definition


@given(topics)
def test_a_topic_is_covered_by_four_patterns_and_each_is_one(topic: tuple[str, str, str, str]) -> None:
    text = ":".join(topic)
    found = covering_patterns(text)
    assert len(set(found)) == 4
    for each in found:
        assert str(parse_pattern(each, RESOURCES)) == each
        assert parse_pattern(each, RESOURCES).covers(text)
