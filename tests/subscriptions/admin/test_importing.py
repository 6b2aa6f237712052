"""The page that imports rows: who may, the preview, the same file, and secrets that are shown once."""

from __future__ import annotations

import html
import json
import os
import tempfile
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile

from subscriptions.admin.importing import SALT
from subscriptions.auth.authentication import identify
from subscriptions.control.bulk_import import MAX_IMPORT_BYTES
from subscriptions.models import AccessKey, Agent, AuditRecord, Customer, Queue
from tests.subscriptions.support.admin_client import AdminClient, Page, admin_of, superuser
from tests.subscriptions.support.tenants import Tenant

pytestmark = pytest.mark.django_db
ADDRESS = "/admin/subscriptions/customer/import/"


def preview(operator: AdminClient, *rows: dict[str, Any] | str, name: str = "rows.jsonl") -> Page:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    return operator.post(ADDRESS, {"file": SimpleUploadedFile(name, text.encode())})


def confirm(operator: AdminClient, page: Page) -> Page:
    return operator.post(ADDRESS, {"sealed": page.hidden("sealed")})


def queue(**fields: Any) -> dict[str, Any]:
    return {"resource": "queue", "id": str(uuid.uuid4()), "name": "Support", **fields}


def said(page: Page) -> str:
    return " ".join(html.unescape(page.text).split())


def test_a_preview_stores_nothing_and_its_confirmation_imports_the_same_rows(
    acme_admin: AdminClient, acme_tenant: Tenant
) -> None:
    row = queue()
    before = AuditRecord.objects.count()
    page = preview(acme_admin, row)
    assert "<strong>1</strong> new" in page.text
    assert page.response["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert not Queue.objects.filter(pk=row["id"]).exists()
    assert AuditRecord.objects.count() == before
    done = confirm(acme_admin, page)
    assert "Imported: <bdi>rows.jsonl</bdi>" in done.text
    assert Queue.objects.get(pk=row["id"]).customer == acme_tenant.customer
    record = AuditRecord.objects.latest("pk")
    assert (record.action, record.topic, record.rule) == ("add", f"queue:{row['id']}", "by-operator")
    assert record.credential.startswith("user ")
    assert "There is nothing to import" in preview(acme_admin, row).text


def test_errors_are_named_by_line_and_nothing_can_be_confirmed(acme_admin: AdminClient) -> None:
    page = preview(acme_admin, queue(), queue(name=""), "{", queue(naem="x"))
    assert "<strong>1</strong> new" in page.text
    assert "<strong>3</strong> refused" in page.text
    assert '<td class="number">2</td><td><code>name</code></td>' in page.text
    assert '<td class="number">3</td>' in page.text
    assert 'name="sealed"' not in page.text
    assert Queue.objects.count() == 1


def test_new_keys_are_shown_once_and_in_no_message_or_session(acme_admin: AdminClient) -> None:
    row = {"resource": "access_key", "id": str(uuid.uuid4()), "label": "Wallboard"}
    page = preview(acme_admin, row)
    assert page.secrets == set()
    done = confirm(acme_admin, page)
    assert identify(done.secret).customer_id == str(AccessKey.objects.get(pk=row["id"]).customer_id)
    assert done.secret not in str(dict(acme_admin.client.session))
    again = confirm(acme_admin, page)
    assert again.secrets == set()
    assert "<strong>1</strong> unchanged" in again.text


def test_an_admin_imports_only_within_its_customer(
    acme_admin: AdminClient, globex_tenant: Tenant, acme_tenant: Tenant
) -> None:
    theirs = globex_tenant.row(Queue)
    refused = preview(
        acme_admin,
        {"resource": "queue", "id": str(theirs.pk), "name": "Ours now"},
        queue(customer_id=str(globex_tenant.customer.pk)),
        {"resource": "customer", "id": str(acme_tenant.customer.pk), "name": "Acme", "max_connections": 0},
    )
    assert "<strong>3</strong> refused" in refused.text
    assert globex_tenant.mark not in refused.text
    # Platform staff reach all.
    row = queue(customer_id=str(globex_tenant.customer.pk))
    platform = superuser()
    confirm(platform, preview(platform, row, queue(customer_id=str(acme_tenant.customer.pk))))
    assert Queue.objects.get(pk=row["id"]).customer == globex_tenant.customer


def test_platform_staff_import_customers(acme_tenant: Tenant) -> None:
    staff, _ = admin_of(acme_tenant.customer, role="staff")
    pk = str(uuid.uuid4())
    page = preview(staff, "resource,id,name", f"customer,{pk},Initech", name="customers.csv")
    assert "Import 1 row" in said(page)
    confirm(staff, page)
    assert Customer.objects.get(pk=pk).name == "Initech"


def test_a_preview_is_confirmed_only_by_its_operator_and_only_unchanged(
    acme_admin: AdminClient, acme_tenant: Tenant, globex_tenant: Tenant
) -> None:
    sealed = preview(acme_admin, queue()).hidden("sealed")
    other, _ = admin_of(globex_tenant.customer)
    old = signing.dumps([1, "f", "{}"], salt=f"another {SALT}", compress=True)
    for operator, text in ((other, sealed), (acme_admin, sealed[:-3] + "AAA"), (acme_admin, old)):
        page = operator.post(ADDRESS, {"sealed": text})
        assert "choose the file again" in page.text
    assert Queue.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe\x00name", "not text in UTF-8"),
        (b" " * (MAX_IMPORT_BYTES + 1), "at most 8 MB"),
        (b"", "empty"),
    ],
)
def test_other_files_are_refused_with_the_reason(
    acme_admin: AdminClient, content: bytes, reason: str
) -> None:
    page = acme_admin.post(ADDRESS, {"file": SimpleUploadedFile("x.csv", content)})
    assert (page.status, reason in page.text) == (200, True)
    assert "This field is required" in acme_admin.post(ADDRESS, {}).text


def test_a_large_file_with_passwords_leaves_no_temporary_file(
    acme_admin: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", lambda *_a, **_k: opened.append("named"))
    monkeypatch.setattr(os, "open", lambda *a, _open=os.open, **k: opened.append(a[0]) or _open(*a, **k))
    rows = [queue(name="x" * 100) for _ in range(40)]
    page = preview(acme_admin, *rows, *["" for _ in range(3 * 2**20)])
    assert "<strong>40</strong> new" in page.text
    assert not [each for each in opened if str(each).startswith((tempfile.gettempdir(), "named"))]


def test_a_customers_own_user_names_and_roles_hold_in_the_import_too(acme_admin: AdminClient) -> None:
    row = {"resource": "agent", "id": str(uuid.uuid4()), "name": "Ann", "username": "ann", "role": "staff"}
    assert "only the platform has staff" in preview(acme_admin, row).text
    confirm(acme_admin, preview(acme_admin, {**row, "role": "agent"}))
    assert Agent.objects.get(pk=row["id"]).user.get_username().startswith("ann@")


def test_an_admin_imports_people_by_their_names_again_and_again(acme_admin: AdminClient) -> None:
    rows = ("resource,name,username,queue_names", "queue,Support,,", "agent,Ann Lee,ann,Support")
    confirm(acme_admin, preview(acme_admin, *rows, name="people.csv"))
    ann = Agent.objects.get(name="Ann Lee")
    assert [queue.name for queue in ann.queues.all()] == ["Support"]
    assert "There is nothing to import" in preview(acme_admin, *rows, name="people.csv").text


def test_only_admins_and_the_platform_have_the_page(acme_tenant: Tenant) -> None:
    manager, _ = admin_of(acme_tenant.customer, role="manager")
    for operator in (manager, AdminClient(None)):
        assert operator.get(ADDRESS).status == 302
    plain = AdminClient(User.objects.create(username="plain", is_staff=True))
    assert plain.get(ADDRESS).status == 403
    assert plain.post(ADDRESS, {"sealed": "x"}).status == 403


@pytest.mark.parametrize("model", [Customer, Queue, Agent, AccessKey])
def test_the_lists_link_to_it(acme_admin: AdminClient, model: Any) -> None:
    assert f'href="{ADDRESS}"' in acme_admin.list(model).text
