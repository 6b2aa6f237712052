"""Notes on calls, and the earlier calls of a caller."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.models import Event, ResourceState
from subscriptions.models import AuditRecord, Customer
from tests.events.support.people import ANONYMOUS, ClientInfo, Company

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+15552004711"


@pytest.fixture
def acme() -> Company:
    found = Company()
    found.customer.dispositions = [{"code": "sold", "label": "Sold"}, {"code": "lost", "label": "Lost"}]
    found.customer.region = "US"
    found.customer.save()
    return found


def publish(of: Company, event_type: str, **data: Any) -> None:
    event = {"event_type": event_type, "data": data}
    assert of.key(may_publish=True).post("/v1.0/events", event).status == 201


def call(
    of: Company, call_id: str, agent: ClientInfo | None = None, number: str = NUMBER, *, over: bool = True
) -> str:
    data = {"id": call_id, "direction": "inbound", "source": {"type": "tel", "target": number}}
    named = {"agent_id": agent.agent_id, "agent_name": "Ann"} if agent else {}
    publish(of, "call.assigned", **data, status="ringing", queue_name="Support", **named)
    publish(of, "call.status", id=call_id, status="answered", tm_answer="2026-01-01T10:00:00Z")
    if over:
        publish(of, "call.ended", id=call_id, status="hangup", duration=73)
    return f"/v1.0/calls/{call_id}"


def test_a_note_is_published_and_kept_with_the_call(acme: Company) -> None:
    ann = acme.person()
    address = call(acme, "one", ann)
    answer = ann.post(f"{address}/note", {"disposition": "sold", "note": "  Wants it blue \n"})
    assert answer.status == 201, answer.text
    event = Event.objects.get(pk=answer.body["event_id"])
    assert (event.event_type, event.resource_id, event.agent_ids) == ("call.noted", "one", ann.agent_id)
    noted = {"disposition": "sold", "note": "Wants it blue"}
    assert json.loads(event.body) == {
        "id": "one",
        "customer_id": acme.id,
        **noted,
        "agent_id": ann.agent_id,
        "agent_name": "agent",
    }
    [item] = ann.get("/v1.0/calls", resource_id="one").body["items"]
    assert item["data"].items() >= noted.items()
    assert (item["active"], item["data"]["agent_name"]) == (False, "Ann")
    record = AuditRecord.objects.get(action="act")
    # Not the note itself: operators who may not see calls read the audit log.
    assert (record.topic, record.detail) == (f"customer_id:{acme.id}:call:one", "note: disposition, note")
    assert ann.post(f"{address}/note", {"disposition": None}).status == 201
    [item] = ann.get("/v1.0/calls", resource_id="one").body["items"]
    assert (item["data"]["disposition"], item["data"]["note"]) == (None, "Wants it blue")


def test_a_note_that_was_read_masked_does_not_destroy_the_stored_one(acme: Company) -> None:
    Customer.objects.filter(pk=acme.id).update(masked_roles=["agent"])
    ann, manager = acme.person(), acme.person("manager")
    address = call(acme, "one", ann)
    assert manager.post(f"{address}/note", {"note": f"Call {NUMBER}"}).status == 201
    [item] = ann.get("/v1.0/calls", resource_id="one").body["items"]
    shown = item["data"]["note"]
    answer = ann.post(f"{address}/note", {"disposition": "sold", "note": f"{shown} at noon"})
    assert (shown, answer.status, answer.body["errors"][0]["field"]) == ("Call +1 ••• 11", 400, "note")
    assert ann.post(f"{address}/note", {"disposition": "sold"}).status == 201
    [item] = manager.get("/v1.0/calls", resource_id="one").body["items"]
    assert (item["data"]["disposition"], item["data"]["note"]) == ("sold", f"Call {NUMBER}")
    # Those who see numbers may write what they like.
    assert manager.post(f"{address}/note", {"note": "Dots: •••"}).status == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "disposition"),
        ({"disposition": "won"}, "disposition"),
        ({"disposition": ["sold"]}, "disposition"),
        ({"note": 1}, "note"),
        ({"note": "x" * 2001}, "note"),
        ({"remark": "x"}, "remark"),
    ],
)
def test_what_is_no_note_is_refused_and_changes_nothing(acme: Company, body: Any, field: str) -> None:
    ann = acme.person()
    address = call(acme, "one", ann)
    answer = ann.post(f"{address}/note", body)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, field)
    assert not Event.objects.filter(event_type="call.noted").exists()


def test_only_who_sees_the_call_and_may_act_notes_it(acme: Company) -> None:
    ann, bob, globex = acme.person(), acme.person(), Company("Globex")
    address = call(acme, "one", ann)
    note = {"note": "mine"}
    missing = bob.post("/v1.0/calls/none/note", note)
    for who in (bob, globex.person("admin"), globex.key(may_publish=True)):
        answer = who.post(f"{address}/note", note)
        assert (answer.status, answer.text) == (404, missing.text)
    assert acme.key().post(f"{address}/note", note).status == 403
    assert ANONYMOUS.post(f"{address}/note", note).status == 401
    assert acme.person("manager").post(f"{address}/note", note).status == 201
    assert acme.key(may_publish=True).post(f"{address}/note", note).status == 201
    staff = Company("Platform").person("staff")
    assert staff.post(f"{address}/note?customer_id={acme.id}", note).status == 201
    # Who noted it does not get the call by that.
    state = ResourceState.objects.get(resource="call", resource_id="one")
    assert json.loads(state.body)["agent_id"] == ann.agent_id


def test_who_has_a_call_reads_the_earlier_calls_of_its_number_with_their_notes(acme: Company) -> None:
    ann, bob = acme.person(), acme.person()
    first = call(acme, "first", ann, "(555) 200-4711")
    assert ann.post(f"{first}/note", {"disposition": "sold", "note": "Wants it blue"}).status == 201
    call(acme, "second", ann)
    call(acme, "another", ann, "+15550009999")
    call(acme, "live", bob, over=False)
    call(Company("Globex"), "foreign")
    answer = bob.get("/v1.0/calls/live/caller")
    assert answer.status == 200, answer.text
    assert answer.body["number"] == NUMBER
    assert [each["call_id"] for each in answer.body["items"]] == ["second", "first"]
    shown = answer.body["items"][1]
    # An agent learns what the caller was told, and not by whom.
    assert (shown["disposition"], shown["note"], shown["agent_name"]) == ("sold", "Wants it blue", None)
    assert (shown["duration_seconds"], shown["queue_name"], shown["is_missed"]) == (73, "Support", False)
    by_manager = acme.person("manager").get("/v1.0/calls/live/caller").body["items"]
    assert {each["agent_name"] for each in by_manager} == {"Ann"}


def test_the_earlier_calls_are_those_that_the_credential_may_see(acme: Company) -> None:
    ann, bob = acme.person(), acme.person()
    call(acme, "first", ann)
    call(acme, "live", bob, over=False)
    narrowed = acme.key(bob, allowed_topics=[f"agent_id:{bob.agent_id}:call:*"])
    assert narrowed.get("/v1.0/calls/live/caller").body["items"] == []
    filtered = acme.key(filter='{"field": "status", "op": "eq", "value": "answered"}')
    assert filtered.get("/v1.0/calls/live/caller").body["items"] == []
    assert ann.get("/v1.0/calls/live/caller").status == 404
    assert Company("Globex").person("admin").get("/v1.0/calls/live/caller").status == 404
    assert ann.get("/v1.0/calls/live/caller", customer_id="x").status == 400


def test_a_withheld_number_has_no_earlier_calls(acme: Company) -> None:
    ann = acme.person()
    for call_id in ("one", "two"):
        call(acme, call_id, ann, "Anonymous")
    assert ann.get("/v1.0/calls/two/caller").timeless == {"number": None, "items": []}


def test_durations_that_are_not_known_are_null(acme: Company) -> None:
    ann = acme.person()
    call(acme, "now", ann, over=False)
    source = {"type": "tel", "target": NUMBER}
    for call_id, answered in (("a", None), ("b", "yesterday"), ("c", "2026-01-01T10:00:00Z")):
        publish(
            acme, "call.ended", id=call_id, status="hangup", source=source, tm_answer=answered, duration=True
        )
    items = ann.get("/v1.0/calls/now/caller").body["items"]
    known = {each["call_id"]: each["duration_seconds"] for each in items}
    assert (known["a"], known["b"]) == (None, None)
    assert known["c"] > 0
    assert {each["is_missed"] for each in items} == {True}
