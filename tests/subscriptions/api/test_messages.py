"""Messages sent through the platform: permissions, validation, and opt-outs."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from subscriptions.models import Customer, OptOut
from tests.events.support.people import ClientInfo, Company
from tests.subscriptions.support.platform_server import Platform

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+15552004711"


def wrote(of: Company, text: str, number: str = NUMBER, message_id: str = "m") -> None:
    data = {"id": message_id, "source": {"type": "tel", "target": number}, "text": text}
    event = {"event_type": "message.received", "data": data}
    assert of.key(may_publish=True).post("/v1.0/events", event).status == 201


def test_a_message_goes_to_the_platform(theirs: Platform) -> None:
    acme = Company()
    ann = acme.person(granted_resources=["message"])
    theirs.answers = [(201, {"id": "of-the-platform"})]
    answer = ann.post("/v1.0/messages", {"to": NUMBER, "text": "Hello"})
    assert (answer.status, answer.body) == (201, {"to": NUMBER, "platform": {"id": "of-the-platform"}})
    order = {"destinations": [{"type": "tel", "target": NUMBER}], "text": "Hello", "automatic": False}
    assert theirs.requests == [
        ("POST", "/v1.0/messages", {"customer_id": acme.id, "agent_id": ann.agent_id, **order}, None)
    ]


def masked(company: Company) -> Company:
    Customer.objects.filter(pk=company.id).update(masked_roles=["agent", "manager"], region="US")
    return company


def test_a_reply_goes_to_a_number_that_its_writer_never_sees(theirs: Platform) -> None:
    acme = masked(Company())
    ann = acme.person(granted_resources=["message"])
    wrote(acme, "Hello?", "(555) 200-4711")
    sent = {"id": "out", "direction": "outbound", "destination": {"target": "+15552004712"}, "text": "Hi"}
    event = {"event_type": "message.sent", "data": sent}
    assert acme.key(may_publish=True).post("/v1.0/events", event).status == 201
    theirs.answers = [(201, {"to": NUMBER}), (201, {})]
    answer = ann.post("/v1.0/messages", {"reply_to": "m", "text": "Hello!"})
    assert (answer.status, answer.body) == (201, {"to": "+1 ••• 11", "platform": {"to": "+1 ••• 11"}})
    assert ann.post("/v1.0/messages", {"reply_to": "out", "text": "Hello!"}).status == 201
    assert [body["destinations"][0]["target"] for _, _, body, _ in theirs.requests] == [
        NUMBER,
        "+15552004712",
    ]
    # STOP holds for replies, and its refusal does not say the number.
    wrote(acme, "STOP", message_id="m2")
    answer = ann.post("/v1.0/messages", {"reply_to": "m", "text": "Hello!"})
    assert (answer.status, answer.body["code"], "4711" in answer.text) == (409, "OPTED_OUT", False)


def test_only_messages_that_are_visible_can_be_answered(theirs: Platform) -> None:
    acme, globex = masked(Company()), masked(Company("Globex"))
    wrote(acme, "Hello?")
    wrote(acme, "Who am I?", "anonymous", message_id="anonymous")
    wrote(acme, "An offer", "Acme Bank", message_id="named")

    def reply(who: ClientInfo, message_id: str) -> tuple[int, str]:
        answer = who.post("/v1.0/messages", {"reply_to": message_id, "text": "x"})
        return answer.status, answer.body["code"]

    ann = acme.person(granted_resources=["message"])
    assert {reply(globex.person("manager"), "m"), reply(ann, "unknown"), reply(ann, "\n")} == {
        (404, "NOT_FOUND")
    }
    assert {reply(acme.person(), "m"), reply(acme.key(), "m")} == {(403, "PERMISSION_DENIED")}
    limited = acme.key(may_publish=True, filter='{"field": "direction", "op": "eq", "value": "outbound"}')
    assert reply(limited, "m") == (404, "NOT_FOUND")
    assert {reply(ann, "anonymous"), reply(ann, "named")} == {(400, "INVALID_REQUEST")}
    assert theirs.requests == []


def test_messages_are_sent_only_with_the_permission_to_receive_them(theirs: Platform) -> None:
    acme = Company()
    for who in (acme.person(), acme.person(granted_resources=["call"]), acme.key()):
        assert who.post("/v1.0/messages", {"to": NUMBER, "text": "Hello"}).status == 403
    assert theirs.requests == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"to": NUMBER}, "text"),
        ({"to": NUMBER, "text": "  "}, "text"),
        ({"to": NUMBER, "text": "x" * 1601}, "text"),
        ({"to": "the moon", "text": "x"}, "to"),
        ({"to": 7, "text": "x"}, "to"),
        ({"text": "x"}, "to"),
        ({"to": NUMBER, "reply_to": "m", "text": "x"}, "to"),
        ({"reply_to": 7, "text": "x"}, "reply_to"),
        ({"reply_to": None, "text": "x"}, "reply_to"),
        ({"to": NUMBER, "text": "x", "automatic": "yes"}, "automatic"),
    ],
)
def test_what_is_no_message_is_refused(theirs: Platform, body: Any, field: str) -> None:
    answer = Company().person("manager").post("/v1.0/messages", body)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, field)
    assert theirs.requests == []


@pytest.mark.parametrize("text", ["STOP", " stop. ", "Unsubscribe", "“Stop!”"])
def test_no_message_is_sent_between_stop_and_start(theirs: Platform, text: str) -> None:
    acme, globex = Company(), Company("Globex")
    manager, message = acme.person("manager"), {"to": NUMBER, "text": "Hello"}
    wrote(acme, text)
    wrote(acme, "Thanks!", message_id="m2")
    answer = manager.post("/v1.0/messages", message)
    assert (answer.status, answer.body["code"]) == (409, "OPTED_OUT")
    assert theirs.requests == []
    # Of this customer alone.
    assert globex.person("manager").post("/v1.0/messages", message).status == 201
    wrote(acme, "Start", message_id="m3")
    assert manager.post("/v1.0/messages", message).status == 201


@pytest.mark.parametrize("text", ["Don't stop", "Stop by at noon?", "", "x" * 5000])
def test_a_sentence_with_the_keyword_is_not_an_opt_out(theirs: Platform, text: str) -> None:
    acme = Company()
    wrote(acme, text)
    assert acme.person("manager").post("/v1.0/messages", {"to": NUMBER, "text": "Hello"}).status == 201


def test_a_message_without_a_number_opts_no_number_out() -> None:
    acme = Company()
    for source in (None, 7, [], {}, {"target": None}, {"target": ""}, {"target": "x" * 129}, ""):
        data = {"id": "m", "source": source, "text": "STOP"}
        event = {"event_type": "message.received", "data": data}
        assert acme.key(may_publish=True).post("/v1.0/events", event).status == 201
    sent = {"event_type": "message.sent", "data": {"id": "m", "source": NUMBER, "text": "STOP"}}
    acme.key(may_publish=True).post("/v1.0/events", sent)
    assert not OptOut.objects.exists()


SPELLINGS = ["+15552004711", "15552004711", "0015552004711", "tel:+1-555-200-4711", "sip:+15552004711@gw"]
SPELLINGS += ["+1 (555) 200.4711", " \u202a+1\u00a0555\u2011200\u20114711\u202c"]


def write_to(company: Company, number: str) -> int:
    return company.person("manager").post("/v1.0/messages", {"to": number, "text": "Hello"}).status


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_opt_out_holds_for_every_spelling_of_the_number(theirs: Platform, spelling: str) -> None:
    acme, globex = Company(), Company("Globex")
    wrote(acme, "STOP", spelling)
    assert {write_to(acme, number) for number in SPELLINGS[:3]} == {409}
    assert write_to(globex, NUMBER) == 201
    wrote(acme, "START", SPELLINGS[1], message_id="m2")
    assert write_to(acme, NUMBER) == 201


def test_national_numbers_are_those_of_the_customers_region(theirs: Platform) -> None:
    acme, british, nowhere = Company(), Company("British"), Company("Nowhere")
    Customer.objects.filter(pk=acme.id).update(region="US")
    Customer.objects.filter(pk=british.id).update(region="GB")
    for number, spelling in enumerate(["5552004711", "(555) 200-4711", "1-555-200-4711"]):
        wrote(acme, "STOP", spelling, message_id=f"m{number}")
    wrote(british, "STOP", "020 7946 0958")
    wrote(nowhere, "STOP", "(555) 200-4711")
    assert write_to(acme, NUMBER) == 409
    assert OptOut.objects.filter(customer_id=acme.id).count() == 1
    assert (write_to(british, "+442079460958"), write_to(british, NUMBER)) == (409, 201)
    assert (write_to(nowhere, NUMBER), write_to(nowhere, "5552004711")) == (201, 409)
    # A region that is set later does not lose the opt-outs from before.
    Customer.objects.filter(pk=nowhere.id).update(region="US")
    assert write_to(nowhere, "5552004711") == 409


@pytest.mark.parametrize("region", ["us", "XX", "U1"])
def test_an_unknown_region_is_refused(region: str) -> None:
    customer = Customer.objects.get(pk=Company().id)
    customer.region = region
    with pytest.raises(ValidationError, match="such as US or DE"):
        customer.full_clean()
