"""The event: what a publisher may hand in, whom it concerns, its topics and its frame."""

# Long because the cases of one module stand together.

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.domain.event import (
    Draft,
    Form,
    agents_beside_data,
    concerned_agents,
    data_time,
    format_timestamp,
    make_entry,
    new_event_id,
    parse_timestamp,
    topics_of,
)
from events.domain.event_parser import MAX_AGENTS, MAX_UNKNOWN_FIELDS, InvalidEvent, read_event
from events.domain.strict_json import decode
from events.domain.topics import is_canonical_uuid, known_resources
from tests.events.support.json_values import json_objects

RESOURCES = known_resources()
CUSTOMER = "5e4a0680-804e-11ec-8477-2fea5968d85b"
OTHER = "7c4d2f3a-1b8e-4f5c-9a6d-3e2f1a0b9c8d"
ALICE = "eb1ac5c0-ff63-47e2-bcdb-5da9c336eb4b"
BOB = "d7450dda-21e0-4611-b09a-8d771c50a5e6"
CAROL = "a5d2114a-8e84-48cd-8bb2-c406eeb08cd1"
NIL = "00000000-0000-0000-0000-000000000000"

MISSING = ...  # A value of its own, named alike in every process, as parallel tests need it.


def read(max_bytes: int = 65_536, **fields: Any) -> Draft:
    item = {"event_type": "call.status", "data": {"id": "xyz789", "status": "answered"}, **fields}
    item = {name: value for name, value in item.items() if value is not MISSING}
    return read_event(item, customer_id=CUSTOMER, resources=RESOURCES, max_bytes=max_bytes)


def refusal(**fields: Any) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as caught:
        read(**fields)
    return caught.value


def test_the_least_event_is_a_type_and_data() -> None:
    draft = read()
    assert draft == Draft(
        event_type="call.status",
        customer_id=CUSTOMER,
        resource="call",
        resource_id="xyz789",
        agent_ids=(),
        data={"id": "xyz789", "status": "answered"},
        body='{"id": "xyz789", "status": "answered"}',
        timestamp=None,
        idempotency_key=None,
    )


def test_everything_that_a_publisher_may_say_is_read() -> None:
    draft = read(
        customer_id=OTHER,
        agent_ids=[ALICE, NIL, BOB, ALICE],
        timestamp="2024-01-15T10:30:00.000000Z",
        idempotency_key="k" * 255,
    )
    assert draft.customer_id == OTHER
    assert draft.agent_ids == (ALICE, BOB)
    assert draft.timestamp == datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    assert draft.idempotency_key == "k" * 255


@pytest.mark.parametrize("name", ["customer_id", "agent_ids", "timestamp", "idempotency_key"])
def test_null_in_a_field_that_may_be_missing_means_missing(name: str) -> None:
    assert read(**{name: None}) == read()


def test_a_nil_customer_is_the_publishers_own() -> None:
    assert read(customer_id=NIL).customer_id == CUSTOMER


A_TYPE = "write <resource>.<action>, such as call.status"
AN_ACTION = "an action is 1 to 40 lower-case letters, digits and _, such as status"
DATA = "required: a JSON object with at least the resource's id"
AN_ID = "the resource's id is a string of 1 to 128 letters, digits and . _ ~ @ + = / -"
A_CUSTOMER = "write a UUID in lower case with dashes, or leave it out for your own"
AGENTS = "write a list of agents' UUIDs in lower case with dashes"
A_TIME = "write it as 2024-01-15T10:30:00.000000Z"
A_KEY = "write a string of 1 to 255 characters"

REFUSED = [
    ("event_type", MISSING, "required: <resource>.<action>, such as call.status"),
    ("event_type", None, A_TYPE),
    ("event_type", 7, A_TYPE),
    ("event_type", "", A_TYPE),
    ("event_type", "call", A_TYPE),
    ("event_type", "call.status.changed", A_TYPE),
    (
        "event_type",
        "cal.status",
        '"cal" is no known resource such as call, message or queue (did you mean call?)',
    ),
    ("event_type", "*.status", '"*" is no known resource such as call, message or queue'),
    ("event_type", ".status", "is no known resource"),
    ("event_type", "x" * 1_000_000 + ".status", "is no known resource"),
    ("event_type", "call.", AN_ACTION),
    ("event_type", "call.Status", AN_ACTION),
    ("event_type", 'call.st"atus', AN_ACTION),
    ("event_type", "call.status\n", AN_ACTION),
    ("event_type", "call." + "x" * 41, AN_ACTION),
    ("data", MISSING, DATA),
    ("data", None, DATA),
    ("data", {}, DATA),
    ("data", [{"id": "xyz789"}], DATA),
    ("data", "xyz789", DATA),
    ("data.call_id", {"status": "answered"}, "the resource's id is missing: give data.call_id or data.id"),
    (
        "data.call_id",
        {"id": NIL, "call_id": ""},
        "the resource's id is missing: give data.call_id or data.id",
    ),
    ("data.id", {"id": 789}, AN_ID),
    ("data.id", {"id": "a b"}, AN_ID),
    ("data.id", {"id": "*"}, AN_ID),
    ("data.id", {"id": "a:b"}, AN_ID),
    ("data.id", {"id": "xyz789\n"}, AN_ID),
    ("data.id", {"id": "x" * 129}, AN_ID),
    ("data.call_id", {"id": "xyz789", "call_id": 5}, AN_ID),
    ("data.call_id", {"id": "xyz789", "call_id": ["xyz789"]}, AN_ID),
    ("customer_id", "", A_CUSTOMER),
    ("customer_id", 7, A_CUSTOMER),
    ("customer_id", CUSTOMER.upper(), A_CUSTOMER),
    ("customer_id", f"urn:uuid:{CUSTOMER}", A_CUSTOMER),
    ("agent_ids", ALICE, AGENTS),
    ("agent_ids", {ALICE: 1}, AGENTS),
    ("agent_ids", [ALICE, 7], AGENTS),
    ("agent_ids", [ALICE, ALICE.upper()], AGENTS),
    ("agent_ids", [ALICE] * (MAX_AGENTS + 1), "1001 agents are named, 1000 are the most"),
    ("timestamp", 1705314600, A_TIME),
    ("timestamp", "", A_TIME),
    ("timestamp", "now", A_TIME),
    ("timestamp", "2024-01-15", A_TIME),
    ("timestamp", "2024-01-15T10:30:00", A_TIME),
    ("timestamp", "2024-01-15T10:30Z", A_TIME),
    ("timestamp", "2024-01-15T10:30:00,5Z", A_TIME),
    ("timestamp", "2024-01-15T10:30:00Z\n", A_TIME),
    ("timestamp", "２024-01-15T10:30:00Z", A_TIME),
    ("timestamp", "2024-02-30T10:30:00Z", f"there is no such time (day is out of range for month): {A_TIME}"),
    ("timestamp", "2024-01-15T25:30:00Z", A_TIME),
    ("timestamp", "2024-01-15T10:30:00+99:00", A_TIME),
    ("timestamp", "0001-01-01T00:00:00+01:00", "there is no such time"),
    ("timestamp", "9999-12-31T23:59:59-01:00", "there is no such time"),
    ("idempotency_key", "", A_KEY),
    ("idempotency_key", 17, A_KEY),
    ("idempotency_key", "k" * 256, A_KEY),
    (
        "topic",
        "call",
        "unknown field: an event has event_type, customer_id, agent_ids, data, timestamp, idempotency_key, tags",
    ),
]


@pytest.mark.parametrize(("field", "value", "message"), REFUSED, ids=lambda value: repr(value)[:40])
def test_a_bad_field_is_refused_by_its_name_and_the_message_says_what_is_right(
    field: str, value: object, message: str
) -> None:
    [problem] = refusal(**{field.partition(".")[0]: value}).problems
    assert problem.field == field
    assert message in problem.message
    assert len(problem.message) < 250


@pytest.mark.parametrize("item", [None, [], "call.status", 7, [{"event_type": "call.status"}]], ids=repr)
def test_what_is_no_object_is_no_event(item: object) -> None:
    with pytest.raises(InvalidEvent, match="an event is a JSON object with event_type and data"):
        read_event(item, customer_id=CUSTOMER, resources=RESOURCES, max_bytes=1000)


def test_every_field_that_is_wrong_has_its_reason() -> None:
    error = refusal(
        event_type="cal.status", data=7, customer_id=7, agent_ids=7, timestamp=7, idempotency_key=7, topic=7
    )
    fields = {problem.field for problem in error.problems}
    assert fields == {
        *("event_type", "data", "customer_id", "agent_ids", "timestamp", "idempotency_key", "topic"),
    }
    for field in fields:
        assert f"{field}: " in str(error)


def test_an_answer_does_not_outgrow_a_request_of_unknown_fields() -> None:
    error = refusal(**{f"{n}" * 1000: n for n in range(1000)})
    assert len(error.problems) == MAX_UNKNOWN_FIELDS
    assert max(len(problem.field) for problem in error.problems) <= 64


def test_data_may_be_as_large_as_the_limit_in_bytes_and_no_larger() -> None:
    body = '{"id": "xyz789", "text": "éé"}'
    data = decode(body)
    assert read(data=data, max_bytes=len(body.encode())).body == body
    [problem] = refusal(data=data, max_bytes=len(body.encode()) - 1).problems
    assert problem.field == "data"
    assert problem.message == "larger than 31 bytes as JSON: send a reference instead"


RESOURCE_IDS = [
    ("call.status", {"id": "1"}, "1"),
    ("call.status", {"id": "1", "call_id": "2"}, "2"),
    ("call.status", {"call_id": "2"}, "2"),
    ("call.status", {"id": "1", "call_id": None}, "1"),
    ("call.status", {"id": "1", "call_id": ""}, "1"),
    ("call.status", {"id": "1", "call_id": NIL}, "1"),
    ("queue.joined", {"id": "1", "call_id": "2", "queue_id": "3"}, "3"),
    ("queue.joined", {"id": "1", "call_id": "2"}, "1"),
    ("conference.left", {"id": "1", "call_id": "2", "conference_id": "3"}, "3"),
    ("agent.status", {"id": "1", "agent_id": ALICE}, ALICE),
    ("recording.completed", {"id": "1", "call_id": "2"}, "1"),
    ("number.created", {"id": "1", "number": "+15551234567"}, "1"),
]


@pytest.mark.parametrize(("event_type", "data", "resource_id"), RESOURCE_IDS)
def test_the_resources_own_id_comes_before_the_plain_id(
    event_type: str, data: Mapping[str, Any], resource_id: str
) -> None:
    draft = read(event_type=event_type, data=data)
    assert draft.resource == event_type.partition(".")[0]
    assert draft.resource_id == resource_id


def test_a_resource_that_a_setting_adds_may_have_events() -> None:
    item = {"event_type": "door_bell.rung", "data": {"door_bell_id": "front"}}
    draft = read_event(item, customer_id=CUSTOMER, resources=known_resources(["door_bell"]), max_bytes=1000)
    assert (draft.resource, draft.resource_id) == ("door_bell", "front")


CONCERNED = [
    ("nobody", "call.status", {}, [], [], ()),
    ("the named", "call.status", {}, [ALICE, BOB], [], (ALICE, BOB)),
    ("agent_id", "call.assigned", {"agent_id": ALICE}, [], [], (ALICE,)),
    ("service_agent_id", "queuecall.updated", {"service_agent_id": ALICE}, [], [], (ALICE,)),
    ("an owner who is an agent", "call.status", {"owner_type": "agent", "owner_id": ALICE}, [], [], (ALICE,)),
    ("no other owner", "call.status", {"owner_type": "customer", "owner_id": ALICE}, [], [], ()),
    ("no owner of unknown type", "call.status", {"owner_id": ALICE}, [], [], ()),
    ("a queue's agents", "queue.joined", {"agent_id": CAROL}, [], [ALICE, BOB], (CAROL, ALICE, BOB)),
    ("the agent itself", "agent.status", {"agent_id": ALICE}, [], [], (ALICE,)),
    ("the agent by plain id", "agent.status", {"id": ALICE}, [], [], (ALICE,)),
    ("each once", "agent.status", {"id": ALICE, "service_agent_id": BOB}, [BOB], [ALICE], (BOB, ALICE)),
    ("no nil", "call.assigned", {"agent_id": NIL, "service_agent_id": NIL}, [], [], ()),
    ("no number", "call.assigned", {"agent_id": 7, "service_agent_id": [ALICE]}, [], [], ()),
    ("no other spelling", "call.assigned", {"agent_id": ALICE.upper()}, [], [], ()),
]


@pytest.mark.parametrize(
    ("event_type", "data", "named", "serving", "concerned"),
    [row[1:] for row in CONCERNED],
    ids=[row[0] for row in CONCERNED],
)
def test_an_event_concerns(
    event_type: str,
    data: Mapping[str, Any],
    named: list[str],
    serving: list[str],
    concerned: tuple[str, ...],
) -> None:
    draft = read(event_type=event_type, data={"id": "xyz789", **data}, agent_ids=named)
    assert concerned_agents(draft, serving) == concerned


def test_an_event_stands_on_its_customers_topic_first_and_on_each_agents() -> None:
    assert topics_of(CUSTOMER, "call", "xyz789", (ALICE, BOB)) == (
        f"customer_id:{CUSTOMER}:call:xyz789",
        f"agent_id:{ALICE}:call:xyz789",
        f"agent_id:{BOB}:call:xyz789",
    )


TIMES = [
    ("2024-01-15T10:30:00.000000Z", "2024-01-15T10:30:00.000000Z"),
    ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00.000000Z"),
    ("2024-01-15t10:30:00.5z", "2024-01-15T10:30:00.500000Z"),
    ("2024-01-15 10:30:00.123Z", "2024-01-15T10:30:00.123000Z"),
    ("2024-01-15T10:30:00.123456789Z", "2024-01-15T10:30:00.123456Z"),
    ("2024-01-15T10:30:00.999999999Z", "2024-01-15T10:30:00.999999Z"),
    ("2024-01-15T10:30:00+09:00", "2024-01-15T01:30:00.000000Z"),
    ("2024-01-15T10:30:00-05:30", "2024-01-15T16:00:00.000000Z"),
    ("2024-02-29T23:59:59+00:00", "2024-02-29T23:59:59.000000Z"),
    ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
]


@pytest.mark.parametrize(("written", "shown"), TIMES)
def test_a_time_is_shown_in_utc_with_six_digits_and_a_z(written: str, shown: str) -> None:
    assert format_timestamp(parse_timestamp(written)) == shown


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00.000000Z"),
        ("2024-01-15T10:30:00+09:00", "2024-01-15T01:30:00.000000Z"),
        ("2024-01-15 10:30:00.5", "2024-01-15T10:30:00.500000Z"),
        ("9999-01-01 00:00:00.000000", None),
        ("0001-01-01T00:00:00Z", None),
        ("yesterday", None),
        (1705314600, None),
        (None, None),
    ],
)
def test_a_time_in_data_may_have_no_zone_and_not_yet_is_none(value: object, expected: str | None) -> None:
    moment = data_time(value)
    assert (moment and format_timestamp(moment)) == expected


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),  # noqa: DTZ001
        max_value=datetime(9998, 12, 31),  # noqa: DTZ001
        timezones=st.builds(timezone, st.integers(-23, 23).map(lambda hours: timedelta(hours=hours))),
    )
)
def test_a_time_of_any_zone_reads_back_as_the_same_moment(moment: datetime) -> None:
    assert parse_timestamp(moment.isoformat()) == moment
    assert parse_timestamp(format_timestamp(moment)) == moment


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("2024-01-15T10:30:00+0000", "the zone +0000 lacks its colon, as in +02:00"),
        ("2024-01-15T10:30:00.5-07", "the zone -07 lacks its colon"),
        ("2024-01-15T10:30Z", "the seconds are missing"),
        ("2024-01-15T10:30:00", "the zone is missing"),
        ("2024-01-15T10:30:00,295Z", "a point stands before the fraction, not a comma"),
        ("2024-01-15T10:30:00.1234567890Z", "more than nine digits"),
        ("2024-01-15T10:30:00+24:00", "there is no zone +24:00"),
        ("2024-01-15T10:30:00-99:00", "there is no zone -99:00"),
        ("2024-13-15T10:30:00Z", "there is no such time"),
        ("15.1.2024", "write it as"),
    ],
)
def test_what_is_wrong_with_a_time_is_named(written: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as refusal:
        parse_timestamp(written)
    assert "write it as 2024-01-15T10:30:00.000000Z" in str(refusal.value)
    assert "timedelta" not in str(refusal.value)


def test_the_digest_does_not_mind_how_the_same_content_is_written() -> None:
    one = read(data={"id": "1", "a": {"b": 1, "c": 2}}, timestamp="2024-01-15T10:30:00Z", idempotency_key="k")
    two = read(data={"a": {"c": 2, "b": 1}, "id": "1"}, timestamp="2024-01-15T11:30:00+01:00")
    assert one.digest() == two.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"event_type": "call.ended"},
        {"data": {"id": "xyz789", "status": "hangup"}},
        {"data": {"id": "xyz789", "status": "answered", "more": None}},
        {"agent_ids": [ALICE]},
        {"timestamp": "2024-01-15T10:30:00Z"},
    ],
    ids=repr,
)
def test_the_digest_tells_other_content_apart(change: dict[str, Any]) -> None:
    assert read(**change).digest() != read().digest()


def test_a_frame_is_the_published_example_with_id_and_cursor_byte_for_byte() -> None:
    published = {
        "event_type": "call.status",
        "timestamp": "2024-01-15T10:30:00.000000Z",
        "topic": "customer_id:abc123:call:xyz789",
        "data": {"id": "xyz789", "status": "answered"},
    }
    entry = make_entry(
        seq=17,
        epoch="0123456789ab",
        event_id=CAROL,
        event_type="call.status",
        timestamp=datetime(2024, 1, 15, 10, 30, tzinfo=UTC),
        topics=["customer_id:abc123:call:xyz789", f"agent_id:{ALICE}:call:xyz789"],
        body=read().body,
    )
    assert entry.event_id == json.loads(entry.frame("t"))["id"]
    frame = entry.frame("customer_id:abc123:call:xyz789")
    assert frame == json.dumps({**published, "id": CAROL, "cursor": "0123456789ab.17"})
    assert frame.startswith(json.dumps(published)[:-1])
    assert entry.frame(entry.topics[1]) == frame.replace(*entry.topics)
    assert entry.size >= len(frame)


@given(json_objects)
def test_any_data_reaches_the_receiver_as_the_same_value(data: dict[str, Any]) -> None:
    data = {**data, "id": "xyz789", "call_id": None}
    draft = read(data=data)
    assert draft.body == json.dumps(data, ensure_ascii=False)
    entry = make_entry(
        seq=1,
        epoch="0123456789ab",
        event_id=str(new_event_id()),
        event_type=draft.event_type,
        timestamp=datetime(2024, 1, 15, 10, 30, tzinfo=UTC),
        topics=topics_of(draft.customer_id, draft.resource, draft.resource_id, ()),
        body=draft.body,
    )
    received = json.loads(entry.frame(entry.topics[0]))
    # As text, because True equals 1 and 0.0 equals -0.0.
    assert repr(received["data"]) == repr(data)


def test_event_ids_are_uuids_and_never_the_same() -> None:
    ids = {str(new_event_id()) for _ in range(1000)}
    assert len(ids) == 1000
    assert all(map(is_canonical_uuid, ids))


ONE, TWO = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"


def frame_with(scope: str, **fields: Any) -> dict[str, Any]:
    """The frame of an event with these fields, as a subscriber of this scope receives it."""
    entry = make_entry(
        seq=7,
        epoch="a" * 12,
        event_id=str(new_event_id()),
        event_type="call.status",
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        topics=[],
        body='{"id": "c", "text": ", \\"phases\\": "}',
        **fields,
    )
    frame: dict[str, Any] = json.loads(entry.frame(f"{scope}:call:c"))
    assert frame["id"] == entry.event_id
    assert frame["cursor"] == f"{'a' * 12}.7"
    return frame


def test_an_agents_frame_names_no_other_agent() -> None:
    phases = json.dumps({ONE: ["missed", "then"], TWO: ["talking", "now"]})
    fields: dict[str, Any] = {"named_agents": [TWO], "phases": phases}
    of_customer = frame_with(f"customer_id:{CUSTOMER}", **fields)
    assert of_customer["agent_ids"] == [TWO]
    assert "phase" not in of_customer
    first, second = frame_with(f"agent_id:{ONE}", **fields), frame_with(f"agent_id:{TWO}", **fields)
    assert (first["agent_ids"], first["phase"]) == ([], ["missed", "then"])
    assert (second["agent_ids"], second["phase"]) == ([TWO], ["talking", "now"])
    other = frame_with(f"agent_id:{CUSTOMER}", phases=phases)
    assert not {"agent_ids", "phase", "phases"} & set(other)


@pytest.mark.parametrize(("ended", "active"), [(None, None), (True, False), (False, True)])
def test_a_frame_says_whether_its_resource_has_ended_or_is_live_again(
    ended: bool | None, active: bool | None
) -> None:
    assert frame_with(f"customer_id:{CUSTOMER}", ended=ended).get("active") is active
    assert "agent_ids" not in frame_with(f"agent_id:{ONE}", ended=ended)


@pytest.mark.parametrize(
    ("agent_ids", "data", "beside"),
    [
        ((), {"id": "c", "agent_id": ONE}, ()),
        ((ONE,), {"id": "c", "agent_id": ONE}, ()),
        ((ONE, TWO), {"id": "c", "agent_id": ONE}, (ONE, TWO)),
        ((ONE,), {"id": "c"}, (ONE,)),
    ],
)
def test_agents_that_the_data_does_not_name_are_beside_it(
    agent_ids: tuple[str, ...], data: dict[str, Any], beside: tuple[str, ...]
) -> None:
    draft = Draft("call.status", CUSTOMER, "call", "c", agent_ids, data, json.dumps(data), None, None)
    assert agents_beside_data(draft) == beside


def _sent(form: Form, data: str, resource: str = "call") -> dict[str, Any]:
    entry = make_entry(
        seq=7,
        epoch="e" * 12,
        event_id="ev",
        event_type=f"{resource}.status",
        timestamp=datetime(2024, 1, 15, tzinfo=UTC),
        topics=[f"customer_id:{CUSTOMER}:{resource}:r1", f"agent_id:{ALICE}:{resource}:r1"],
        body=data,
        named_agents=[ALICE],
        ended=True,
        phases=json.dumps({ALICE: ["ended", "x"]}),
    )
    assert entry.event_type == f"{resource}.status"
    frame: dict[str, Any] = json.loads(entry.frame(entry.topics[0], form))
    return frame


def test_an_event_that_left_a_filter_says_so() -> None:
    frame = _sent(Form.LEFT, '{"id": "r1", "x": ", \\"id\\": \\""}')
    assert frame["left"] is True
    assert frame["data"] == {"id": "r1", "x": ', "id": "'}
    assert list(frame)[-4:] == ["active", "left", "id", "cursor"]
    assert "left" not in _sent(Form.WHOLE, '{"id": "r1"}')


@pytest.mark.parametrize(
    ("resource", "data", "ids"),
    [
        ("call", {"id": "r1", "text": "secret", "agent_id": "x"}, {"id": "r1"}),
        ("call", {"call_id": "r1", "id": "other"}, {"call_id": "r1"}),
        ("queue", {"queue_id": "r1", "call_id": "c1", "wait": 3}, {"queue_id": "r1", "call_id": "c1"}),
        ("queue", {"queue_id": "r1", "call_id": 5}, {"queue_id": "r1"}),
    ],
)
def test_a_withdrawn_event_has_its_ids_alone(
    resource: str, data: dict[str, Any], ids: dict[str, str]
) -> None:
    frame = _sent(Form.WITHDRAWN, json.dumps(data), resource)
    assert frame["data"] == ids
    assert set(frame) == {"event_type", "timestamp", "topic", "data", "left", "id", "cursor"}
    assert frame["left"] is True


@pytest.mark.parametrize(
    "tags",
    [{}, {"team": "sales"}, {f"a{n}": n for n in range(16)}, {"vip": True, "x": 1.5, "note": "x" * 256}],
)
def test_the_publishers_tags_are_read(tags: dict[str, Any]) -> None:
    assert read(tags=tags).tags == tags


@pytest.mark.parametrize("tags", [MISSING, None])
def test_without_tags_the_resource_keeps_its_own(tags: Any) -> None:
    draft = read(tags=tags)
    assert draft.tags is None
    assert draft.digest() != read(tags={}).digest() != read(tags={"team": "sales"}).digest()


@pytest.mark.parametrize(
    ("tags", "field", "message"),
    [
        ([], "tags", "write an object of tags"),
        ({f"a{n}": n for n in range(17)}, "tags", "17 tags, 16 are the most"),
        ({"status": "x"}, "tags.status", "the gateway sets this tag itself: choose another name"),
        ({"Team": "x"}, "tags.Team", "a tag's name is 1 to 32 lower-case letters"),
        ({"t" * 99: "x"}, f"tags.{'t' * 64}", "a tag's name is 1 to 32 lower-case letters"),
        ({"team": None}, "tags.team", "a string of at most 256 characters, a number, true or false"),
        ({"team": "x" * 257}, "tags.team", "a string of at most 256 characters"),
        ({"team": ["x"]}, "tags.team", "a string of at most 256 characters"),
    ],
)
def test_other_tags_are_refused(tags: Any, field: str, message: str) -> None:
    (problem,) = refusal(tags=tags).problems
    assert problem.field == field
    assert message in problem.message
