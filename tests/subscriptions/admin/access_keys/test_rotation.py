"""Access keys in the admin: revoked, rotated, and how each stands in the list."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from subscriptions.auth.authentication import identify
from subscriptions.auth.credentials import BadCredential
from subscriptions.models import AccessKey, Agent, AuditRecord, Customer
from tests.subscriptions.support.admin_client import AdminClient, address, superuser
from tests.subscriptions.support.people import access_key, agent

pytestmark = pytest.mark.django_db


def test_a_revoked_key_is_refused(ada: AdminClient, acme: Customer) -> None:
    key, secret = access_key(acme)
    identify(secret)
    page = ada.act("revoke_keys", [key])
    assert page.messages == ["Revoked: 1 key."]
    with pytest.raises(BadCredential) as refusal:
        identify(secret)
    assert refusal.value.rule == "revoked-key"


def test_revoking_is_confirmed_first(ada: AdminClient, acme: Customer) -> None:
    key, secret = access_key(acme)
    page = ada.act("revoke_keys", [key], confirmed=False)
    assert "cannot be undone" in page.text
    assert key.prefix in page.text
    identify(secret)


def test_the_moment_of_revoking_stands(ada: AdminClient, acme: Customer) -> None:
    moment = timezone.now() - dt.timedelta(days=1)
    key, _ = access_key(acme, revoked_at=moment)
    ada.act("revoke_keys", [key])
    key.refresh_from_db()
    assert key.revoked_at == moment


def test_a_rotated_key_has_a_successor_with_its_rights_and_ends_in_a_day(
    ada: AdminClient, acme: Customer
) -> None:
    person = agent(acme)
    key, old_secret = access_key(acme, agent=person, may_publish=True)
    before = timezone.now()
    page = ada.act("rotate_keys", [key])
    new = identify(page.secret)
    old = identify(old_secret)
    assert (new.agent_id, new.may_publish, new.may_subscribe) == (str(person.pk), True, True)
    assert new.expires_at is None
    assert old.expires_at is not None
    assert before.timestamp() + 86400 <= old.expires_at <= timezone.now().timestamp() + 86400


def test_a_successor_lives_as_long_as_the_rotated_key_was_to_live(ada: AdminClient, acme: Customer) -> None:
    made = timezone.now() - dt.timedelta(days=80)
    key, _ = access_key(acme, created_at=made, expires_at=made + dt.timedelta(days=90))
    before = timezone.now()
    identity = identify(ada.act("rotate_keys", [key]).secret)
    assert identity.expires_at is not None
    days = (identity.expires_at - before.timestamp()) / 86400
    assert days == pytest.approx(90, abs=0.01)


def test_a_key_that_ends_sooner_is_not_given_a_day_by_rotating(ada: AdminClient, acme: Customer) -> None:
    ending = timezone.now() + dt.timedelta(hours=1)
    key, _ = access_key(acme, expires_at=ending)
    ada.act("rotate_keys", [key])
    key.refresh_from_db()
    assert key.expires_at == ending


def test_a_key_is_rotated_once(ada: AdminClient, acme: Customer) -> None:
    key, _ = access_key(acme)
    ada.act("rotate_keys", [key])
    again = ada.act("rotate_keys", [key])
    assert not again.secrets
    assert "was rotated already" in " ".join(again.messages)
    assert AccessKey.objects.count() == 2


def test_several_keys_are_rotated_together_each_shown(ada: AdminClient, acme: Customer) -> None:
    keys = [access_key(acme)[0] for _ in range(3)]
    page = ada.act("rotate_keys", keys)
    assert {identify(secret).customer_id for secret in page.secrets} == {str(acme.pk)}
    assert len(page.secrets) == 3


def test_a_revoked_key_is_not_rotated(ada: AdminClient, acme: Customer) -> None:
    key, _ = access_key(acme, revoked_at=timezone.now())
    page = ada.act("rotate_keys", [key])
    assert not page.secrets
    assert AccessKey.objects.count() == 1


def test_what_was_done_with_a_key_is_in_its_history(ada: AdminClient, acme: Customer) -> None:
    key, _ = access_key(acme)
    ada.act("rotate_keys", [key])
    ada.act("revoke_keys", [key])
    history = ada.get(address(key, "history")).text
    assert "Rotated into" in history
    assert "Revoked." in history


# --- The list ---


def test_the_list_says_how_each_key_stands(ada: AdminClient, acme: Customer) -> None:
    now = timezone.now()
    standing = {
        "active": {"last_used_at": now},
        "unused": {},
        "expired": {"expires_at": now - dt.timedelta(days=1)},
        "revoked": {"revoked_at": now, "expires_at": now - dt.timedelta(days=1)},
    }
    keys = {status: access_key(acme, **fields)[0] for status, fields in standing.items()}
    text = {"active": "active", "unused": "never used", "expired": "expired", "revoked": "revoked"}
    for status, key in keys.items():
        page = ada.list(AccessKey, status=status)
        assert [row.pk for row in page.response.context["cl"].result_list] == [key.pk]
        assert f"{key.prefix}…" in page.text
        assert f">{text[status]}</span>" in page.text
    assert ada.list(AccessKey).rows == 4


def test_the_list_takes_no_more_queries_for_more_keys(
    acme: Customer, django_assert_max_num_queries: Any
) -> None:
    operator = superuser()
    for _ in range(12):
        access_key(acme, agent=agent(acme))
    with django_assert_max_num_queries(12):
        assert operator.list(AccessKey).rows == 12


def test_the_audit_log_knows_the_key_by_its_beginning_alone(acme: Customer) -> None:
    key, secret = access_key(acme)
    for prefix in (key.prefix, "vb_another1"):
        AuditRecord.objects.create(
            action="connect", verdict="granted", credential=f"key {prefix}", connection_id=key.pk
        )
    operator = superuser()
    for text in (key.prefix, secret):
        page = operator.list(AuditRecord, q=text)
        assert [row.credential for row in page.response.context["cl"].result_list] == [f"key {key.prefix}"]


def test_a_manager_makes_no_keys(acme: Customer) -> None:
    person = agent(acme, role="manager")
    User.objects.filter(pk=person.user_id).update(is_staff=True)
    operator = AdminClient(Agent.objects.get(pk=person.pk).user)
    assert (
        operator.post(
            address(AccessKey, "add"), {"label": "x", "expiry": "never", "may_subscribe": "on"}
        ).status
        == 302
    )
    assert not AccessKey.objects.exists()
