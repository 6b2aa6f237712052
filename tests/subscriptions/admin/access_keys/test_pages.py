"""The admin pages of access keys: creating them, showing the secret once, changing them."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from django.views.debug import ExceptionReporter

import subscriptions.admin
from subscriptions.auth.authentication import identify
from subscriptions.models import AccessKey, Customer, digest_of
from tests.subscriptions.support.admin_client import AdminClient, Page, address, superuser
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db

ADMIN = str(Path(subscriptions.admin.__file__).parent)


def make(operator: AdminClient, **fields: str) -> Page:
    """Fill in the form for a new key and save it."""
    page = operator.get(address(AccessKey, "add"))
    form = {"label": "Reports", "expiry": "never", "may_subscribe": "on", "made_as": page.hidden("made_as")}
    return operator.post(
        address(AccessKey, "add"), {name: value for name, value in {**form, **fields}.items() if value}
    )


def changes(key: AccessKey, **fields: str) -> dict[str, str]:
    rights = {name: "on" for name in ("may_subscribe", "may_publish") if getattr(key, name)}
    return {"label": key.label, "expiry": "keep", **rights, **fields}


# --- Making one ---


def test_a_new_key_is_shown_and_works(ada: AdminClient, acme: Customer) -> None:
    page = make(ada, may_publish="on")
    assert page.status == 200
    identity = identify(page.secret)
    assert (identity.customer_id, identity.agent_id) == (str(acme.pk), None)
    assert identity.may_subscribe
    assert identity.may_publish
    assert AccessKey.objects.get().label == "Reports"


def test_the_page_of_a_new_key_says_how_to_use_it(ada: AdminClient, acme: Customer) -> None:
    page = make(ada, may_publish="on")
    assert "ws://testserver/v1.0/ws" in page.text
    assert f"customer_id:{acme.pk}:*:*" in page.text
    assert "http://testserver/v1.0/events" in page.text


def test_a_key_that_may_not_publish_has_no_snippet_for_it(ada: AdminClient) -> None:
    page = make(ada)
    assert "/v1.0/ws" in page.text
    assert "/v1.0/events" not in page.text


def test_a_key_that_may_only_publish_has_no_snippet_for_subscribing(ada: AdminClient) -> None:
    page = make(ada, may_subscribe="", may_publish="on")
    assert "/v1.0/events" in page.text
    assert "/v1.0/ws" not in page.text


def test_a_key_of_an_agent_is_shown_with_the_agents_topics(ada: AdminClient, acme: Customer) -> None:
    person = agent(acme)
    page = make(ada, agent=str(person.pk))
    assert f"agent_id:{person.pk}:*:*" in page.text
    assert identify(page.secret).agent_id == str(person.pk)


def test_a_key_must_be_good_for_something(ada: AdminClient) -> None:
    page = make(ada, may_subscribe="")
    assert "good for nothing" in " ".join(page.errors)
    assert not AccessKey.objects.exists()


def test_a_key_that_controls_is_of_the_customer_or_its_admin(ada: AdminClient, acme: Customer) -> None:
    assert identify(make(ada, may_control="on").secret).may_control
    assert "admin or platform staff" in " ".join(
        make(ada, may_control="on", agent=str(agent(acme).pk)).errors
    )
    assert identify(make(ada, may_control="on", agent=str(agent(acme, "admin").pk)).secret).may_control


def test_a_key_needs_a_label(ada: AdminClient) -> None:
    assert make(ada, label="").errors
    assert not AccessKey.objects.exists()


def test_the_same_form_sent_twice_makes_one_key(ada: AdminClient) -> None:
    made_as = str(uuid.uuid4())
    first = make(ada, made_as=made_as)
    again = make(ada, made_as=made_as)
    assert "created already" in " ".join(again.errors)
    assert first.secrets
    assert not again.secrets
    assert AccessKey.objects.count() == 1


def test_a_form_neither_chooses_the_id_of_a_key_nor_tells_that_it_exists(ada: AdminClient) -> None:
    foreign, _ = access_key(customer(name="Globex"))
    assert make(ada, made_as=str(foreign.pk)).secrets
    assert AccessKey.objects.count() == 2


@pytest.mark.parametrize(("expiry", "days"), [("1", 1), ("7", 7), ("90", 90), ("365", 365)])
def test_a_key_expires_in_so_many_days(ada: AdminClient, expiry: str, days: int) -> None:
    before = timezone.now()
    make(ada, expiry=expiry)
    expires_at = AccessKey.objects.get().expires_at
    assert expires_at is not None
    assert before <= expires_at - dt.timedelta(days=days) <= timezone.now()


def test_a_key_never_expires_where_that_is_chosen(ada: AdminClient) -> None:
    make(ada, expiry="never")
    assert AccessKey.objects.get().expires_at is None


def test_a_key_works_to_the_end_of_a_chosen_day(ada: AdminClient) -> None:
    make(ada, expiry="date", expires_on="2190-03-01")
    expires_at = AccessKey.objects.get().expires_at
    assert expires_at == dt.datetime(2190, 3, 1, 23, 59, 59, 999999, dt.UTC)


@pytest.mark.parametrize("day", ["", "2001-01-01", "soon", "2026-02-30"])
def test_a_day_that_is_none_or_over_is_refused(ada: AdminClient, day: str) -> None:
    assert make(ada, expiry="date", expires_on=day).errors
    assert not AccessKey.objects.exists()


# --- The secret ---


def everything_stored() -> str:
    """All columns of all rows of all tables, and what the sessions hold."""
    stored = [str(session.get_decoded()) for session in Session.objects.all()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            stored.extend(str(row) for row in cursor.fetchall())
    return "\n".join(stored)


def test_a_secret_is_nowhere_but_on_its_page(ada: AdminClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = make(ada)
    first = made.secret
    rotated = ada.act("rotate_keys", [AccessKey.objects.get()])
    second = rotated.secret
    kept = everything_stored()
    for secret, page in ((first, made), (second, rotated)):
        assert digest_of(secret) in kept
        # The prefix and what is shown of it in the admin's own history: eleven characters, and no more of it.
        assert secret[:11] in kept
        assert secret[:12] not in kept
        assert secret[:12] not in caplog.text
        assert secret[:12] not in str(page.response.cookies)
        assert "no-store" in page.response.headers["Cache-Control"]
    key = AccessKey.objects.get(digest=digest_of(second))
    pages = [ada.open(key), ada.list(AccessKey), ada.get(address(key, "history")), ada.get("/admin/")]
    assert not set().union(*(page.secrets for page in pages))


@pytest.mark.parametrize(
    "at", ["subscriptions.models.AccessKey.save", "django.contrib.admin.ModelAdmin.log_addition"]
)
def test_a_secret_is_in_no_report_of_an_error(
    at: str, ada: AdminClient, acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = access_key(acme)
    secrets: list[str] = []
    make_secret = AccessKey.make_secret

    def remembered(key: AccessKey) -> str:
        secrets.append(make_secret(key))
        return secrets[-1]

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(AccessKey, "make_secret", remembered)
    monkeypatch.setattr(at, broken)
    with pytest.raises(RuntimeError) as error:
        ada.act("rotate_keys", [key])
    frames = error.tb
    while not frames.tb_frame.f_code.co_filename.startswith(ADMIN):  # Before it are this test's own.
        frames = frames.tb_next  # type: ignore[assignment]
    report = ExceptionReporter(None, error.type, error.value, frames).get_traceback_html()
    [secret] = secrets
    assert "perform" in report
    assert secret not in report


# --- Changing ---


def test_a_key_is_renamed_and_keeps_its_expiry(ada: AdminClient, acme: Customer) -> None:
    key, secret = access_key(acme, expires_at=timezone.now() + dt.timedelta(days=5))
    page = ada.post(address(key, "change"), changes(key, label="Billing"))
    assert page.was_saved, page.errors
    changed = AccessKey.objects.get()
    assert (changed.label, changed.expires_at, changed.digest) == (
        "Billing",
        key.expires_at,
        digest_of(secret),
    )


def test_a_keys_owner_stays(ada: AdminClient, acme: Customer) -> None:
    key, _ = access_key(acme)
    other = agent(acme)
    ada.post(address(key, "change"), changes(key, agent=str(other.pk), customer=str(customer("Globex").pk)))
    key.refresh_from_db()
    assert (key.agent, key.customer) == (None, acme)


def test_a_revoked_key_cannot_be_changed(ada: AdminClient, acme: Customer) -> None:
    key, _ = access_key(acme, revoked_at=timezone.now())
    assert ada.post(address(key, "change"), changes(key, label="Billing")).status == 403
    page = ada.open(key)
    assert page.status == 200
    assert 'value="rotate_keys"' not in page.text
    assert 'value="revoke_keys"' not in page.text


def test_a_key_cannot_be_deleted(acme: Customer) -> None:
    key, _ = access_key(acme)
    operator = superuser()
    assert operator.post(address(key, "delete"), {"post": "yes"}).status == 403
    operator.act("delete_selected", [key])
    assert AccessKey.objects.filter(pk=key.pk).exists()
