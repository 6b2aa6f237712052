"""Passwords on the form of an agent."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from subscriptions.auth import password_hashing
from subscriptions.models import Agent, Customer
from tests.subscriptions.support.admin_client import address, admin_of
from tests.subscriptions.support.people import agent, customer


@pytest.mark.django_db(transaction=True)
def test_a_password_is_hashed_before_the_transaction_of_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    acme: Customer = customer()
    _, ada = admin_of(acme)
    mary = agent(acme)
    in_transaction = []
    run = password_hashing.hashing.run

    def watched(work: Any) -> str:
        in_transaction.append(connection.in_atomic_block)
        return run(work)

    monkeypatch.setattr(password_hashing.hashing, "run", watched)
    browser = Client()
    browser.force_login(ada.user)
    form = {
        "name": "Mary",
        "username": "mary",
        "password": "correct horse 3",
        "password_again": "correct horse 3",
        "role": "agent",
        "is_active": "on",
        "status": "offline",
    }
    assert browser.post(address(mary, "change"), form).status_code == 302
    assert in_transaction == [False]
    assert Agent.objects.get(pk=mary.pk).user.check_password("correct horse 3")
