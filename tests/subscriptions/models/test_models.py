"""Stored customers, agents, queues and keys, and the agents who serve a queue."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from subscriptions.models import (
    AccessKey,
    Agent,
    customers_of,
    digest_of,
    validate_resources,
)
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db


def test_of_a_key_only_its_hash_and_a_prefix_are_kept() -> None:
    key, secret = access_key(customer())
    key.refresh_from_db()
    assert key.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert key.prefix == secret[:11]
    assert len(secret) == 35
    stored = " ".join(str(getattr(key, field.attname)) for field in AccessKey._meta.concrete_fields)
    assert secret not in stored
    assert secret[11:] not in stored
    assert secret not in f"{key}{key!r}"


def test_no_two_keys_are_alike() -> None:
    acme = customer()
    assert len({access_key(acme)[1] for _ in range(20)}) == 20
    key, _ = access_key(acme)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessKey.objects.create(customer=acme, label="again", prefix=key.prefix, digest=key.digest)


def test_any_text_has_a_digest() -> None:
    assert len(digest_of("\ud800 \0 é")) == 64


def test_a_key_expires_at_its_moment_and_not_before() -> None:
    now = timezone.now()
    assert AccessKey(expires_at=now).is_expired(now)
    assert not AccessKey(expires_at=now + timedelta(microseconds=1)).is_expired(now)
    assert not AccessKey(expires_at=None).is_expired(now)


def test_a_key_of_another_customers_agent_is_refused() -> None:
    acme, globex = customer(), customer("Globex")
    key, _ = access_key(acme, agent(acme))
    key.full_clean()
    key.agent = agent(globex)
    with pytest.raises(ValidationError, match="another customer"):
        key.full_clean()


@pytest.mark.parametrize("names", [[], ["message"], ["call", "queue"]])
def test_known_resources_can_be_granted(names: list[str]) -> None:
    validate_resources(names)


@pytest.mark.parametrize(
    "names", ["message", None, {"message": 1}, ["*"], ["messages"], [7], [["call"]], [None]]
)
def test_what_is_no_list_of_resources_is_refused(names: Any) -> None:
    with pytest.raises(ValidationError):
        validate_resources(names)


def test_a_resource_of_the_operators_own_can_be_granted(settings: Any) -> None:
    settings.EVENTS_EXTRA_RESOURCES = ["fax"]
    validate_resources(["fax"])


# --- Agents who serve a queue ---


def test_an_agents_customer_is_found_and_an_unknown_agents_is_not() -> None:
    ann = agent(customer())
    unknown = str(uuid.uuid4())
    assert customers_of([str(ann.pk), unknown]) == {str(ann.pk): str(ann.customer_id)}


def test_a_new_agent_has_no_granted_resource() -> None:
    made = Agent.objects.get(pk=agent(customer()).pk)
    assert (made.role, made.granted_resources, made.is_active) == ("agent", [], True)
