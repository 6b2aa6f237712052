"""Messages sent through the platform: permissions, validation, and opt-outs."""

from __future__ import annotations

from typing import Any

import pytest

from subscriptions.models import OptOut
from tests.events.support.people import Company
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
