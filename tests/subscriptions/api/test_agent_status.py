"""An agent's status: permissions, the platform, and storing it with its event."""

# Long because the cases of one module stand together.

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.utils import timezone

from events.models import Event
from subscriptions.event_hooks import projection as projections
from subscriptions.models import Agent
from tests.events.support.people import ANONYMOUS, ClientInfo, Company, new_id
from tests.subscriptions.support.platform_server import platform, unreachable_platform

pytestmark = pytest.mark.django_db(transaction=True)


def address(agent: ClientInfo | str) -> str:
    return f"/v1.0/agents/{agent if isinstance(agent, str) else agent.agent_id}/status"


def published() -> list[dict[str, Any]]:
    """The data of all agent.status events, in their order."""
    events = Event.objects.filter(event_type="agent.status").order_by("customer_id", "seq")
    return [json.loads(event.body) for event in events]


def status_of(agent: ClientInfo) -> str:
    return Agent.objects.get(pk=agent.agent_id).status


def status_event(agent: ClientInfo, **data: Any) -> dict[str, Any]:
    return {"event_type": "agent.status", "data": {"agent_id": agent.agent_id, **data}}


def test_an_agent_chooses_and_the_event_has_the_previous_status() -> None:
    acme = Company()
    ann = acme.person()
    before = timezone.now()
    answer = ann.put(address(ann), {"status": "available"})
    assert answer.status == 200, answer.text
    assert (answer.body["agent_id"], answer.body["status"]) == (ann.agent_id, "available")
    assert ann.put(address(ann), {"status": "away"}).status == 200
    stored = Agent.objects.get(pk=ann.agent_id)
    assert (stored.status, stored.status_changed_at >= before) == ("away", True)
    assert [(each["previous_status"], each["status"]) for each in published()] == [
        ("offline", "available"),
        ("available", "away"),
    ]
    assert published()[0]["agent_id"] == ann.agent_id
    # On the customer's topic and on the agent's own.
    event = Event.objects.order_by("-seq")[0]
    assert (str(event.customer_id), event.agent_ids) == (acme.id, ann.agent_id)
    assert ann.get(address(ann)).body["status"] == "away"


def test_what_it_is_already_is_no_change_and_keeps_its_time() -> None:
    ann = Company().person()
    first = ann.put(address(ann), {"status": "away"}).timeless
    assert ann.put(address(ann), {"status": "away"}).timeless == first
    assert len(published()) == 1


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_managers_and_admins_choose_for_their_customers_agents(role: str) -> None:
    acme, globex = Company(), Company("Globex")
    ann, foreign = acme.person(), globex.person()
    assert acme.person(role).put(address(ann), {"status": "away"}).status == 200
    refused = acme.person(role).put(address(foreign), {"status": "away"})
    unknown = acme.person(role).put(address(new_id()), {"status": "away"})
    assert (refused.status, refused.body) == (unknown.status, unknown.body)
    assert refused.status == 404
    assert (status_of(ann), status_of(foreign)) == ("away", "offline")


def test_platform_staff_choose_for_every_agent() -> None:
    ann = Company().person()
    assert Company("Platform").person("staff").put(address(ann), {"status": "away"}).status == 200
    assert status_of(ann) == "away"


def test_nobody_else_chooses_or_looks() -> None:
    acme = Company()
    ann, bob = acme.person(), acme.person()
    for who in (bob, acme.key(), acme.key(bob), acme.key(may_publish=True)):
        for answer in (who.put(address(ann), {"status": "away"}), who.get(address(ann))):
            assert answer.status == 403
            # Whether there is such an agent is not revealed.
        assert who.get(address(new_id())).body == answer.body
    assert ANONYMOUS.put(address(ann), {"status": "away"}).status == 401
    assert acme.key(ann).put(address(ann), {"status": "available"}).status == 200
    assert status_of(ann) == "available"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        {"status": "busy"},
        {"status": "ringing"},
        {"status": 1},
        {"status": None},
        {"stat": "away"},
        {"status": "away", "for": "ever"},
        {"status": ["away"]},
        b"\xff",
    ],
)
def test_what_is_no_choice_is_refused_and_changes_nothing(body: Any) -> None:
    ann = Company().person()
    answer = ann.put(address(ann), body)
    assert answer.status == 400
    assert answer.body["code"] == "INVALID_REQUEST"
    assert (status_of(ann), published()) == ("offline", [])
    assert ann.put(address(ann), b" " * 20_000).status == 413
    assert ann.put(address("not-an-id"), {"status": "away"}).status == 403


def test_the_status_and_its_event_are_stored_both_or_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = Company().person()
    kept = projections.apply

    def fails_after(stored: Any) -> None:
        kept(stored)
        assert status_of(ann) == "away"
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(projections, "apply", fails_after)
    assert ann.put(address(ann), {"status": "away"}).status == 503
    assert (status_of(ann), published()) == ("offline", [])


def test_of_two_who_choose_at_once_each_names_what_the_other_left() -> None:
    ann = Company().person()
    barrier = threading.Barrier(6)

    def choose(status: str) -> None:
        barrier.wait(10)
        try:
            ann.put(address(ann), {"status": status})
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=choose, args=(status,)) for status in ("available", "away", "offline") * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    chain = [(each["previous_status"], each["status"]) for each in published()]
    assert [before for before, _ in chain] == ["offline", *(after for _, after in chain[:-1])]
    assert status_of(ann) == (chain[-1][1] if chain else "offline")


# --- With a platform that carries it out ---


def test_the_platform_gets_the_request_first_even_if_nothing_changes_here(settings: Any) -> None:
    acme = Company()
    ann = acme.person()
    with platform() as theirs:
        settings.PLATFORM_API_URLS, settings.PLATFORM_API_KEY = {"": theirs.url}, "a-key"
        assert ann.put(address(ann), {"status": "available"}).status == 200
        assert ann.put(address(ann), {"status": "available"}).status == 200
        order = {"customer_id": acme.id, "agent_id": ann.agent_id, "status": "available"}
        assert theirs.requests == [("PUT", address(ann), order, "Bearer a-key")] * 2
    assert len(published()) == 1


def test_what_the_platform_refuses_is_not_stored(settings: Any) -> None:
    ann = Company().person()
    with platform() as theirs:
        settings.PLATFORM_API_URLS = {"": theirs.url}
        theirs.answers = [(404, {"message": "No such agent works here"})]
        answer = ann.put(address(ann), {"status": "away"})
    assert (answer.status, answer.body["code"]) == (409, "PLATFORM_REFUSED")
    assert "No such agent works here" in answer.body["message"]
    settings.PLATFORM_API_URLS = {"": unreachable_platform()}
    answer = ann.put(address(ann), {"status": "away"})
    assert (answer.status, answer.body["code"]) == (502, "PLATFORM_UNAVAILABLE")
    assert (status_of(ann), published()) == ("offline", [])


def test_a_busy_agent_changes_once_the_call_is_over_and_the_answer_says_so(settings: Any) -> None:
    acme = Company()
    ann = acme.person()
    acme.key(may_publish=True).post("/v1.0/events", status_event(ann, status="busy"))
    with platform() as theirs:
        settings.PLATFORM_API_URLS = {acme.id: theirs.url}
        theirs.answers = [(200, {"status": "busy", "next_status": "away"})]
        answer = ann.put(address(ann), {"status": "away"})
    assert (answer.status, answer.body["status"], answer.body["next_status"]) == (202, "busy", "away")
    assert status_of(ann) == "busy"
