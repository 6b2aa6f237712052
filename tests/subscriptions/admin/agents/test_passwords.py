"""Passwords of invitations and on the forms of users."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from subscriptions.accounts.invitations import accept, find_invitation, invite
from subscriptions.auth import password_hashing
from subscriptions.models import Agent
from tests.subscriptions.support.admin_client import superuser
from tests.subscriptions.support.people import agent, customer

PASSWORD = "correct horse 3"


@pytest.fixture
def in_transaction(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each hash was made inside a transaction."""
    found: list[bool] = []
    run = password_hashing.hashing.run

    def watched(work: Any) -> str:
        found.append(connection.in_atomic_block)
        return run(work)

    monkeypatch.setattr(password_hashing.hashing, "run", watched)
    return found


@pytest.mark.django_db(transaction=True)
def test_a_password_is_hashed_before_the_transaction_of_an_invitation(in_transaction: list[bool]) -> None:
    mary = agent(customer())
    found = find_invitation(invite(mary, timezone.now()))
    in_transaction.clear()
    accept(found, PASSWORD)
    assert in_transaction == [False]
    assert Agent.objects.get(pk=mary.pk).user.check_password(PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_a_password_is_hashed_before_the_transaction_of_the_users_form(in_transaction: list[bool]) -> None:
    chief = superuser()
    in_transaction.clear()
    form = {
        "username": "nina",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert chief.post("/admin/auth/user/add/", form).was_saved
    assert in_transaction == [False]
    nina = User.objects.get(username="nina")
    assert nina.check_password(PASSWORD)
    form = {"username": "otto", "usable_password": "false"}
    assert chief.post("/admin/auth/user/add/", form).was_saved
    assert not User.objects.get(username="otto").has_usable_password()
    page = chief.post("/admin/auth/user/add/", {"username": "paul", "password1": "paul", "password2": "paul"})
    assert "too short" in page.text
    form = {"password1": f"{PASSWORD}4", "password2": f"{PASSWORD}4", "usable_password": "true"}
    in_transaction.clear()
    assert chief.post(f"/admin/auth/user/{nina.pk}/password/", form).was_saved
    assert in_transaction == [False]
