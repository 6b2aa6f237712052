"""Invitations: made by an operator, used once by the person, and what their links say when they are over."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from subscriptions.accounts.invitations import InvalidInvitation, accept, find_invitation, invite
from subscriptions.auth.authentication import identify
from subscriptions.auth.credentials import BadCredential
from subscriptions.auth.tokens import issue_token
from subscriptions.control.bulk_import import import_lines
from subscriptions.control.controller import Controller
from subscriptions.models import Agent, AuditRecord, Invitation
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _passwords_are_hashed_fast(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def post(path: str, credential: str = "", **content: Any) -> Any:
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    return Client(headers=headers).post(path, json.dumps(content), "application/json")


def test_an_agent_is_made_without_a_password_and_signs_in_with_the_link() -> None:
    acme = customer()
    _, key = access_key(acme, may_control=True, may_publish=True)
    made = post("/v1.0/control/import", key)  # An empty file creates nothing.
    assert made.status_code == 200
    agent_id = "3f1a9c52-6c1e-4d7b-9a53-0d4c7f2b8e10"
    created = Client(headers={"Authorization": f"Bearer {key}"}).put(
        f"/v1.0/control/agents/{agent_id}", json.dumps({"name": "Ann", "username": "ann"}), "application/json"
    )
    assert created.status_code == 201, created.content
    link = created.json()["invitation_link"]

    def sign_in() -> str:
        address = f"/v1.0/control/agents/{agent_id}"
        shown: str = Client(headers={"Authorization": f"Bearer {key}"}).get(address).json()["sign_in"]
        return shown

    assert created.json()["sign_in"] == sign_in() == "invited"
    Invitation.objects.update(expires_at=timezone.now())
    assert sign_in() == "none"
    Invitation.objects.update(expires_at=timezone.now() + timedelta(days=1))
    origin, _, secret = link.partition("#")
    assert origin == "http://testserver/invitation/"
    assert secret not in str(Invitation.objects.values())
    shown = post("/auth/invitation", invitation=secret).json()
    username = created.json()["username"]
    assert (shown["username"], shown["name"], shown["customer"]) == (username, "Ann", "Acme")
    weak = post("/auth/invitation/accept", invitation=secret, password="12345678")
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (400, "password")
    accepted = post("/auth/invitation/accept", invitation=secret, password=PASSWORD)
    assert accepted.status_code == 200, accepted.content
    assert identify(accepted.json()["token"]).agent_id == agent_id
    assert sign_in() == "password"
    assert post("/auth/login", username=username, password=PASSWORD).status_code == 200
    used = post("/auth/invitation/accept", invitation=secret, password="another horse 1")
    assert (used.status_code, used.json()["message"]) == (
        401,
        "This invitation was used. Sign in with your password, or ask an admin for a new invitation.",
    )
    records = AuditRecord.objects.filter(action__in=["password", "login"]).order_by("pk")
    found = [(each.action, each.verdict, each.rule, each.credential) for each in records]
    who = f"user {username}"
    assert found == [
        ("password", "granted", "password-changed", who),
        ("login", "granted", "invitation", who),
        ("login", "granted", "right-password", who),
        ("login", "refused", "invalid-invitation", ""),
    ]


def test_a_new_invitation_is_a_reset_that_takes_effect_when_it_is_used() -> None:
    acme, globex = customer(), customer(name="Globex")
    ann = agent(acme, password="the old one 1")
    token = issue_token(ann)
    _, key = access_key(acme, may_control=True, may_publish=True)
    url = f"/v1.0/control/agents/{ann.pk}/invitation"
    first, second = (post(url, key).json()["invitation_link"].partition("#")[2] for _ in range(2))
    assert identify(token)
    assert post("/auth/invitation", invitation=first).status_code == 401
    assert post("/auth/invitation/accept", invitation=second, password=PASSWORD).status_code == 200
    with pytest.raises(BadCredential):
        identify(token)
    third = post(url, key).json()["invitation_link"].partition("#")[2]
    revoker = Client(headers={"Authorization": f"Bearer {key}"})
    assert [revoker.delete(url).status_code for _ in range(2)] == [204, 204]
    assert post("/auth/invitation", invitation=third).status_code == 401
    details = AuditRecord.objects.filter(action="change", topic=f"agent:{ann.pk}").values_list(
        "detail", flat=True
    )
    assert [each.rpartition(": ")[2] for each in details.order_by("pk")] == [
        "Invited to set a password.",
        "Invited to set a password.",
        "Invited to set a password.",
        "Invitation revoked.",
    ]
    _, stranger = access_key(globex, may_control=True, may_publish=True)
    assert post(url, stranger).status_code == 404
    boss = agent(acme, "admin")
    _, weaker = access_key(acme, may_control=True)
    refused = post(f"/v1.0/control/agents/{boss.pk}/invitation", weaker)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "role")
    _, secret = access_key(acme, may_control=True, allowed_topics=[f"customer_id:{acme.pk}:call:*"])
    assert post(url, secret).status_code == 403


def test_a_link_that_is_over_says_what_to_do() -> None:
    ann = agent(customer())
    secret = invite(ann, timezone.now() - timedelta(days=8))
    with pytest.raises(InvalidInvitation, match=r"expired\. Ask an admin"):
        find_invitation(secret)
    with pytest.raises(InvalidInvitation, match=r"not valid: there is a newer one"):
        find_invitation("made up")
    secret = invite(ann, timezone.now())
    Agent.objects.filter(pk=ann.pk).update(is_active=False)
    with pytest.raises(InvalidInvitation, match="switched off"):
        find_invitation(secret)
    Agent.objects.filter(pk=ann.pk).update(is_active=True)
    found = find_invitation(secret)
    with pytest.raises(ValidationError):
        accept(found, "short")
    invite(ann, timezone.now())
    with pytest.raises(InvalidInvitation, match="newer one"):
        accept(found, PASSWORD)
    assert not ann.user.has_usable_password()


def test_a_new_password_ends_an_open_invitation() -> None:
    acme = customer()
    ann = agent(acme)
    secret = invite(ann, timezone.now())
    ann.user.set_password(PASSWORD)
    ann.user.save()
    assert post("/auth/invitation", invitation=secret).status_code == 401


def test_links_have_the_public_address_and_not_the_host_of_the_request(settings: Any) -> None:
    """Of invitations and wallboards, alone and imported."""
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://ws.example.com", ["*"]
    acme = customer()
    ann = agent(acme)
    _, key = access_key(acme, may_control=True, may_publish=True)
    browser = Client(headers={"Authorization": f"Bearer {key}", "Host": "evil.example"})
    invited = browser.post(f"/v1.0/control/agents/{ann.pk}/invitation").json()
    wall = {"kind": "display", "label": "Wall"}
    made = browser.post("/v1.0/control/access-keys", json.dumps(wall), "application/json").json()
    line = json.dumps({"resource": "agent", "name": "Bob", "username": "bob"})
    imported = browser.post("/v1.0/control/import", line, "application/x-ndjson")
    links = (invited["invitation_link"], made["link"])
    assert all(link.startswith("https://ws.example.com/") for link in links)
    assert ("https://ws.example.com/invitation/#" in imported.text, "evil" in imported.text) == (True, False)


def test_guessing_links_is_throttled() -> None:
    answers = [post("/auth/invitation", invitation=f"guess {number}") for number in range(60)]
    assert {each.status_code for each in answers} == {401, 429}
    assert answers[-1].headers["Retry-After"]


def test_an_import_gives_the_link_of_each_new_agent() -> None:
    acme = customer()
    text = f"resource,customer_id,name,username\nagent,{acme.pk},Ann,ann\nagent,{acme.pk},Bob,bob\n"
    assert not import_lines(Controller(None), text, dry_run=True).secrets
    assert not Invitation.objects.exists()
    report = import_lines(Controller(None), text, dry_run=False, origin="https://ws.example.com/")
    assert [each.name for each in report.secrets] == ["ann", "bob"]
    for each in report.secrets:
        assert each.text.startswith("https://ws.example.com/invitation/#")
        assert accept(find_invitation(each.text.partition("#")[2]), PASSWORD).user.check_password(PASSWORD)
    assert not import_lines(Controller(None), text, dry_run=False).secrets
