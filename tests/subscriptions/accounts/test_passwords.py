"""What counts as a new password of a person."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.contrib.auth.models import User

from subscriptions.auth.authentication import identify
from subscriptions.auth.credentials import BadCredential
from subscriptions.auth.tokens import issue_token
from subscriptions.models import Agent, AuditRecord
from tests.subscriptions.support.people import agent, customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def mary() -> Agent:
    return agent(customer(), password="correct horse 1")


def set_with_the_hash(user: Any) -> None:
    user.password = make_password("another horse 2")
    user.save()


def set_unusable(user: Any) -> None:
    user.set_unusable_password()
    user.save()


def set_alone(user: Any) -> None:
    user.set_password("another horse 2")
    user.save(update_fields=["password"])


@pytest.mark.parametrize("change", [set_with_the_hash, set_unusable, set_alone])
def test_a_new_password_ends_tokens_however_it_is_stored(mary: Agent, change: Any) -> None:
    token, bystander = issue_token(mary), issue_token(agent(customer("Globex")))
    change(User.objects.get(pk=mary.user_id))
    with pytest.raises(BadCredential) as refusal:
        identify(token)
    assert refusal.value.rule == "revoked-token"
    identify(bystander)
    identify(issue_token(Agent.objects.get(pk=mary.pk)))
    [record] = AuditRecord.objects.filter(action="password")
    assert (record.topic, record.customer_id) == (f"user:{mary.user_id}", mary.customer_id)
    assert record.credential.startswith("manage.py by ")


def test_a_login_that_renews_the_hash_ends_nothing(mary: Agent) -> None:
    old = PBKDF2PasswordHasher().encode("correct horse 1", "salt", 1000)
    User.objects.filter(pk=mary.user_id).update(password=old)
    token = issue_token(mary)
    assert authenticate(username=mary.user.username, password="correct horse 1") is not None
    assert User.objects.get(pk=mary.user_id).password != old
    identify(token)
    assert not AuditRecord.objects.filter(action="password").exists()


def test_other_changes_of_a_user_end_nothing(mary: Agent) -> None:
    token = issue_token(mary)
    user = User.objects.get(pk=mary.user_id)
    user.first_name = "Mary"
    user.save()
    identify(token)
