"""VoIPBIN's webhooks become events of the published API, and nothing that they say is lost.

The first ten payloads of the fixture are VoIPBIN's own; the others are made in their style, so that every row of
the translation has one.
"""

# Long because the cases of one module stand together.

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.domain.event import concerned_agents
from events.domain.event_parser import InvalidEvent, read_event
from events.domain.topics import known_resources
from events.domain.voipbin_webhooks import EVENT_TYPES, read_webhook, translate
from tests.events.support.json_values import json_objects, json_values

RESOURCES = known_resources()
FIXTURE = Path(__file__).parents[2] / "fixtures" / "voipbin_webhooks.jsonl"
WEBHOOKS = [json.loads(line) for line in FIXTURE.read_text().splitlines()]

OWN = "7c4d2f3a-1b8e-4f5c-9a6d-3e2f1a0b9c8d"
ACME = "5e4a0680-804e-11ec-8477-2fea5968d85b"
AGENT = "eb1ac5c0-ff63-47e2-bcdb-5da9c336eb4b"
NIL = "00000000-0000-0000-0000-000000000000"
NOT_YET = "9999-01-01 00:00:00.000000"

FLOW = "74ac5405-7c70-4184-9388-1c9f8f8ce25f"
IN_CALL = "5371e9db-d035-4db6-a8d6-0994d33e744e"
OUT_CALL = "ad132775-1ab2-485e-856f-72c2e383cdc6"
QUEUED_CALL = "1fe1356f-3f7f-4ff9-9d33-08136b38f506"
QUEUECALL = "c7c1e226-8c86-4b43-9606-2d5bb2059a09"
QUEUE = "99bf739a-932f-433c-b1bf-103d33d7e9bb"
LOST_CALL = "f7e1a1c2-64f5-4f7c-8d2b-1d3f0c9a7b21"
CONFERENCE = "99accfb7-c0dd-4a54-997d-dd18af7bc280"
RECORDING = "142e8ef8-392c-4514-abf0-8656da5d2fdf"
TRANSCRIBE = "bbf08426-3979-41bc-a544-5fc92c237848"
SENT = "a5d2114a-8e84-48cd-8bb2-c406eeb08cd1"


def phone(number: str) -> dict[str, str]:
    return {"type": "tel", "target": number, "target_name": "", "name": "", "detail": ""}


INBOUND = {"direction": "inbound"}
OUTBOUND = {"direction": "outbound"}
JOINED = {"call_id": QUEUED_CALL, "tm_join": "2022-03-29T15:07:46.111715Z"}
SERVED = {**JOINED, "agent_id": AGENT, "tm_connect": "2022-03-29T15:08:04.811442Z", "wait_time": 19}
LOST = {"call_id": LOST_CALL, "tm_join": "2022-03-29T15:07:46.111715Z", "wait_time": 41}
IN_CONFERENCE = {"call_id": IN_CALL, "tm_join": "2022-04-11T00:24:00.100200Z"}

# The webhooks of the fixture in their order: type, event type, resource id, customer, what is new or changed in data.
TRANSLATED: list[tuple[str, str, str, str, Mapping[str, Any]]] = [
    ("activeflow_created", "activeflow.updated", FLOW, OWN, {}),
    ("activeflow_updated", "activeflow.updated", FLOW, OWN, {}),
    ("call_created", "call.created", IN_CALL, OWN, INBOUND),
    ("call_ringing", "call.status", OUT_CALL, OWN, OUTBOUND),
    ("call_progressing", "call.status", IN_CALL, OWN, {**INBOUND, "status": "answered"}),
    ("call_hangup", "call.ended", "593555d2-787e-4b06-862f-407bb2e43be1", OWN, INBOUND),
    ("queuecall_created", "queue.joined", QUEUECALL, OWN, JOINED),
    ("queuecall_serviced", "queue.connected", QUEUECALL, OWN, SERVED),
    ("agent_status_updated", "agent.status", AGENT, OWN, {"agent_id": AGENT}),
    (
        "message_created",
        "message.sent",
        SENT,
        ACME,
        {"status": "queued", "destination": phone("+15559876543")},
    ),
    ("call_dialing", "call.status", OUT_CALL, OWN, OUTBOUND),
    ("call_updated", "call.status", IN_CALL, OWN, {**INBOUND, "status": "answered"}),
    ("call_canceling", "call.status", OUT_CALL, OWN, OUTBOUND),
    ("call_terminating", "call.status", IN_CALL, OWN, INBOUND),
    ("call_deleted", "call.ended", "593555d2-787e-4b06-862f-407bb2e43be1", OWN, INBOUND),
    (
        "message_created",
        "message.received",
        "fb07e4ea-e1d4-4bb7-9ff7-4f1d3c6e2f00",
        ACME,
        {"status": "received", "destination": phone("+15551234567")},
    ),
    (
        "message_updated",
        "message.delivery",
        SENT,
        ACME,
        {"status": "delivered", "destination": phone("+15559876543")},
    ),
    (
        "activeflow_deleted",
        "activeflow.completed",
        FLOW,
        OWN,
        {"result": "completed", "tm_end": "2022-04-11T00:24:10.950000Z"},
    ),
    ("queuecall_waiting", "queue.joined", QUEUE, ACME, JOINED),
    ("queuecall_connecting", "queue.connecting", QUEUECALL, ACME, {**JOINED, "agent_id": AGENT}),
    ("queuecall_done", "queue.left", QUEUE, ACME, {**SERVED, "reason": "done"}),
    ("queuecall_abandoned", "queue.left", QUEUE, ACME, {**LOST, "reason": "abandoned"}),
    ("queuecall_deleted", "queue.left", QUEUE, ACME, {**LOST, "reason": "deleted"}),
    ("agent_updated", "agent.status", AGENT, ACME, {"agent_id": AGENT}),
    ("conferencecall_joined", "conference.joined", CONFERENCE, ACME, IN_CONFERENCE),
    (
        "conferencecall_leaved",
        "conference.left",
        CONFERENCE,
        ACME,
        {**IN_CONFERENCE, "tm_leave": "2022-04-11T00:26:30.500600Z"},
    ),
    ("conference_deleted", "conference.ended", CONFERENCE, ACME, {"conference_id": CONFERENCE}),
    ("recording_started", "recording.started", RECORDING, ACME, {"call_id": IN_CALL}),
    ("recording_finished", "recording.completed", RECORDING, ACME, {"call_id": IN_CALL, "duration": 8}),
    ("transcribe_done", "transcription.completed", TRANSCRIBE, ACME, {"transcription_id": TRANSCRIBE}),
    (
        "conversation_message_created",
        "conversation.message_created",
        "a7bc12b0-f95c-49e3-ad5d-0e7f9b6a3c42",
        ACME,
        INBOUND,
    ),
    ("number_created", "number.created", "b7041f62-821e-11ec-8fce-3f1d1a0a9e01", ACME, {}),
]


def event(webhook: object) -> dict[str, Any]:
    return translate(webhook, resources=RESOURCES)


def data_of(kind: str, **data: Any) -> dict[str, Any]:
    translated = event({"type": kind, "data": {"id": IN_CALL, **data}})["data"]
    assert isinstance(translated, dict)
    return translated


def refusal(webhook: object) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as caught:
        event(webhook)
    return caught.value


@pytest.mark.parametrize(
    ("webhook", "expected"),
    list(zip(WEBHOOKS, TRANSLATED, strict=True)),
    ids=[f"{number}-{webhook['type']}" for number, webhook in enumerate(WEBHOOKS, 1)],
)
def test_a_webhook_becomes_its_event_and_keeps_every_field(
    webhook: dict[str, Any], expected: tuple[str, str, str, str, Mapping[str, Any]]
) -> None:
    kind, event_type, resource_id, customer_id, new = expected
    assert webhook["type"] == kind
    before = json.dumps(webhook)
    item = event(webhook)
    assert json.dumps(webhook) == before

    draft = read_event(item, customer_id=OWN, resources=RESOURCES, max_bytes=65_536)
    assert (draft.event_type, draft.resource_id, draft.customer_id) == (event_type, resource_id, customer_id)

    data = dict(item["data"])
    originals = data.pop("voipbin")
    assert originals.pop("type") == kind
    assert data == {**webhook["data"], **new}
    changed = {name for name in webhook["data"] if data[name] != webhook["data"][name]}
    assert originals == {name: webhook["data"][name] for name in changed}


def test_the_fixture_has_every_row_of_the_translation() -> None:
    assert {webhook["type"] for webhook in WEBHOOKS} >= set(EVENT_TYPES)


def test_a_serviced_call_concerns_its_agent() -> None:
    [webhook] = [each for each in WEBHOOKS if each["type"] == "queuecall_serviced"]
    draft = read_event(event(webhook), customer_id=OWN, resources=RESOURCES, max_bytes=65_536)
    assert concerned_agents(draft) == (AGENT,)


STATUSES = [
    ("call_created", "dialing", "dialing"),
    ("call_created", "ringing", "ringing"),
    ("call_progressing", "progressing", "answered"),
    ("call_updated", "progressing", "answered"),
    ("call_updated", "hangup", "hangup"),
    ("call_updated", "on_hold", "on_hold"),
    ("call_ringing", None, "ringing"),
    ("call_progressing", "", "answered"),
    ("call_hangup", "terminating", "hangup"),
    ("call_hangup", None, "hangup"),
    ("call_deleted", "progressing", "hangup"),
]


@pytest.mark.parametrize(("kind", "status", "word"), STATUSES)
def test_a_calls_status_is_the_published_apis_and_the_original_stands_beside_it(
    kind: str, status: str | None, word: str
) -> None:
    data = data_of(kind, status=status)
    assert data["status"] == word
    assert data["voipbin"] == ({"type": kind} if word == status else {"type": kind, "status": status})


def test_an_update_does_not_set_the_status_of_a_call() -> None:
    assert "status" not in data_of("call_updated")


def test_a_status_from_the_type_alone_has_no_original() -> None:
    data = data_of("call_hangup")
    assert (data["status"], data["voipbin"]) == ("hangup", {"type": "call_hangup"})


@pytest.mark.parametrize("kind", ["transcribe_created", "queuecall_waiting", "campaign_updated"])
def test_other_resources_keep_their_status(kind: str) -> None:
    data = data_of(kind, status="progressing")
    assert (data["status"], data["voipbin"]) == ("progressing", {"type": kind})


@pytest.mark.parametrize(
    ("direction", "event_type", "word"),
    [
        ("inbound", "message.received", "inbound"),
        ("incoming", "message.received", "inbound"),
        ("outbound", "message.sent", "outbound"),
        ("outgoing", "message.sent", "outbound"),
        ("sideways", "message.sent", "sideways"),
        ("", "message.sent", ""),
        (None, "message.sent", None),
    ],
)
def test_only_an_inbound_message_is_received(
    direction: str | None, event_type: str, word: str | None
) -> None:
    item = event({"type": "message_created", "data": {"id": SENT, "direction": direction}})
    assert (item["event_type"], item["data"]["direction"]) == (event_type, word)


def test_a_message_without_direction_is_sent() -> None:
    assert event({"type": "message_created", "data": {"id": SENT}})["event_type"] == "message.sent"


def target(number: str, status: object) -> dict[str, object]:
    return {"destination": {"type": "tel", "target": number}, "status": status}


@pytest.mark.parametrize(
    ("targets", "new"),
    [
        ([target("+1", "sent")], {"destination": {"type": "tel", "target": "+1"}, "status": "sent"}),
        ([target("+1", "sent"), target("+2", "sent")], {"status": "sent"}),
        ([target("+1", "sent"), target("+2", "failed")], {}),
        ([target("+1", ["sent"])], {"destination": {"type": "tel", "target": "+1"}}),
        ([{}], {}),
        ([], {}),
        (["+1"], {}),
        ("+1", {}),
        (None, {}),
    ],
    ids=repr,
)
def test_a_message_has_the_destination_and_status_that_its_targets_agree_on(
    targets: object, new: dict[str, object]
) -> None:
    data = data_of("message_updated", targets=targets)
    assert {name: data[name] for name in ("destination", "status") if name in data} == new


@pytest.mark.parametrize(
    ("kind", "data", "absent"),
    [
        ("queuecall_waiting", {"reference_type": "conference", "reference_id": IN_CALL}, "call_id"),
        ("queuecall_waiting", {"reference_type": "call", "reference_id": NIL}, "call_id"),
        ("queuecall_waiting", {"reference_type": "call", "reference_id": 7}, "call_id"),
        ("queuecall_waiting", {"service_agent_id": NIL}, "agent_id"),
        ("queuecall_waiting", {"service_agent_id": ""}, "agent_id"),
        ("queuecall_waiting", {"tm_create": NOT_YET}, "tm_join"),
        ("queuecall_serviced", {"tm_service": NOT_YET}, "tm_connect"),
        ("queuecall_waiting", {"tm_create": "2022-03-29 15:07:46.1", "tm_service": NOT_YET}, "wait_time"),
        ("queuecall_serviced", {"tm_service": "2022-03-29 15:07:46.1"}, "wait_time"),
        (
            "queuecall_serviced",
            {"tm_create": "2022-03-29 15:00:01", "tm_service": "2022-03-29 15:00:00"},
            "wait_time",
        ),
        ("queuecall_abandoned", {"duration_waiting": True}, "wait_time"),
        ("queuecall_abandoned", {"duration_waiting": -1}, "wait_time"),
        ("queuecall_abandoned", {"duration_waiting": "41280"}, "wait_time"),
        ("queuecall_serviced", {}, "reason"),
        ("conferencecall_joined", {"tm_update": "2022-03-29 15:00:00"}, "tm_leave"),
        ("recording_finished", {"reference_type": "confbridge", "reference_id": IN_CALL}, "call_id"),
        ("recording_finished", {"tm_start": "2022-03-29 15:00:00", "tm_end": NOT_YET}, "duration"),
        ("activeflow_updated", {"tm_update": "2022-03-29 15:00:00"}, "tm_end"),
        ("activeflow_updated", {}, "result"),
        ("call_hangup", {"status": "hangup"}, "previous_status"),
    ],
)
def test_what_a_webhook_does_not_have_is_not_made_up(kind: str, data: dict[str, Any], absent: str) -> None:
    assert absent not in data_of(kind, **data)


@pytest.mark.parametrize(
    ("kind", "data", "kept"),
    [
        ("queuecall_done", {"reason": "timeout"}, "reason"),
        (
            "queuecall_waiting",
            {"reference_type": "call", "reference_id": IN_CALL, "call_id": "own"},
            "call_id",
        ),
        ("queuecall_serviced", {"service_agent_id": AGENT, "agent_id": None}, "agent_id"),
        ("agent_updated", {"agent_id": AGENT}, "agent_id"),
        ("message_updated", {"status": "own", "targets": [target("+1", "sent")]}, "status"),
        ("activeflow_deleted", {"tm_end": NOT_YET, "tm_delete": "2022-03-29 15:00:00"}, "tm_end"),
    ],
)
def test_an_added_field_never_takes_the_place_of_one_that_is_there(
    kind: str, data: dict[str, Any], kept: str
) -> None:
    assert data_of(kind, **data)[kept] == data[kept]


def test_a_field_named_voipbin_is_kept_and_ours_stands_beside_it() -> None:
    data = data_of("call_progressing", status="progressing", voipbin="theirs", voipbin_=None)
    assert (data["voipbin"], data["voipbin_"]) == ("theirs", None)
    assert data["voipbin__"] == {"type": "call_progressing", "status": "progressing"}


HAPPENED = [
    ({"tm_update": "2022-04-11 00:23:55.130190"}, "2022-04-11T00:23:55.130190Z"),
    ({"tm_update": "2022-04-11 00:23:55.012416032"}, "2022-04-11T00:23:55.012416Z"),
    ({"tm_update": "2022-04-11 00:23:55"}, "2022-04-11T00:23:55.000000Z"),
    ({"tm_update": "2022-04-11T00:23:55.130190Z"}, "2022-04-11T00:23:55.130190Z"),
    ({"tm_update": "2022-04-11T02:23:55.5+02:00"}, "2022-04-11T00:23:55.500000Z"),
    ({"tm_update": "2022-04-12 00:00:00", "tm_hangup": "2022-04-11 00:00:00"}, "2022-04-12T00:00:00.000000Z"),
    ({"tm_update": NOT_YET, "tm_create": "2022-04-11 00:00:00"}, "2022-04-11T00:00:00.000000Z"),
    (
        {"tm_update": "9999-12-31T23:59:59Z", "tm_create": "2022-04-11 00:00:00"},
        "2022-04-11T00:00:00.000000Z",
    ),
    (
        {"tm_update": "0001-01-01T00:00:00Z", "tm_create": "2022-04-11 00:00:00"},
        "2022-04-11T00:00:00.000000Z",
    ),
    ({"tm_update": None, "tm_create": "2022-04-11 00:00:00"}, "2022-04-11T00:00:00.000000Z"),
    ({"tm_update": "", "tm_create": "2022-04-11 00:00:00"}, "2022-04-11T00:00:00.000000Z"),
    ({"tm_update": "soon", "tm_create": "2022-04-11 00:00:00"}, "2022-04-11T00:00:00.000000Z"),
    ({"tm_update": 1649636635, "tm_create": "2022-04-11 00:00:00"}, "2022-04-11T00:00:00.000000Z"),
    (
        {"tm_hangup": "2022-04-11 06:10:58.431", "tm_create": "2022-04-11 06:10:54"},
        "2022-04-11T06:10:58.431000Z",
    ),
    ({"tm_progressing": "2022-04-11 06:10:55", "tm_hangup": NOT_YET}, "2022-04-11T06:10:55.000000Z"),
]


@pytest.mark.parametrize(("times", "timestamp"), HAPPENED, ids=repr)
def test_an_event_has_the_time_of_the_update_or_else_the_most_telling(
    times: dict[str, Any], timestamp: str
) -> None:
    item = event({"type": "call_updated", "data": {"id": IN_CALL, **times}})
    assert item["timestamp"] == timestamp
    assert {name: item["data"][name] for name in times} == times


@pytest.mark.parametrize("times", [{}, {"tm_update": NOT_YET, "tm_create": NOT_YET}, {"tm_create": "soon"}])
def test_without_a_time_the_gateway_takes_its_own(times: dict[str, Any]) -> None:
    assert "timestamp" not in event({"type": "call_updated", "data": {"id": IN_CALL, **times}})


@pytest.mark.parametrize(
    "none", [{}, {"customer_id": NIL}, {"customer_id": None}, {"customer_id": ""}], ids=repr
)
def test_a_nil_customer_is_left_to_the_credential(none: dict[str, Any]) -> None:
    item = event({"type": "call_updated", "data": {"id": IN_CALL, **none}})
    assert "customer_id" not in item
    assert read_event(item, customer_id=OWN, resources=RESOURCES, max_bytes=1000).customer_id == OWN


@pytest.mark.parametrize(
    ("kind", "event_type"),
    [
        ("queuecall_kicking", "queuecall.kicking"),
        ("conferencecall_leaving", "conferencecall.leaving"),
        ("agent_created", "agent.created"),
        ("campaigncall_updated", "campaigncall.updated"),
        ("call_something_else", "call.something_else"),
        ("aicall_status_progressing", "aicall.status_progressing"),
        ("door_opened", "door.opened"),
        ("door_bell_rung", "door_bell.rung"),
        ("door_bells_rung", "door.bells_rung"),
    ],
)
def test_any_other_webhook_is_an_event_of_the_longest_resource_that_is_known(
    kind: str, event_type: str
) -> None:
    resources = known_resources(["door", "door_bell"])
    item = translate({"type": kind, "data": {"id": "1"}}, resources=resources)
    assert item["event_type"] == event_type
    assert read_event(item, customer_id=OWN, resources=resources, max_bytes=1000).event_type == event_type


def test_what_stands_beside_type_and_data_is_no_part_of_the_event() -> None:
    plain = {"type": "call_updated", "data": {"id": IN_CALL}}
    assert event({**plain, "sent_at": 7}) == event(plain)


A_TYPE = "required: <resource>_<action>, such as call_progressing"
IN_LOWER_CASE = (
    "is no event of a known resource: write <resource>_<action> in lower case, such as call_progressing"
)
DATA = "required: the resource, a JSON object with at least its id"
A_CUSTOMER = "write a UUID in lower case with dashes, or leave it out for your own"

REFUSED = [
    ({"data": {"id": "1"}}, "type", A_TYPE),
    ({"type": None, "data": {"id": "1"}}, "type", A_TYPE),
    ({"type": 7, "data": {"id": "1"}}, "type", A_TYPE),
    ({"type": ["call_created"], "data": {"id": "1"}}, "type", A_TYPE),
    ({"type": "", "data": {"id": "1"}}, "type", IN_LOWER_CASE),
    ({"type": "call", "data": {"id": "1"}}, "type", IN_LOWER_CASE),
    ({"type": "call_", "data": {"id": "1"}}, "type", IN_LOWER_CASE),
    ({"type": "_created", "data": {"id": "1"}}, "type", IN_LOWER_CASE),
    ({"type": "call.created", "data": {"id": "1"}}, "type", "(did you mean call_created?)"),
    ({"type": "cal_ringing", "data": {"id": "1"}}, "type", "(did you mean call_ringing?)"),
    ({"type": "Call_Ringing", "data": {"id": "1"}}, "type", "(did you mean call_ringing?)"),
    ({"type": "numbr_released", "data": {"id": "1"}}, "type", "(did you mean number_released?)"),
    ({"type": "call_rïnging", "data": {"id": "1"}}, "type", '"call_rïnging" ' + IN_LOWER_CASE),
    ({"type": "call_created\n", "data": {"id": "1"}}, "type", IN_LOWER_CASE),
    ({"type": "call_\ud800", "data": {"id": "1"}}, "type", IN_LOWER_CASE),
    ({"type": "call_" + "x" * 1_000_000, "data": {"id": "1"}}, "type", IN_LOWER_CASE),
    ({"type": "x" * 1_000_000, "data": {"id": "1"}}, "type", IN_LOWER_CASE),
    ({"type": "_" * 1_000_000, "data": {"id": "1"}}, "type", IN_LOWER_CASE),
    ({"type": "call_created"}, "data", DATA),
    ({"type": "call_created", "data": None}, "data", DATA),
    ({"type": "call_created", "data": {}}, "data", DATA),
    ({"type": "call_created", "data": [{"id": "1"}]}, "data", DATA),
    ({"type": "call_created", "data": "1"}, "data", DATA),
    ({"type": "call_created", "data": {"id": "1", "customer_id": 7}}, "data.customer_id", A_CUSTOMER),
    ({"type": "call_created", "data": {"id": "1", "customer_id": [ACME]}}, "data.customer_id", A_CUSTOMER),
    (
        {"type": "call_created", "data": {"id": "1", "customer_id": ACME.upper()}},
        "data.customer_id",
        A_CUSTOMER,
    ),
    (
        {"type": "message_created", "data": {"id": "1", "direction": 1}},
        "data.direction",
        "write a string: incoming or outgoing",
    ),
    (
        {"type": "call_created", "data": {"id": "1", "status": {}}},
        "data.status",
        "write a string: dialing, ringing, progressing, canceling, terminating, hangup",
    ),
]


@pytest.mark.parametrize(("webhook", "field", "message"), REFUSED, ids=lambda value: ascii(value)[:50])
def test_what_is_no_webhook_is_refused_by_its_field_and_the_message_says_what_is_right(
    webhook: dict[str, Any], field: str, message: str
) -> None:
    [problem] = refusal(webhook).problems
    assert problem.field == field
    assert message in problem.message
    assert len(problem.message) < 250
    assert problem.message.isprintable()


@pytest.mark.parametrize("webhook", [None, 7, "call_created", [{"type": "call_created"}]], ids=repr)
def test_what_is_no_object_is_no_webhook(webhook: object) -> None:
    assert str(refusal(webhook)) == ": a webhook is a JSON object with type and data"


def test_every_field_that_is_wrong_has_its_reason() -> None:
    error = refusal({"type": "call_created", "data": {"customer_id": 7, "direction": 7, "status": 7}})
    assert [each.field for each in error.problems] == ["data.customer_id", "data.direction", "data.status"]
    assert [each.field for each in refusal({"type": "foo"}).problems] == ["type", "data"]


# The names and words that the translation reads, among values that it does not expect.
NAMES = sorted(
    {name for webhook in WEBHOOKS for name in webhook["data"]} | {"voipbin", "call_id", "tm_leave"}
)
WORDS = ["incoming", "progressing", "call", NIL, ACME, NOT_YET, "2022-04-11 00:23:55.130190"]
kinds = st.sampled_from([*EVENT_TYPES, "number_created", "call_x"]) | st.text() | json_values
hostile_data = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(WORDS) | json_values, max_size=12)


@given(kinds, hostile_data | json_objects | json_values)
def test_any_webhook_is_translated_without_loss_or_refused(kind: object, data: Any) -> None:
    try:
        translated = event({"type": kind, "data": data})["data"]
    except InvalidEvent:
        return
    [originals] = [
        value for name, value in translated.items() if name not in data and name.startswith("voipbin")
    ]
    assert originals["type"] == kind
    for name, value in data.items():
        assert translated[name] is value or originals[name] is value


@pytest.mark.parametrize("kind", ["call_hangup", "call_deleted", "call_progressing"])
def test_only_a_hangup_is_a_status_and_an_end(kind: str) -> None:
    webhook = {"type": kind, "data": {"id": "c", "customer_id": ACME}}
    beside = {"customer_id": OWN, "idempotency_key": "k"}
    draft = read_webhook(webhook, customer_id=OWN, resources=RESOURCES, max_bytes=1000, beside=beside)
    assert (draft.customer_id, draft.idempotency_key) == (ACME, "k")
    assert draft.preceding_type == ("call.status" if kind == "call_hangup" else None)
