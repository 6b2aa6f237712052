"""Every change in the admin is a record of the sealed audit log, with the values and without secrets."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User

from subscriptions.admin.audited import AuditedAdmin
from subscriptions.audit.store import verify
from subscriptions.control.agents import username_ending
from subscriptions.models import AccessKey, AuditRecord, Customer, Queue
from tests.subscriptions.support.admin_client import AdminClient, address, admin_of, superuser
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db


def last(action: str) -> Any:
    return AuditRecord.objects.filter(action=action).order_by("-pk").first()


def changes(record: Any) -> dict[str, Any]:
    return json.loads(record.changes) if record.changes else {}


def test_all_pages_write_records() -> None:
    pages = admin.site._registry.values()
    assert len(pages) >= 10
    assert [type(page).__name__ for page in pages if not isinstance(page, AuditedAdmin)] == []


def test_a_queue_that_is_added_changed_and_deleted_leaves_three_records(acme: Customer) -> None:
    ada, person = admin_of(acme)
    ada.post("/admin/subscriptions/queue/add/", {"name": "Sales", "id": str(uuid.uuid4())})
    queue = Queue.objects.get()
    ada.post(address(queue, "change"), {"name": "Support"})
    ada.post(address(queue, "delete"), {"post": "yes"})
    added, changed, deleted = AuditRecord.objects.order_by("pk")
    assert [added.action, changed.action, deleted.action] == ["add", "change", "delete"]
    for record in (added, changed, deleted):
        assert record.topic == f"queue:{queue.pk}"
        assert (record.customer_id, record.agent_id) == (acme.pk, person.pk)
        assert record.credential == f"user {person.user.username}"[:60]
        assert (record.address, record.rule) == ("127.0.0.1", "by-operator")
    assert changes(added)["name"] == [None, "Sales"]
    assert changes(changed)["name"] == ["Sales", "Support"]
    assert changes(deleted)["name"] == ["Support", None]
    assert verify().damaged == 0


def test_the_record_of_a_deletion_counts_what_it_takes_along(acme: Customer) -> None:
    person = agent(acme)
    for _ in range(2):
        access_key(acme, agent=person)
    _, secret = access_key(acme)
    person.queues.add(Queue.objects.create(customer=acme, name="Sales"))
    superuser().post(address(acme, "delete"), {"post": "yes"})
    record = last("delete")
    assert record.topic == f"customer:{acme.pk}"
    assert record.detail.startswith(f"{acme.name}: deleted together with ")
    assert set(record.detail.split(" with ")[1].split(", ")) == {"1 agent", "1 queue", "3 access keys"}
    assert secret[:11] not in record.detail + record.changes


def test_an_agents_new_rights_are_recorded_before_and_after(ada: AdminClient, acme: Customer) -> None:
    person = agent(acme)
    form = {
        "name": person.name,
        "username": "mary",
        "role": "manager",
        "is_active": "on",
        "status": "offline",
        "granted_resources": ["message"],
    }
    page = ada.post(address(person, "change"), form)
    assert page.was_saved, page.text
    found = changes(last("change"))
    assert found["role"] == ["agent", "manager"]
    assert found["granted_resources"] == ["[]", '["message"]']
    assert found["username"] == [person.user.username, f"mary{username_ending(acme)}"]


def test_actions_of_lists_are_recorded(ada: AdminClient, acme: Customer) -> None:
    person = agent(acme)
    ada.act("switch_off", [person])
    assert "Switched off." in last("change").detail
    key, _ = access_key(acme)
    ada.act("revoke_keys", [key])
    assert (last("change").topic, "Revoked." in last("change").detail) == (f"accesskey:{key.pk}", True)


def test_no_secret_is_in_a_record(ada: AdminClient, acme: Customer) -> None:
    form = {"label": "Backend", "may_publish": "on", "may_subscribe": "on", "expiry": "never"}
    page = ada.post("/admin/subscriptions/accesskey/add/", form)
    key = AccessKey.objects.get()
    chief = superuser()
    person = agent(acme)
    password = "a new correct horse"
    chief.post(
        f"/admin/auth/user/{person.user_id}/password/",
        {"password1": password, "password2": password, "usable_password": "true"},
    )
    kept = " ".join(
        f"{r.topic} {r.detail} {r.changes} {r.credential} {r.client}" for r in AuditRecord.objects.all()
    )
    assert "Backend" in kept
    for secret in (page.secret, key.digest, password, User.objects.get(pk=person.user_id).password):
        assert secret not in kept


def test_records_of_another_customer_are_not_shown(ada: AdminClient, acme: Customer) -> None:
    globex = customer("Globex")
    other, _ = admin_of(globex)
    other.post("/admin/subscriptions/queue/add/", {"name": "Secret plans", "id": str(uuid.uuid4())})
    record = last("add")
    assert record.customer_id == globex.pk
    assert "Secret plans" not in ada.get("/admin/subscriptions/auditrecord/").text
    assert ada.get(f"/admin/subscriptions/auditrecord/{record.pk}/change/").status == 302
