"""POST /v1.0/events: what is stored, and every reason for which nothing is."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.utils import timezone

from events.domain.event import format_timestamp
from events.log import publish as log_publish
from events.models import CustomerLog, Event
from tests.events.support.people import ANONYMOUS, Company, new_id
from tests.events.support.refusals import refused

pytestmark = pytest.mark.django_db

EVENTS = "/v1.0/events"
CALL: dict[str, Any] = {"event_type": "call.status", "data": {"id": "c", "status": "answered"}}


# --- What is stored ---


def test_one_event_is_answered_by_its_receipt() -> None:
    acme, agent_id = Company(), new_id()
    answer = acme.key(may_publish=True).post(EVENTS, {**CALL, "agent_ids": [agent_id]})
    assert answer.status == 201
    event = Event.objects.get()
    log = CustomerLog.objects.get(customer_id=acme.id)
    assert answer.body == {
        "id": str(event.pk),
        "cursor": f"{log.epoch}.1",
        "topics": [f"customer_id:{acme.id}:call:c", f"agent_id:{agent_id}:call:c"],
        "replayed": False,
    }


def test_a_list_is_answered_by_a_list_even_of_one() -> None:
    publisher = Company().key(may_publish=True)
    assert len(publisher.post(EVENTS, [CALL]).body) == 1
    assert [each["cursor"].split(".")[1] for each in publisher.post(EVENTS, [CALL] * 3).body] == [
        "2",
        "3",
        "4",
    ]


def test_five_hundred_events_are_stored_whole_or_not_at_all() -> None:
    acme = Company()
    publisher = acme.key(may_publish=True)
    events = [{"event_type": "call.status", "data": {"id": f"c{number}"}} for number in range(500)]
    bad = [*events[:499], {"event_type": "call.status", "data": {"status": "answered"}}]
    [error] = refused(publisher.post(EVENTS, bad), 400, "INVALID_EVENT")
    assert (error["index"], error["field"]) == (499, "data.call_id")
    answer = publisher.post(EVENTS, events)
    assert answer.status == 201
    assert list(Event.objects.order_by("seq").values_list("resource_id", flat=True)) == [
        each["data"]["id"] for each in events
    ]


def test_unknown_fields_of_data_and_odd_values_survive() -> None:
    odd = {
        "id": "c",
        "n": [0, -1, 1.5, 1e300, 2**64 - 1, -(2**63)],
        "t": '\u2028 é 😀 " \\ /',
        "d": {"": None},
    }
    acme = Company()
    answer = acme.key(may_publish=True).post(EVENTS, {"event_type": "call.status", "data": odd})
    assert answer.status == 201
    assert acme.key().get(f"{EVENTS}/{answer.body['id']}").body["data"] == odd


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "nonsense",
        "",
    ],
)
def test_what_the_body_calls_itself_does_not_matter(content_type: str) -> None:
    answer = Company().key(may_publish=True).post(EVENTS, CALL, content_type=content_type)
    assert answer.status == 201, answer.text


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "2024-02-29T12:00:00+05:30"])
def test_any_past_time_that_there_is_can_be_stored(moment: str) -> None:
    acme = Company()
    answer = acme.key(may_publish=True).post(EVENTS, {**CALL, "timestamp": moment})
    assert answer.status == 201
    shown = acme.key().get(f"{EVENTS}/{answer.body['id']}").body["timestamp"]
    assert shown.endswith("Z")
    assert shown[:4] == moment[:4]


def test_a_time_in_the_future_is_replaced_by_the_gateways_with_a_warning() -> None:
    acme = Company()
    before = timezone.now()
    near = format_timestamp(before + timedelta(seconds=30))
    answer = acme.key(may_publish=True).post(
        EVENTS, [{**CALL, "timestamp": near}, {**CALL, "timestamp": "9999-12-31T23:59:59.999999Z"}]
    )
    assert answer.status == 201
    kept, replaced = answer.body
    assert "warnings" not in kept
    assert "future" in replaced["warnings"][0]
    times = [acme.key().get(f"{EVENTS}/{each['id']}").body["timestamp"] for each in answer.body]
    assert times[0] == near
    assert format_timestamp(before) <= times[1] <= format_timestamp(timezone.now())


# --- Who may ---


def test_an_admin_and_staff_may_publish_by_their_tokens() -> None:
    acme = Company()
    for role in ("admin", "staff"):
        assert acme.person(role).post(EVENTS, CALL).status == 201


@pytest.mark.parametrize("who", ["agent", "manager", "key", "key of an admin"])
def test_others_may_not(who: str) -> None:
    acme = Company()
    caller = {
        "key": lambda: acme.key(),
        "key of an admin": lambda: acme.key(acme.person("admin")),
    }.get(who, lambda: acme.person(who))()
    refused(caller.post(EVENTS, CALL), 403, "PERMISSION_DENIED")


def test_publishing_needs_a_credential() -> None:
    refused(ANONYMOUS.post(EVENTS, CALL), 401, "UNAUTHORIZED")
    refused(
        Company().key(may_publish=True, revoked_at="2024-01-01T00:00Z").post(EVENTS, CALL),
        401,
        "UNAUTHORIZED",
    )


def test_a_customer_publishes_for_itself_alone() -> None:
    acme, other = Company(), Company("Other")
    publisher = acme.key(may_publish=True)
    events = [CALL, {**CALL, "customer_id": other.id}, {**CALL, "customer_id": new_id()}]
    errors = refused(publisher.post(EVENTS, events), 403, "PERMISSION_DENIED")
    assert [(each["index"], each["field"]) for each in errors] == [(1, "customer_id"), (2, "customer_id")]
    # There or not, it is refused alike.
    assert errors[0]["message"] == errors[1]["message"]
    assert publisher.post(EVENTS, {**CALL, "customer_id": acme.id}).status == 201


def test_staff_publish_for_every_customer() -> None:
    acme, other = Company(), Company("Other")
    answer = acme.person("staff").post(EVENTS, [{**CALL, "customer_id": other.id}, CALL])
    assert [each["topics"][0].split(":")[1] for each in answer.body] == [other.id, acme.id]


# --- Too much ---


def test_more_events_than_a_request_may_hold_are_refused(settings: Any) -> None:
    settings.EVENTS_MAX_IN_REQUEST = 3
    publisher = Company().key(may_publish=True)
    answer = publisher.post(EVENTS, [CALL] * 4)
    refused(answer, 413, "TOO_LARGE")
    assert "3 are the most" in answer.body["message"]
    assert publisher.post(EVENTS, [CALL] * 3).status == 201


def test_a_body_larger_than_allowed_is_refused(settings: Any) -> None:
    body = json.dumps(CALL)
    settings.EVENTS_MAX_REQUEST_BYTES = len(body) - 1
    publisher = Company().key(may_publish=True)
    answer = publisher.post(EVENTS, body)
    refused(answer, 413, "TOO_LARGE")
    assert f"{len(body) - 1} bytes" in answer.body["message"]
    settings.EVENTS_MAX_REQUEST_BYTES = len(body)
    assert publisher.post(EVENTS, body).status == 201


@pytest.mark.parametrize("length", ["9" * 10_000, "-1", "²", "x"])
def test_a_length_that_is_announced_is_believed_or_refused(length: str) -> None:
    answer = Company().key(may_publish=True).post(EVENTS, CALL, content_length=length)
    refused(answer, 413, "TOO_LARGE")


# --- Once for a key ---


def test_a_key_used_for_another_event_is_a_conflict() -> None:
    publisher = Company().key(may_publish=True)
    first = publisher.post(EVENTS, {**CALL, "idempotency_key": "k"})
    again = publisher.post(EVENTS, {**CALL, "idempotency_key": "k"})
    assert (again.status, again.body) == (201, {**first.body, "replayed": True})
    other = {"event_type": "call.status", "data": {"id": "d"}, "idempotency_key": "k"}
    answer = publisher.post(EVENTS, [CALL, other])
    assert (answer.status, answer.body["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    [error] = answer.body["errors"]
    assert (error["index"], error["field"]) == (1, "idempotency_key")
    assert "new key" in error["message"]
    assert Event.objects.count() == 1


# --- When the database fails ---


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, ProgrammingError])
def test_what_the_database_says_is_not_for_the_client(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise error("connection to secret-host failed")

    publisher = Company().key(may_publish=True)
    monkeypatch.setattr(log_publish, "_store", fail)
    answer = publisher.post(EVENTS, CALL)
    refused(answer, 503, "UNAVAILABLE")
    assert answer.headers["Retry-After"] == "1"
    assert "secret-host" not in answer.text
    assert "Traceback" not in answer.text


def test_other_methods_are_refused() -> None:
    client = Company().key(may_publish=True)
    answer = client.post(f"{EVENTS}/{new_id()}", {})
    assert (answer.status, answer.body["code"]) == (405, "METHOD_NOT_ALLOWED")
