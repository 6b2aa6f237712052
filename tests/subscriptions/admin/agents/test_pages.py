"""Agents in the admin: made with their logins in one form, and changed."""

# Long because one form has the person, the user and the permissions.

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from subscriptions.accounts.invitations import InvalidInvitation, find_invitation
from subscriptions.auth.authentication import identify
from subscriptions.auth.tokens import issue_token
from subscriptions.control.agents import username_ending
from subscriptions.models import Agent, Customer, Invitation, Queue
from tests.subscriptions.support.admin_client import AdminClient, Page, address, admin_of, superuser
from tests.subscriptions.support.people import agent, customer

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse 1"


@pytest.fixture(autouse=True)
def _passwords_are_hashed_fast(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def form_of(person: Agent | None = None, **fields: Any) -> dict[str, Any]:
    """What the form of an agent sends."""
    new = {
        "name": "Nina",
        "id": str(uuid.uuid4()),
        "username": "nina",
        "role": "agent",
        "status": "offline",
        "is_active": "on",
    }
    if person is not None:
        kept = {
            "name": person.name,
            "username": person.user.username,
            "role": person.role,
            "status": person.status,
        }
        new |= {
            **kept,
            "may_use_admin": "on" if person.user.is_staff else "",
        }
    return {name: value for name, value in {**new, **fields}.items() if value}


def link_in(page: Page) -> str:
    """The secret of the one invitation that a page shows."""
    [secret] = re.findall(r"http://testserver/invitation/#([A-Za-z0-9_-]+)", page.text)
    return str(secret)


def add_agent(operator: AdminClient, **fields: Any) -> Page:
    return operator.post(address(Agent, "add"), form_of(**fields))


def test_one_form_makes_a_person_who_can_log_in(ada: AdminClient, acme: Customer) -> None:
    queue = Queue.objects.create(customer=acme, name="Sales")
    page = add_agent(ada, queues=[str(queue.pk)], granted_resources=["message", "call"])
    assert page.was_saved, page.errors
    nina = Agent.objects.get(name="Nina")
    assert nina.customer == acme
    assert list(nina.queues.all()) == [queue]
    assert sorted(nina.granted_resources) == ["call", "message"]
    accepted = {"invitation": link_in(page), "password": PASSWORD}
    login = Client().post("/auth/invitation/accept", accepted, content_type="application/json")
    assert identify(login.json()["token"]).agent_id == str(nina.pk)
    assert not nina.user.is_staff


def test_platform_staff_choose_an_id_and_others_do_not(ada: AdminClient) -> None:
    own, other = str(uuid.uuid4()), str(uuid.uuid4())
    add_agent(superuser(), id=own)
    assert str(Agent.objects.get(name="Nina").pk) == own
    assert add_agent(ada, name="Nora", username="nora", id=other).was_saved
    assert str(Agent.objects.get(name="Nora").pk) != other


def test_a_form_of_an_admin_does_not_tell_the_names_and_ids_of_other_customers(
    ada: AdminClient, acme: Customer
) -> None:
    stranger = agent(customer(name="Globex"))
    name = stranger.user.username
    assert f'{name}"' not in ada.get(address(Agent, "add")).text
    for username, id_ in ((name, str(stranger.pk)), ("unused", str(uuid.uuid4()))):
        assert add_agent(ada, username=username, id=id_).was_saved
        made = User.objects.get(username__startswith=f"{username}@acme-")
        assert made.agent.customer == acme
    own = agent(acme)
    assert ada.post(address(own, "change"), form_of(own)).was_saved
    own.user.refresh_from_db()
    assert "@" not in own.user.username
    assert ada.post(address(own, "change"), form_of(own, username="renamed")).was_saved
    own.user.refresh_from_db()
    assert own.user.username.startswith("renamed@acme-")


def test_the_user_name_with_its_ending_is_shown_before_and_after_saving(
    ada: AdminClient, acme: Customer
) -> None:
    ending = username_ending(acme)
    assert f"ends with {ending}" in ada.get(address(Agent, "add")).text
    page = ada.post(address(Agent, "add"), form_of(), follow=True)
    assert f"Nina signs in with the user name nina{ending}." in page.messages
    nina = Agent.objects.get(name="Nina")
    assert f'value="nina{ending}"' in ada.open(nina).text
    kept = ada.post(address(nina, "change"), form_of(nina), follow=True)
    assert not any("signs in with" in message for message in kept.messages)
    chief = superuser()
    page = chief.post(
        f"{address(Agent, 'add')}?customer={acme.pk}", form_of(name="Nora", username="nora"), follow=True
    )
    assert not any("signs in with" in message for message in page.messages)
    assert User.objects.filter(username="nora").exists()


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"username": ""}, "required"),
        ({"username": "taken"}, "taken"),
        ({"username": "TAKEN"}, "taken"),
        ({"username": "ni na"}, "valid username"),
        ({"role": "staff"}, "Select a valid choice"),
        ({"role": "king"}, "Select a valid choice"),
        ({"may_use_admin": "on"}, "Only admins"),
        ({"granted_resources": ["sms"]}, "Select a valid choice"),
        ({"queues": [str(uuid.uuid4())]}, "Select a valid choice"),
        ({"username": "n" * 140}, "at most 150"),
        ({"name": "vb_0123456789abcdefghijABCDEFGHIJ12"}, "credential"),
        ({"name": ""}, "required"),
    ],
)
def test_a_person_who_is_described_wrongly_is_not_made(
    ada: AdminClient, acme: Customer, fields: dict[str, Any], word: str
) -> None:
    User.objects.create_user(f"taken{username_ending(acme)}")
    page = add_agent(ada, **fields)
    assert page.status == 200
    assert word in " ".join(page.errors)
    assert not Agent.objects.filter(name="Nina").exists()
    assert not User.objects.filter(username__startswith="nina").exists()


@pytest.mark.parametrize(
    ("id_", "word"),
    [
        ("00000000-0000-0000-0000-000000000000", "nil UUID"),
        ("7", "valid UUID"),
        ("", "already exists"),
    ],
)
def test_an_id_is_used_once(acme: Customer, id_: str, word: str) -> None:
    person = agent(acme)
    assert word in " ".join(add_agent(superuser(), id=id_ or str(person.pk)).errors)
    assert Agent.objects.get(pk=person.pk).name == "Agent"


def test_an_admin_makes_another_admin_who_enters(ada: AdminClient) -> None:
    assert add_agent(ada, role="admin", may_use_admin="on").was_saved
    assert AdminClient(User.objects.get(username__startswith="nina@")).get("/admin/").status == 200


def test_platform_staff_are_made_by_the_platform(acme: Customer) -> None:
    assert add_agent(superuser(), role="staff", may_use_admin="on").was_saved
    assert Agent.objects.get(name="Nina").role == "staff"


def test_an_admin_cannot_make_platform_staff(ada: AdminClient, acme: Customer) -> None:
    person = agent(acme)
    page = ada.post(address(person, "change"), form_of(person, role="staff"))
    assert page.errors
    person.refresh_from_db()
    assert person.role == "agent"


def test_the_form_makes_no_superuser(ada: AdminClient) -> None:
    add_agent(ada, role="admin", may_use_admin="on", is_superuser="on", is_staff="on")
    assert not User.objects.get(username__startswith="nina@").is_superuser


def test_a_person_is_changed_and_what_is_not_named_stays(ada: AdminClient, acme: Customer) -> None:
    person = agent(acme, password=PASSWORD, granted_resources=["message"])
    token = issue_token(person)
    page = ada.post(address(person, "change"), form_of(person, name="Renamed", granted_resources=["message"]))
    assert page.was_saved, page.errors
    person.refresh_from_db()
    assert (person.name, person.granted_resources) == ("Renamed", ["message"])
    assert person.user.check_password(PASSWORD)
    identify(token)


def test_an_operator_invites_anew_and_revokes(ada: AdminClient, acme: Customer) -> None:
    person = agent(acme, password="the old one 1")
    assert "password set" in ada.list(Agent).text
    links = [link_in(ada.act("invite", [person], confirmed=False)) for _ in range(2)]
    assert "invited until" in ada.open(person).text
    with pytest.raises(InvalidInvitation):
        find_invitation(links[0])
    find_invitation(links[1])
    ada.act("revoke_invitations", [person], confirmed=False)
    with pytest.raises(InvalidInvitation):
        find_invitation(links[1])
    history = ada.get(address(person, "history")).text
    assert "Invited to set a password." in history
    assert "Invitation revoked." in history
    assert links[1] not in history


def test_an_operator_invites_nobody_of_another_customer(ada: AdminClient) -> None:
    stranger = agent(customer("Globex"))
    assert "invitation/#" not in ada.act("invite", [stranger], confirmed=False).text
    assert not Invitation.objects.exists()


def test_a_resource_that_is_not_known_any_more_is_shown_and_must_go(ada: AdminClient, acme: Customer) -> None:
    person = agent(acme, granted_resources=["message", "fax"])
    assert "No longer known" in ada.open(person).text
    kept = ada.post(address(person, "change"), form_of(person, granted_resources=["message", "fax"]))
    assert "Not known as resources: fax" in " ".join(kept.errors)
    assert ada.post(address(person, "change"), form_of(person, granted_resources=["message"])).was_saved
    person.refresh_from_db()
    assert person.granted_resources == ["message"]


@pytest.mark.parametrize("fields", [{"is_active": ""}, {"role": "agent"}, {"may_use_admin": ""}])
def test_operators_cannot_lock_themselves_out(acme: Customer, fields: dict[str, str]) -> None:
    operator, ada = admin_of(acme)
    page = operator.post(address(ada, "change"), form_of(ada, **fields))
    assert page.errors
    operator.act("switch_off", [ada])
    assert operator.post(address(ada, "delete"), {"post": "yes"}).status == 403
    assert operator.get("/admin/").status == 200


def test_the_list_of_agents_takes_no_more_queries_for_more_agents(
    acme: Customer, django_assert_max_num_queries: Any
) -> None:
    queue = Queue.objects.create(customer=acme, name="Sales")
    for _ in range(12):
        agent(acme).queues.add(queue)
    operator = superuser()
    with django_assert_max_num_queries(12):
        assert operator.list(Agent).rows == 12
