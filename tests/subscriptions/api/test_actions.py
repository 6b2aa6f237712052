"""Platform actions on visible calls, and the error for each kind of failure."""

# Long because the cases of one module stand together.

from __future__ import annotations

from typing import Any

import pytest

from subscriptions.models import AuditRecord
from tests.events.support.people import ANONYMOUS, ClientInfo, Company
from tests.subscriptions.support.platform_server import Platform, unreachable_platform

pytestmark = pytest.mark.django_db(transaction=True)


def call(of: Company, call_id: str = "a-call", *, agent: ClientInfo | None = None, **data: Any) -> str:
    """A live call of a customer, at an agent where one is named; returns its address."""
    event = {"event_type": "call.assigned", "data": {"id": call_id, "status": "ringing", **data}}
    if agent is not None:
        event["data"]["agent_id"] = agent.agent_id
    assert of.key(may_publish=True).post("/v1.0/events", event).status == 201
    return f"/v1.0/calls/{call_id}"


def test_an_agent_accepts_its_call(theirs: Platform) -> None:
    acme = Company()
    ann = acme.person()
    theirs.answers = [(200, {"status": "answered"})]
    answer = ann.post(f"{call(acme, agent=ann)}/accept", {})
    assert answer.status == 200, answer.text
    assert answer.body == {"call_id": "a-call", "action": "accept", "platform": {"status": "answered"}}
    order = {"customer_id": acme.id, "agent_id": ann.agent_id}
    assert theirs.requests == [("POST", "/v1.0/calls/a-call/accept", order, None)]


def test_actions_are_recorded_before_they_are_sent_and_once_more_if_they_fail(theirs: Platform) -> None:
    acme = Company()
    ann = acme.person()
    address = call(acme, agent=ann)
    theirs.answers = [(200, {}), (409, {"message": "no"})]
    assert ann.post(f"{address}/transfer", {"to": {"type": "queue", "id": "sales"}}).status == 200
    assert ann.post(f"{address}/hangup", "").status == 409
    sent, hung_up, failed = AuditRecord.objects.filter(action="act").order_by("pk")
    assert [each.verdict for each in (sent, hung_up, failed)] == ["granted", "granted", "refused"]
    assert sent.detail == "transfer to queue sales"
    assert sent.topic == f"customer_id:{acme.id}:call:a-call"
    assert (str(sent.customer_id), str(sent.agent_id), sent.address) == (acme.id, ann.agent_id, "127.0.0.1")
    assert failed.detail.startswith("hangup: ")


def test_an_id_with_signs_reaches_the_platform_as_it_is(theirs: Platform) -> None:
    acme = Company()
    ann = acme.person()
    assert ann.post(f"{call(acme, 'a/b=c~d', agent=ann)}/hangup", "").status == 200
    assert theirs.requests[0][1] == "/v1.0/calls/a%2Fb%3Dc~d/hangup"


def test_a_transfer_says_where_to(theirs: Platform) -> None:
    acme = Company()
    ann = acme.person()
    address = f"{call(acme, agent=ann)}/transfer"
    for to in ({"type": "queue", "id": "sales"}, {"type": "tel", "id": "+15550100"}):
        assert ann.post(address, {"to": to}).status == 200
        assert theirs.requests.pop()[2]["to"] == to
    bad: list[Any] = [
        None,
        "sales",
        {},
        {"type": "queue"},
        {"type": "moon", "id": "x"},
        {"type": "tel", "id": "x"},
    ]
    bad += [{"type": "queue", "id": 7}, {"type": "queue", "id": ""}, {"type": ["queue"], "id": "x"}]
    for to in bad:
        answer = ann.post(address, {"to": to})
        assert (answer.status, answer.body["errors"][0]["field"]) == (400, "to")
    assert ann.post(address, "").status == 400
    assert theirs.requests == []


def test_an_invisible_call_is_answered_like_a_missing_one(theirs: Platform) -> None:
    acme, globex = Company(), Company("Globex")
    ann, bob = acme.person(), acme.person()
    anns = call(acme, agent=ann)
    strangers = (bob, globex.person("admin"), globex.key(may_publish=True))
    answers = [who.post(f"{path}/hangup", "") for who in strangers for path in (anns, "/v1.0/calls/none")]
    assert {(answer.status, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert ANONYMOUS.post(f"{anns}/hangup", "").status == 401
    assert acme.key().post(f"{anns}/hangup", "").status == 403
    assert acme.key(may_publish=True, may_subscribe=False).post(f"{anns}/hangup", "").status == 403
    assert theirs.requests == []


def test_an_identity_that_sees_all_calls_may_act_on_all(theirs: Platform) -> None:
    acme = Company()
    address = call(acme, agent=acme.person())
    staff = Company("Platform").person("staff")
    for who in (acme.person("manager"), acme.person(granted_resources=["call"]), acme.key(may_publish=True)):
        assert who.post(f"{address}/voicemail", "").status == 200
    assert staff.post(f"{address}/voicemail", "").status == 404
    assert staff.post(f"{address}/voicemail?customer_id={acme.id}", "").status == 200
    assert {body["customer_id"] for _, _, body, _ in theirs.requests} == {acme.id}
    assert acme.key(may_publish=True).post(f"{address}/accept", "").status == 403


def test_a_call_with_another_agent_or_over_is_refused(theirs: Platform) -> None:
    acme = Company()
    ann, bob = acme.person(), acme.person()
    address = call(acme, agent=ann)
    call(acme, agent=bob)
    answer = ann.post(f"{address}/hangup", "")
    assert (answer.status, answer.body["code"]) == (409, "NOT_YOUR_CALL")
    assert bob.post(f"{address}/hangup", "").status == 200
    ended = {"event_type": "call.ended", "data": {"id": "a-call", "status": "hangup"}}
    acme.key(may_publish=True).post("/v1.0/events", ended)
    answer = bob.post(f"{address}/hangup", "")
    assert (answer.status, answer.body["code"]) == (409, "CALL_OVER")
    assert len(theirs.requests) == 1


def test_what_is_no_action_and_what_is_no_body_is_refused(theirs: Platform) -> None:
    acme = Company()
    ann = acme.person()
    address = call(acme, agent=ann)
    assert ann.post(f"{address}/explode", "").status == 404
    assert ann.get(f"{address}/accept").status == 405
    for body in ("{", "[]", {"to": 1}, b"\xff"):
        assert ann.post(f"{address}/accept", body).status == 400
    assert ann.post(f"{address}/accept", "x" * 20_000).status == 413
    assert theirs.requests == []


@pytest.mark.parametrize(
    ("answer", "status", "code", "says"),
    [
        ((409, {"message": "It rings no more"}), 409, "PLATFORM_REFUSED", "It rings no more"),
        ((404, {"error": {"message": "No such call"}}), 409, "PLATFORM_REFUSED", "No such call"),
        ((403, {"error": "Not you"}), 409, "PLATFORM_REFUSED", "Not you"),
        ((400, b"<html>"), 409, "PLATFORM_REFUSED", "400"),
        ((401, {}), 502, "PLATFORM_UNAVAILABLE", "PLATFORM_API_KEY"),
        ((500, {"message": "Oh dear"}), 502, "PLATFORM_UNAVAILABLE", "Oh dear"),
        ((503, b""), 502, "PLATFORM_UNAVAILABLE", "503"),
        ((302, {}), 502, "PLATFORM_UNAVAILABLE", "302"),
        ((0, None), 502, "PLATFORM_UNAVAILABLE", "before you try again"),
        ((-1, None), 504, "PLATFORM_TIMEOUT", "within 0.5 s"),
    ],
)
def test_each_failure_has_its_own_code(
    theirs: Platform, settings: Any, answer: Any, status: int, code: str, says: str
) -> None:
    settings.PLATFORM_ANSWER_SECONDS = 0.5
    acme = Company()
    ann = acme.person()
    theirs.answers = [answer]
    answer = ann.post(f"{call(acme, agent=ann)}/accept", "")
    assert (answer.status, answer.body["code"]) == (status, code)
    assert says in answer.body["message"]


@pytest.mark.parametrize("answer", [b"[]", b"not json", b'{"text": "' + b"x" * 100_000 + b'"}', b""])
def test_a_yes_counts_whatever_its_body_is(theirs: Platform, answer: bytes) -> None:
    acme = Company()
    ann = acme.person()
    theirs.answers = [(200, answer)]
    answer = ann.post(f"{call(acme, agent=ann)}/accept", "")
    assert (answer.status, answer.body["platform"]) == (200, {})


def test_without_a_platform_it_is_said_before_and_at_the_act(settings: Any) -> None:
    settings.PLATFORM_API_URLS = {}
    acme = Company()
    ann = acme.person()
    answer = ann.get("/v1.0/actions").body
    assert (answer["available"], answer["call"], answer["message"]) == (False, [], False)
    assert "PLATFORM_API_URL" in answer["reason"]
    answer = ann.post(f"{call(acme, agent=ann)}/accept", "")
    assert (answer.status, answer.body["code"]) == (501, "NO_PLATFORM")
    settings.PLATFORM_API_URLS = {"": unreachable_platform()}
    answer = ann.post(f"{call(acme, agent=ann)}/accept", "")
    assert (answer.status, answer.body["code"]) == (502, "PLATFORM_UNAVAILABLE")
    assert "nothing was done" in answer.body["message"]


def test_the_available_actions_are_returned(theirs: Platform, settings: Any) -> None:
    acme, globex = Company(), Company("Globex")
    everything = {
        "available": True,
        "reason": None,
        "call": ["accept", "transfer", "voicemail", "hangup"],
        "agent": [],
    }
    assert acme.person(granted_resources=["message"]).get("/v1.0/actions").body == everything | {
        "message": True
    }
    assert acme.person().get("/v1.0/actions").body == everything | {"message": False}
    for role in ("manager", "admin", "staff"):
        assert acme.person(role).get("/v1.0/actions").body == everything | {
            "message": True,
            "agent": ["status", "sign-out"],
        }
    assert "may only watch" in acme.key().get("/v1.0/actions").body["reason"]
    settings.PLATFORM_API_URLS = {globex.id: theirs.url}
    assert not acme.person().get("/v1.0/actions").body["available"]
    assert globex.person().get("/v1.0/actions").body["available"]
