"""An agent's status chosen in the admin, published and stored as over REST."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from subscriptions.models import Agent, Customer
from tests.subscriptions.admin.agents.test_pages import form_of
from tests.subscriptions.api.test_agent_status import published
from tests.subscriptions.support.admin_client import AdminClient, address, admin_of, superuser
from tests.subscriptions.support.people import agent
from tests.subscriptions.support.platform_server import platform

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(acme: Customer) -> tuple[AdminClient, Agent]:
    return admin_of(acme)


def set_status(operator: AdminClient, person: Agent, status: str, **fields: Any) -> Any:
    return operator.post(address(person, "change"), form_of(person, status=status, **fields), follow=True)


def test_it_is_published_with_what_it_was_and_who_chose_it(
    people: tuple[AdminClient, Agent], acme: Customer
) -> None:
    (operator, ada), person, before = people, agent(acme), timezone.now()
    set_status(operator, person, "available", name="Renamed")
    person.refresh_from_db()
    assert (person.name, person.status, person.status_changed_at >= before) == ("Renamed", "available", True)
    [published_event] = published()
    assert (published_event["agent_id"], published_event["name"]) == (str(person.pk), "Renamed")
    assert (published_event["previous_status"], published_event["status"]) == ("offline", "available")
    assert published_event["set_by"] == str(ada.pk)
    set_status(superuser(), person, "away")
    assert [each["set_by"] for each in published()] == [str(ada.pk), None]


def test_saving_anything_else_publishes_nothing(people: tuple[AdminClient, Agent], acme: Customer) -> None:
    person = agent(acme)
    set_status(people[0], person, "offline", name="Renamed")
    assert published() == []


def test_what_follows_from_calls_cannot_be_chosen_and_stays_where_it_is(
    people: tuple[AdminClient, Agent], acme: Customer
) -> None:
    operator, person = people[0], agent(acme)
    refused = operator.post(address(person, "change"), form_of(person, status="busy"))
    assert "Select a valid choice" in refused.errors[0]
    Agent.objects.filter(pk=person.pk).update(status="busy")
    set_status(operator, person, "busy", name="Renamed")
    person.refresh_from_db()
    assert (person.name, person.status, published()) == ("Renamed", "busy", [])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((409, {"message": "Not now"}), "is still offline: The platform refuses: Not now"),
        ((200, {"status": "busy", "next_status": "away"}), "will be away after the present call"),
    ],
)
def test_the_platform_gets_the_request_first(
    people: tuple[AdminClient, Agent], acme: Customer, settings: Any, answer: tuple[int, Any], said: str
) -> None:
    person = agent(acme)
    with platform() as theirs:
        settings.PLATFORM_API_URLS = {"": theirs.url}
        theirs.answers = [answer]
        page = set_status(people[0], person, "away", name="Renamed")
    assert [request[:2] for request in theirs.requests] == [("PUT", f"/v1.0/agents/{person.pk}/status")]
    assert any(said in message for message in page.messages)
    person.refresh_from_db()
    assert (person.name, person.status, published()) == ("Renamed", "offline", [])
