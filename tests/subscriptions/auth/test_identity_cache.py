"""The identity cache: as current as reading the rows, with one query if nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from subscriptions.auth.access_keys import revoke
from subscriptions.auth.access_version import bump
from subscriptions.auth.authentication import identify
from subscriptions.auth.client_info import UNKNOWN
from subscriptions.auth.credentials import BadCredential
from subscriptions.auth.identity_cache import MAX_AGE_SECONDS, IdentityCache
from subscriptions.models import AccessKey, Agent
from subscriptions.protocol.permissions import Identity
from tests.events.support.people import Company

pytestmark = pytest.mark.django_db


class Clock:
    """Set by hand."""

    def __init__(self) -> None:
        self.now = timezone.now().timestamp()

    def __call__(self) -> float:
        return self.now


class Door:
    """A cache that is refreshed before each use; `queries` has those of the last use."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.queries = 0
        self._identities = IdentityCache(self.clock)

    def identify(self, credential: str) -> Identity:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            try:
                self._identities.refresh()
                return self._identities.identify(credential, UNKNOWN)
            finally:
                self.queries = len(captured)


@pytest.fixture
def door() -> Door:
    return Door()


def test_who_is_known_costs_one_query(door: Door) -> None:
    secret = Company().key(may_publish=True).credential
    first = door.identify(secret)
    assert door.queries > 1
    assert door.identify(secret) == first == identify(secret)
    assert door.queries == 1


def test_another_credential_is_another_holder(door: Door) -> None:
    acme, globex = Company(), Company("Globex")
    keys = acme.key(), globex.key()
    for _ in range(2):
        assert [door.identify(key.credential).customer_id for key in keys] == [acme.id, globex.id]


def revoke_key(company: Company) -> None:
    revoke(AccessKey.objects.get(), timezone.now())


def delete_key(company: Company) -> None:
    AccessKey.objects.get().delete()


def switch_customer_off(company: Company) -> None:
    company.customer.is_active = False
    company.customer.save()


def switch_agent_off(company: Company) -> None:
    agent = Agent.objects.get()
    agent.is_active = False
    agent.save()


@pytest.mark.parametrize("change", [revoke_key, delete_key, switch_customer_off, switch_agent_off])
def test_who_is_shut_out_is_shut_out_at_once(door: Door, change: Callable[[Company], None]) -> None:
    company = Company()
    secret = company.key(company.person()).credential
    door.identify(secret)
    change(company)
    with pytest.raises(BadCredential):
        door.identify(secret)


def test_a_right_that_was_taken_is_gone_at_once(door: Door) -> None:
    secret = Company().key(may_publish=True).credential
    assert door.identify(secret).may_publish
    key = AccessKey.objects.get()
    key.may_publish = False
    key.save()
    assert not door.identify(secret).may_publish


def test_a_refusal_is_not_remembered(door: Door) -> None:
    company = Company()
    secret = company.key().credential
    key = AccessKey.objects.get()
    AccessKey.objects.all().delete()
    with pytest.raises(BadCredential):
        door.identify(secret)
    key.save(force_insert=True)
    assert door.identify(secret).customer_id == company.id


def test_nobody_is_known_beyond_the_end_of_the_credential(door: Door) -> None:
    secret = Company().key(expires_at=timezone.now() + timedelta(seconds=MAX_AGE_SECONDS / 2)).credential
    door.identify(secret)
    door.clock.now += MAX_AGE_SECONDS * 0.75
    door.identify(secret)
    assert door.queries > 1, "it was not looked up again"


def test_an_uncounted_change_is_found_after_a_while(door: Door) -> None:
    secret = Company().key().credential
    door.identify(secret)
    AccessKey.objects.update(revoked_at=timezone.now())
    door.identify(secret)
    door.clock.now += MAX_AGE_SECONDS
    with pytest.raises(BadCredential):
        door.identify(secret)


def test_changes_are_noticed_from_the_first_on(door: Door) -> None:
    secret = Company().key().credential
    for _ in range(3):
        bump()
        door.identify(secret)
        assert door.queries > 1
        door.identify(secret)
        assert door.queries == 1
