"""Access keys as credentials: which are accepted, and whose they are."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from subscriptions.auth.authentication import identify
from subscriptions.auth.customer_quotas import quotas_of_customer, rates_of_key
from subscriptions.models import Agent, Customer
from subscriptions.protocol.permissions import Identity, Role
from tests.subscriptions.support.credentials import refused
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Customer:
    return customer()


@pytest.fixture
def ann(acme: Customer) -> Agent:
    return agent(acme, granted_resources=["message"])


def test_a_customers_key_says_whose_it_is(acme: Customer) -> None:
    key, secret = access_key(acme, may_publish=True, may_subscribe=False)
    assert re.fullmatch(r"vb_[A-Za-z0-9]{32}", secret)
    assert identify(secret) == Identity(
        customer_id=str(acme.pk),
        agent_id=None,
        role=None,
        credential=f"key {secret[:11]}",
        credential_id=f"key:{key.pk}",
        may_subscribe=False,
        may_publish=True,
        quotas=quotas_of_customer(acme),
        rates=rates_of_key(key),
    )


@pytest.mark.parametrize("role", list(Role))
def test_an_agents_key_is_the_agents(acme: Customer, role: Role) -> None:
    holder = agent(acme, role.value, granted_resources=["queue"])
    _, secret = access_key(acme, holder)
    found = identify(secret)
    assert (found.agent_id, found.role, found.granted_resources) == (str(holder.pk), role, {"queue"})
    assert found.may_publish is False


def test_an_unknown_key_is_refused(acme: Customer) -> None:
    _, secret = access_key(acme)
    wrong = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    assert refused(wrong).rule == "unknown-key"
    assert refused(secret.upper()).rule == "malformed-credential"
    assert refused("vb_").rule == "unknown-key"


def test_a_revoked_key_is_refused(acme: Customer) -> None:
    _, secret = access_key(acme, revoked_at=timezone.now())
    assert refused(secret).rule == "revoked-key"


def test_a_key_ends_when_it_says(acme: Customer) -> None:
    moment = timezone.now() + timedelta(hours=1)
    key, secret = access_key(acme, expires_at=moment)
    assert identify(secret).expires_at == moment.timestamp()
    key.expires_at = timezone.now()
    key.save()
    assert refused(secret).rule == "expired-key"


def test_the_key_of_an_agent_who_left_the_customer_is_refused(ann: Agent) -> None:
    _, secret = access_key(ann.customer, ann)
    ann.customer = customer("Globex")
    ann.save()
    assert refused(secret).rule == "foreign-agent"


def test_a_keys_last_use_is_written_at_most_once_a_minute(acme: Customer) -> None:
    key, secret = access_key(acme)

    def used() -> tuple[datetime | None, bool]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            identify(secret)
        key.refresh_from_db()
        return key.last_used_at, any(query["sql"].startswith("UPDATE") for query in queries)

    first, wrote = used()
    assert first is not None
    assert wrote
    assert used() == (first, False), "a busy key must not wait for the write lock"
    key.last_used_at = first - timedelta(seconds=61)
    key.save()
    again, wrote = used()
    assert wrote
    assert again is not None
    assert again >= first
