"""Removing an agent's access in the admin: signing out, switching off, deleting."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from subscriptions.auth.authentication import identify
from subscriptions.auth.credentials import BadCredential
from subscriptions.auth.tokens import issue_token
from subscriptions.models import AccessKey, Agent, Customer, Queue
from tests.subscriptions.support.admin_client import AdminClient, address, admin_of, superuser
from tests.subscriptions.support.people import access_key, agent

pytestmark = pytest.mark.django_db


def test_signing_out_everywhere_ends_tokens_and_sessions_but_not_the_login(
    ada: AdminClient, acme: Customer
) -> None:
    other, person = admin_of(acme)
    bystander, _ = admin_of(acme)
    token = issue_token(person)
    page = ada.act("sign_out_everywhere", [person], confirmed=False)
    assert "access keys stay valid" in page.text
    identify(token)
    ada.act("sign_out_everywhere", [person])
    with pytest.raises(BadCredential) as refusal:
        identify(token)
    assert refusal.value.rule == "revoked-token"
    assert other.get("/admin/").status == 302
    assert bystander.get("/admin/").status == 200
    identify(issue_token(Agent.objects.get(pk=person.pk)))


def test_switching_off_refuses_and_switching_on_accepts_again(ada: AdminClient, acme: Customer) -> None:
    person = agent(acme)
    token = issue_token(person)
    ada.act("switch_off", [person])
    with pytest.raises(BadCredential):
        identify(token)
    ada.act("switch_on", [person])
    identify(token)


def test_a_deleted_agents_login_and_keys_go_too(ada: AdminClient, acme: Customer) -> None:
    person = agent(acme)
    access_key(acme, agent=person)
    page = ada.get(address(person, "delete"))
    assert "user and access keys are deleted" in page.text
    assert "Access key" in page.text
    ada.post(address(person, "delete"), {"post": "yes"})
    assert not Agent.objects.filter(pk=person.pk).exists()
    assert not User.objects.filter(pk=person.user_id).exists()
    assert not AccessKey.objects.exists()


def test_a_deleted_admins_history_stays_and_the_login_is_closed(ada: AdminClient, acme: Customer) -> None:
    other, person = admin_of(acme)
    queue = Queue.objects.create(customer=acme, name="Sales")
    other.post(address(queue, "change"), {"name": "Renamed"})
    ada.post(address(person, "delete"), {"post": "yes"})
    user = User.objects.get(pk=person.user_id)
    assert not user.is_active
    assert not user.is_staff
    assert user.username in ada.get(address(queue, "history")).text


def test_a_superuser_survives_the_deletion_of_the_agent(acme: Customer) -> None:
    chief = Agent.objects.create(
        customer=acme, user=User.objects.create_superuser("chief"), name="Chief", role="staff"
    )
    superuser().post(address(acme, "delete"), {"post": "yes"})
    assert not Agent.objects.filter(pk=chief.pk).exists()
    assert User.objects.filter(username="chief", is_active=True).exists()


def test_sessions_of_others_stay_when_one_is_signed_out(acme: Customer) -> None:
    operator, person = admin_of(acme)
    superuser().act("sign_out_everywhere", [person])
    assert operator.get("/admin/").status == 302
    assert Session.objects.count() == 1
