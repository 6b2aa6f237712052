"""Conversations: the last message of each number, and the messages of one."""

from __future__ import annotations

from typing import Any

import pytest

from events.reading import conversations
from subscriptions.models import Customer
from tests.events.support.people import Company, new_id

pytestmark = pytest.mark.django_db(transaction=True)


def write(of: Company, number: str, text: str, *, name: str = "", out: bool = False, **data: Any) -> None:
    event_type = "message.sent" if out else "message.received"
    side = "destination" if out else "source"
    message = {
        "id": new_id(),
        "direction": "outbound" if out else "inbound",
        side: {"type": "tel", "target": number, "target_name": name},
        "text": text,
        **data,
    }
    assert (
        of.key(may_publish=True).post("/v1.0/events", {"event_type": event_type, "data": message}).status
        == 201
    )


def listed(who: Any, **parameters: str) -> list[tuple[str | None, str]]:
    answer = who.get("/v1.0/conversations", **parameters)
    assert answer.status == 200, answer.text
    return [(each["number"], each["last"]["data"]["text"]) for each in answer.body["items"]]


@pytest.fixture
def acme() -> Company:
    found = Company()
    found.customer.region = "US"
    found.customer.save()
    return found


def test_each_number_is_listed_once_with_its_last_message(acme: Company) -> None:
    gil = acme.person(granted_resources=["message"])
    write(acme, "+15550000001", "one")
    write(acme, "+15550000002", "two")
    write(acme, "+1 555 000 0001", "three", out=True)
    write(acme, "anonymous", "four")
    write(acme, "anonymous", "five")
    write(Company("Globex"), "+15550000001", "foreign")
    assert listed(gil) == [(None, "five"), (None, "four"), ("+15550000001", "three"), ("+15550000002", "two")]
    answer = gil.get("/v1.0/conversations", limit="3")
    assert answer.body["next"]
    assert listed(gil, limit="3", next=answer.body["next"]) == [
        ("+15550000002", "two"),
        ("+15550000001", "one"),
    ]
    message_id = gil.get("/v1.0/conversations").body["items"][2]["last"]["resource_id"]
    event = {"event_type": "message.delivery", "data": {"id": message_id, "status": "delivered"}}
    acme.key(may_publish=True).post("/v1.0/events", event)
    assert gil.get("/v1.0/conversations").body["items"][2]["last"]["data"]["status"] == "delivered"


def test_a_name_of_an_earlier_message_is_that_of_the_conversation(
    acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    gil = acme.person(granted_resources=["message"])
    write(acme, "+15550000001", "one", name="Dana")
    write(acme, "+15550000001", "two", name="Dana Whitfield")
    write(acme, "+15550000001", "three", out=True)
    write(acme, "+15550000002", "four")

    def names(who: Any) -> dict[str, str | None]:
        return {each["number"]: each["name"] for each in who.get("/v1.0/conversations").body["items"]}

    assert names(gil) == {"+15550000001": "Dana Whitfield", "+15550000002": None}
    # Not if the message with the name is none that the key may read, or too far back.
    key = acme.key(filter='{"field": "direction", "op": "eq", "value": "outbound"}')
    assert names(key) == {"+15550000001": None}
    monkeypatch.setattr(conversations, "MAX_ROWS", 2)
    monkeypatch.setattr(conversations, "ROWS_AT_ONCE", 2)
    assert names(gil)["+15550000001"] is None


def test_who_sent_stop_is_marked(acme: Company) -> None:
    gil = acme.person(granted_resources=["message"])
    write(acme, "(555) 000-0001", "STOP")
    write(acme, "+15550000002", "Hello")
    marked = {
        each["number"]: each["opted_out_at"] is not None
        for each in gil.get("/v1.0/conversations").body["items"]
    }
    assert marked == {"+15550000001": True, "+15550000002": False}


def test_conversations_are_found_by_text_name_and_number(acme: Company) -> None:
    gil = acme.person(granted_resources=["message"])
    write(acme, "+15550000001", "Where is my Fahrrad?", name="Jürgen Groß")
    write(acme, "+15550000001", "Thanks")
    write(acme, "+15550000002", "Hello", name="Ana")
    assert listed(gil, search="fahrrad") == [("+15550000001", "Where is my Fahrrad?")]
    assert listed(gil, search=" JÜRGEN GROSS ") == [("+15550000001", "Where is my Fahrrad?")]
    assert listed(gil, search="0000002") == [("+15550000002", "Hello")]
    assert listed(gil, search="nothing") == []
    for wrong in ("", " ", "x" * 101):
        answer = gil.get("/v1.0/conversations", search=wrong)
        assert (answer.status, answer.body["errors"][0]["field"]) == (400, "search")


def test_a_page_looks_at_a_bounded_number_of_messages(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    gil = acme.person(granted_resources=["message"])
    write(acme, "+15550000001", "early")
    for count in range(5):
        write(acme, "+15550000002", f"late {count}")
    monkeypatch.setattr(conversations, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(conversations, "MAX_ROWS", 4)
    answer = gil.get("/v1.0/conversations")
    assert [each["number"] for each in answer.body["items"]] == ["+15550000002"]
    assert listed(gil, next=answer.body["next"])[-1] == ("+15550000001", "early")
    assert listed(gil, search="early") == []


def test_the_messages_of_a_number_are_read_by_any_spelling(acme: Company) -> None:
    gil = acme.person(granted_resources=["message"])
    for number, text in (("+15550000001", "one"), ("(555) 000-0001", "two"), ("1-555-000-0001", "three")):
        write(acme, number, text)
    write(acme, "+15550000002", "other")
    for spelling in ("+15550000001", "5550000001", "(555) 000-0001", "1 555 000 0001"):
        answer = gil.get(f"/v1.0/conversations/{spelling}", order="desc", limit="2")
        assert [each["data"]["text"] for each in answer.body["items"]] == ["three", "two"], spelling
        rest = gil.get(f"/v1.0/conversations/{spelling}", order="desc", limit="2", next=answer.body["next"])
        assert [each["data"]["text"] for each in rest.body["items"]] == ["one"]
    assert gil.get("/v1.0/conversations/+15550000009").body["items"] == []


def test_conversations_need_the_right_to_all_messages(acme: Company) -> None:
    write(acme, "+15550000001", "one")
    narrowed = acme.key(allowed_topics=[f"customer_id:{acme.id}:call:*"])
    for who in (acme.person(), narrowed, acme.key(may_subscribe=False, may_publish=True)):
        for path in ("/v1.0/conversations", "/v1.0/conversations/+15550000001"):
            assert who.get(path).status == 403
    globex = Company("Globex").person("admin")
    assert globex.get("/v1.0/conversations").body["items"] == []
    assert globex.get("/v1.0/conversations/+15550000001").body["items"] == []
    assert globex.get("/v1.0/conversations", customer_id=acme.id).status == 403
    staff = Company("Platform").person("staff")
    assert listed(staff, customer_id=acme.id) == [("+15550000001", "one")]
    found = staff.get("/v1.0/conversations/+15550000001", customer_id=acme.id)
    assert len(found.body["items"]) == 1


def test_a_key_with_a_filter_lists_the_last_message_that_it_matches(acme: Company) -> None:
    write(acme, "+15550000001", "in")
    write(acme, "+15550000001", "out", out=True)
    key = acme.key(filter='{"field": "direction", "op": "eq", "value": "inbound"}')
    assert listed(key) == [("+15550000001", "in")]


def test_a_conversation_is_found_by_a_message_of_a_masked_number(acme: Company) -> None:
    Customer.objects.filter(pk=acme.id).update(masked_roles=["agent"])
    gil = acme.person(granted_resources=["message"])
    write(acme, "+15552004711", "one", id="m1")
    write(acme, "(555) 200-4711", "two", out=True, id="m2")
    write(acme, "+15559999911", "looks alike", id="m3")
    write(acme, "anonymous", "who", id="m4")
    write(acme, "anonymous", "else", id="m5")

    def texts(who: Any, message_id: str) -> list[str] | int:
        answer = who.get(f"/v1.0/messages/{message_id}/conversation", order="desc")
        assert "2004711" not in answer.text
        return (
            [each["data"]["text"] for each in answer.body["items"]] if answer.status == 200 else answer.status
        )

    assert texts(gil, "m1") == texts(gil, "m2") == ["two", "one"]
    assert (texts(gil, "m3"), texts(gil, "m4")) == (["looks alike"], ["who"])
    assert (texts(gil, "unknown"), texts(Company("Globex").person("manager"), "m1")) == (404, 404)
    assert texts(acme.person(), "m1") == 403
    # Nothing is found by the number itself.
    assert texts(gil, "+15552004711") == 403
