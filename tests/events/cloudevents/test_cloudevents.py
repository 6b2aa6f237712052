"""CloudEvents: what a publisher's become, what frames become, and the reason for each that is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from events.cloudevents.attributes import is_cloud_events
from events.cloudevents.incoming import binary_event, is_binary, read_cloud_event
from events.cloudevents.outgoing import write, write_text
from events.domain.event import Draft, Form, make_entry
from events.domain.event_parser import MAX_KEY_LENGTH, InvalidEvent, parse_timestamp

CUSTOMER = "12345678-1234-1234-1234-123456789012"
AGENT = "3f1a9c52-6c1e-4d7b-9a53-0d4c7f2b8e10"
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "A234",
    "source": "/crm",
    "type": "com.voipbin.call.status",
    "data": {"id": "one", "status": "answered"},
}


def read(item: object) -> Draft:
    return read_cloud_event(item, customer_id=CUSTOMER, resources={"call"}, max_bytes=1000)


def reasons(item: object) -> dict[str, str]:
    with pytest.raises(InvalidEvent) as caught:
        read(item)
    return {problem.field: problem.message for problem in caught.value.problems}


def test_a_cloud_event_is_read_like_an_event_of_our_own() -> None:
    draft = read(
        {
            **EVENT,
            "time": "2024-01-15T10:30:00Z",
            "datacontenttype": "application/json; charset=utf-8",
            "customerid": CUSTOMER,
            "agentids": f"{AGENT},",
            "traceparent": "00-1-2-01",
            "subject": "anything",
        }
    )
    assert (draft.event_type, draft.resource_id, draft.data) == ("call.status", "one", EVENT["data"])
    assert (draft.customer_id, draft.agent_ids) == (CUSTOMER, (AGENT,))
    assert draft.timestamp == parse_timestamp("2024-01-15T10:30:00Z")
    assert draft.idempotency_key == "cloudevent:/crm A234"


def test_the_prefix_of_the_type_can_be_left_out() -> None:
    assert read({**EVENT, "type": "call.status"}).event_type == "call.status"


def test_data_can_be_base64() -> None:
    item = {name: value for name, value in EVENT.items() if name != "data"}
    encoded = base64.b64encode(json.dumps(EVENT["data"]).encode()).decode()
    assert read({**item, "data_base64": encoded}).data == EVENT["data"]


def test_id_and_source_are_the_key_however_long() -> None:
    keys = {
        read({**EVENT, "source": source, "id": event_id}).idempotency_key
        for source in ("/a", "/b", "/" + "s" * 300)
        for event_id in ("1", "2", "i" * 300)
    }
    assert len(keys) == 9
    assert all(key is not None and len(key) <= MAX_KEY_LENGTH for key in keys)


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"specversion": "0.3"}, "specversion", 'required: "1.0", not "0.3"'),
        ({"specversion": 1.0}, "specversion", 'required: "1.0", a string'),
        ({"id": ""}, "id", "a string that is not empty"),
        ({"source": 7}, "source", "a string that is not empty"),
        ({"type": 7}, "type", "write <resource>.<action>"),
        ({"type": "com.voipbin.cal.status"}, "type", "did you mean call?"),
        ({"time": "yesterday"}, "time", "write it as"),
        ({"customerid": "Acme"}, "customerid", "write a UUID"),
        ({"agentids": "ann"}, "agentids", "UUIDs"),
        ({"agentids": 7}, "agentids", "UUIDs"),
        ({"data": "text"}, "data", "a JSON object"),
        ({"data": {"status": "x"}}, "data.call_id", "the resource's id is missing"),
        ({"datacontenttype": "text/xml"}, "datacontenttype", "application/json"),
        ({"datacontenttype": 7}, "datacontenttype", "application/json"),
        ({"data_base64": "e30="}, "data_base64", "either data or data_base64"),
        ({"data": ..., "data_base64": 7}, "data_base64", "a string in Base64"),
        ({"data": ..., "data_base64": "?"}, "data_base64", "no Base64"),
        ({"data": ..., "data_base64": "ew=="}, "data_base64", "not JSON"),
    ],
)
def test_each_invalid_attribute_has_its_reason(changed: dict[str, Any], field: str, says: str) -> None:
    found = reasons({name: value for name, value in {**EVENT, **changed}.items() if value is not ...})
    assert list(found) == [field]
    assert says in found[field]


def test_all_reasons_come_together() -> None:
    assert set(reasons({"data": {"id": "one"}})) == {"specversion", "id", "source", "type"}
    assert "a CloudEvent is a JSON object" in reasons(["x"])[""]


def test_headers_and_body_are_an_event_in_the_binary_mode() -> None:
    headers = {
        "Content-Type": "application/json",
        "Ce-Specversion": "1.0",
        "ce-id": '"A \\"1\\""',
        "ce-source": "/caf%C3%A9",
        "ce-type": "com.voipbin.call.status",
    }
    lower = {name.lower(): value for name, value in headers.items()}
    assert is_binary(lower)
    assert not is_binary({"content-type": "application/json"})
    event = binary_event(lower, b'{"id": "one"}')
    assert event == {
        "specversion": "1.0",
        "id": 'A "1"',
        "source": "/café",
        "type": "com.voipbin.call.status",
        "data": {"id": "one"},
    }
    assert read(event).idempotency_key == 'cloudevent:/café A "1"'


@pytest.mark.parametrize(
    ("headers", "body", "field"),
    [
        ({"ce-id": "%ff"}, b"{}", "ce-id"),
        ({"content-type": "text/plain"}, b"{}", "Content-Type"),
        ({}, b"{", "data"),
    ],
)
def test_what_cannot_be_decoded_is_refused(headers: dict[str, str], body: bytes, field: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        binary_event({"ce-specversion": "1.0", **headers}, body)
    assert [problem.field for problem in caught.value.problems] == [field]


FRAME: dict[str, Any] = {
    "event_type": "call.status",
    "timestamp": "2024-01-15T10:30:00.000000Z",
    "topic": f"agent_id:{AGENT}:call:a:b",
    "data": {"id": "a:b"},
    "id": "0c4f3c9e-2f5f-4f0f-9a51-4b0c6b6a7a10",
    "cursor": "7d0c7b1e52aa.1",
}
WRITTEN: dict[str, Any] = {
    "specversion": "1.0",
    "id": FRAME["id"],
    "source": f"/v1.0/customers/{CUSTOMER}",
    "type": "com.voipbin.call.status",
    "subject": FRAME["topic"],
    "time": FRAME["timestamp"],
    "datacontenttype": "application/json",
    "resourceid": "a:b",
    "data": FRAME["data"],
    "cursor": FRAME["cursor"],
}
SITE = "https://ws.example.com"
SCHEMA = {"dataschema": f"{SITE}/v1.0/event-types/call.status"}


@pytest.mark.parametrize(
    ("more", "site", "added"),
    [
        ({}, "", {}),
        ({}, SITE, SCHEMA),
        ({"left": True}, SITE, {"left": True}),
        ({"event_type": "call.foo"}, SITE, {"type": "com.voipbin.call.foo"}),
        ({"active": False}, "", {"active": False}),
        ({"agent_ids": [AGENT, CUSTOMER]}, "", {"agentids": f"{AGENT},{CUSTOMER}"}),
        ({"agent_ids": []}, "", {"agentids": ""}),
        (
            {"phase": ["talking", "2024-01-15T10:30:00.000000Z"]},
            "",
            {"phase": "talking", "phasesince": "2024-01-15T10:30:00.000000Z"},
        ),
    ],
)
def test_each_field_of_a_frame_has_its_attribute(
    more: dict[str, Any], site: str, added: dict[str, Any]
) -> None:
    written = write({**FRAME, **more}, CUSTOMER, site)
    assert written == {**WRITTEN, **added}
    assert list(written)[-1] == "cursor"


def test_an_entry_is_written_for_the_topic_that_receives_it() -> None:
    entry = make_entry(
        seq=1,
        epoch="7d0c7b1e52aa",
        event_id=FRAME["id"],
        event_type="call.status",
        timestamp=parse_timestamp(FRAME["timestamp"]),
        topics=(f"customer_id:{CUSTOMER}:call:a:b", FRAME["topic"]),
        body='{"id": "a:b"}',
    )
    text = write_text(entry.frame(FRAME["topic"]), CUSTOMER)
    assert json.loads(text) == WRITTEN
    assert text.endswith(', "cursor": "7d0c7b1e52aa.1"}')
    assert json.loads(write_text(entry.frame(FRAME["topic"], Form.LEFT), CUSTOMER))["left"] is True


def test_a_format_is_cloudevents_or_none() -> None:
    assert [is_cloud_events(value) for value in ("cloudevents", "", None)] == [True, False, False]
    with pytest.raises(ValueError, match="the format is cloudevents"):
        is_cloud_events("xml")
