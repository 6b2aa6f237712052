"""The catalogue of event types: its examples, schemas, and the events of the simulator and of VoIPBIN."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from events.domain.topics import known_resources
from events.domain.voipbin_webhooks import EVENT_TYPES as OF_WEBHOOKS
from events.domain.voipbin_webhooks import translate
from events.event_types.catalogue import AGENT, EVENT_TYPES
from events.event_types.client_types import python_types, typescript_types
from events.event_types.fields import Field, time
from events.event_types.schema import schema_of
from events.event_types.validation import Mismatch, mismatches
from tests.support.processes import ROOT
from tests.voipbin_ws.demo.simulation.support.simulated_days import PROFILES, PUBLISHED_TYPES, day

WEBHOOKS = [
    json.loads(line)
    for line in (ROOT / "tests/fixtures/voipbin_webhooks.jsonl").read_text().splitlines()
    if line
]
TYPES = pytest.mark.parametrize("name", EVENT_TYPES)


@TYPES
def test_an_example_is_complete_and_valid_by_both(name: str) -> None:
    example = EVENT_TYPES[name].example
    assert mismatches(name, example) == []
    schema = schema_of(EVENT_TYPES[name])
    jsonschema_rs.meta.validate(schema)
    jsonschema_rs.validator_for(schema).validate(example)


@TYPES
def test_a_field_of_another_kind_is_refused_by_both(name: str) -> None:
    validator = jsonschema_rs.validator_for(schema_of(EVENT_TYPES[name]))
    for field in EVENT_TYPES[name].fields:
        if field.kind == "any":
            continue
        wrong: Any = 1 if field.kind in ("string", "object", "boolean") else "1"
        data = {"id": AGENT, field.name: wrong}
        assert [each.path for each in mismatches(name, data)] == [f"data.{field.name}"]
        assert not validator.is_valid(data)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_every_event_of_the_simulator_is_as_agreed(profile: Any) -> None:
    for event in day("types", 30, profile):
        assert mismatches(event.event_type, event.data) == [], event


@pytest.mark.parametrize("webhook", WEBHOOKS, ids=lambda webhook: webhook["type"])
def test_every_webhook_of_voipbin_is_as_agreed(webhook: dict[str, Any]) -> None:
    item = translate(webhook, resources=known_resources())
    assert mismatches(item["event_type"], item["data"]) == []


def test_every_published_event_type_is_there() -> None:
    assert EVENT_TYPES.keys() >= PUBLISHED_TYPES
    assert set(OF_WEBHOOKS.values()) <= EVENT_TYPES.keys()


@pytest.mark.parametrize(
    ("event_type", "data", "wanted"),
    [
        ("call.created", {}, Mismatch("data.id", "required: The call.")),
        ("call.created", {"id": None}, Mismatch("data.id", "write a string, or leave it out: it is null")),
        ("call.created", {"id": "c", "agent_id": "anna"}, Mismatch("data.agent_id", "write a UUID")),
        (
            "call.created",
            {"id": "c", "tm_create": "today"},
            Mismatch("data.tm_create", "write a time such as 2024-01-15T10:30:00.000000Z"),
        ),
        (
            "call.created",
            {"id": "c", "source": {"type": "tel", "target": 1}},
            Mismatch("data.source.target", "write a string"),
        ),
        (
            "queue.joined",
            {"queue_id": "q", "position": True},
            Mismatch("data.position", "write a whole number"),
        ),
        (
            "queue.joined",
            {"queue_id": "q", "position": 1.5},
            Mismatch("data.position", "write a whole number"),
        ),
        (
            "agent.moved",
            {},
            Mismatch("event_type", "agent.moved has no agreed data: there are agent.status, agent.presence"),
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_is_right(
    event_type: str, data: dict[str, Any], wanted: Mismatch
) -> None:
    assert mismatches(event_type, data) == [wanted]


@pytest.mark.parametrize(
    ("event_type", "data"),
    [
        ("email.created", {"id": 1}),
        ("agent.test", {}),
        ("call.created", {"id": "c", "agent_id": None, "further": object(), "status": "an unknown one"}),
        ("activeflow.completed", {"id": "f", "result": {"any": "thing"}}),
        ("activeflow.completed", {"id": "f", "result": None}),
        ("message.sent", {"id": "m", "automatic": True}),
    ],
)
def test_what_is_not_agreed_may_be_anything(event_type: str, data: dict[str, Any]) -> None:
    assert mismatches(event_type, data) == []


def test_a_later_field_names_its_version() -> None:
    from dataclasses import replace

    from events.event_types.fields import EventType

    later = replace(time("tm_later", "Later.", None), since="1.1")
    lists = Field("tags", "array", "Some.", ["a"])
    schema = schema_of(EventType("call.created", "", (later, lists)))
    assert schema["properties"]["tm_later"]["x-since"] == "1.1"
    assert schema["properties"]["tags"]["type"] == "array"


def test_the_clients_types_are_those_of_the_catalogue() -> None:
    hint = "run: manage.py write_client_types"
    assert (ROOT / "clients/python/src/voipbin_ws_client/event_types.py").read_text() == python_types(), hint
    assert (ROOT / "clients/javascript/types/event-types.d.ts").read_text() == typescript_types(), hint
