"""POST /v1.0/webhooks/voipbin: VoIPBIN's webhooks as they are sent, signed or not."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from events.models import Event
from tests.events.support.people import ANONYMOUS, Company, new_id

pytestmark = pytest.mark.django_db

WEBHOOK = "/v1.0/webhooks/voipbin"
CALL = {"type": "call_progressing", "data": {"id": "c", "status": "progressing", "direction": "incoming"}}
PAYLOADS = (Path(__file__).parents[2] / "fixtures" / "voipbin_webhooks.jsonl").read_text().splitlines()
SECRET = "a secret of the tests"


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_webhook_is_stored_as_an_event_of_the_credentials_customer() -> None:
    acme = Company()
    answer = acme.key(may_publish=True).post(WEBHOOK, CALL)
    assert answer.status == 201
    assert answer.body["topics"] == [f"customer_id:{acme.id}:call:c"]
    frame = acme.key().get(f"/v1.0/events/{answer.body['id']}").body
    assert frame["event_type"] == "call.status"
    assert (frame["data"]["status"], frame["data"]["direction"]) == ("answered", "inbound")


@pytest.mark.parametrize("line", PAYLOADS, ids=lambda line: json.loads(line)["type"])
def test_every_real_webhook_is_taken_with_all_its_fields(line: str) -> None:
    staff = Company().person("staff")
    answer = staff.post(WEBHOOK, line)
    assert answer.status == 201, answer.text
    stored = [json.loads(event.body) for event in Event.objects.all()]
    assert all(set(json.loads(line)["data"]) <= set(each) for each in stored)


def test_a_call_that_hung_up_has_its_status_and_its_end() -> None:
    acme = Company()
    hangup = {"type": "call_hangup", "data": {"id": "c", "status": "hangup", "hangup_reason": "normal"}}
    key = acme.key(may_publish=True)
    answers = [key.post(WEBHOOK, hangup, Idempotency_Key="once") for _ in range(2)]
    assert [(answer.status, answer.body["replayed"]) for answer in answers] == [(201, False), (201, True)]
    first, last = Event.objects.order_by("seq")
    assert (first.event_type, last.event_type) == ("call.status", "call.ended")
    assert first.body == last.body
    assert str(last.pk) == answers[0].body["id"] == answers[1].body["id"]


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"data": {"id": "c"}}, "type", "required"),
        ({"type": 5, "data": {"id": "c"}}, "type", "required"),
        ({"type": "cal_created", "data": {"id": "c"}}, "type", "did you mean call_created?"),
        ({"type": "call_created"}, "data", "required"),
        ({"type": "call_created", "data": {"status": "x"}}, "data.call_id", "missing"),
        ({"type": "call_created", "data": {"id": "c", "customer_id": "acme"}}, "data.customer_id", "UUID"),
        ([CALL], "", "JSON object"),
        (5, "", "JSON object"),
    ],
)
def test_what_is_no_webhook_is_refused_with_reasons(body: Any, field: str, says: str) -> None:
    answer = Company().key(may_publish=True).post(WEBHOOK, body)
    assert (answer.status, answer.body["code"]) == (400, "INVALID_EVENT")
    [error] = answer.body["errors"]
    assert error["field"] == field
    assert says in error["message"]
    assert not Event.objects.exists()


@pytest.mark.parametrize(("body", "says"), [("", "empty"), ("{", "not JSON"), ('{"a": 1, "a": 2}', "twice")])
def test_what_is_no_json_is_refused(body: str, says: str) -> None:
    answer = Company().key(may_publish=True).post(WEBHOOK, body)
    assert (answer.status, answer.body["code"]) == (400, "INVALID_EVENT")
    assert says in answer.body["message"]


def test_another_customers_webhook_is_refused() -> None:
    acme, other = Company(), Company("Other")
    body = {"type": "call_created", "data": {"id": "c", "customer_id": other.id}}
    answer = acme.key(may_publish=True).post(WEBHOOK, body)
    assert (answer.status, answer.body["code"]) == (403, "PERMISSION_DENIED")
    answer = acme.person("staff").post(WEBHOOK, body)
    assert answer.body["topics"] == [f"customer_id:{other.id}:call:c"]


def test_who_may_not_publish_may_not_send_webhooks() -> None:
    acme = Company()
    assert acme.person("manager").post(WEBHOOK, CALL).status == 403
    assert acme.key().post(WEBHOOK, CALL).status == 403
    assert ANONYMOUS.post(WEBHOOK, CALL).status == 401
    assert not Event.objects.exists()


def test_the_credential_may_stand_in_the_address_for_voipbin_sends_no_header() -> None:
    key = Company().key(may_publish=True).credential
    assert ANONYMOUS.post(f"{WEBHOOK}?accesskey={key}", CALL).status == 201


# --- Signed ---


@pytest.fixture
def signed(settings: Any) -> None:
    settings.EVENTS_VOIPBIN_WEBHOOK_SECRET = SECRET


@pytest.mark.usefixtures("signed")
def test_what_was_signed_is_taken() -> None:
    body = json.dumps(CALL).encode()
    answer = Company().key(may_publish=True).post(WEBHOOK, body, x_voipbin_signature=signature(body))
    assert answer.status == 201, answer.text


@pytest.mark.usefixtures("signed")
@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "sha256=",
        "nonsense é",
        signature(json.dumps(CALL).encode(), "another secret"),
        signature(b"another body"),
        signature(json.dumps(CALL).encode()).removeprefix("sha256="),
    ],
)
def test_what_was_not_signed_with_the_secret_is_refused(given: str | None) -> None:
    body = json.dumps(CALL).encode()
    headers = {} if given is None else {"x_voipbin_signature": given}
    answer = Company().key(may_publish=True).post(WEBHOOK, body, **headers)
    assert (answer.status, answer.body["code"]) == (401, "UNAUTHORIZED")
    assert "X-VoIPBIN-Signature" in answer.body["message"]
    assert not Event.objects.exists()


@pytest.mark.usefixtures("signed")
def test_a_signature_is_no_credential() -> None:
    body = json.dumps(CALL).encode()
    assert ANONYMOUS.post(WEBHOOK, body, x_voipbin_signature=signature(body)).status == 401
    assert not Event.objects.exists()


def test_without_a_secret_a_signature_is_not_looked_at() -> None:
    answer = Company().key(may_publish=True).post(WEBHOOK, CALL, x_voipbin_signature="sha256=" + new_id())
    assert answer.status == 201
