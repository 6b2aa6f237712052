"""The filters of the audit log and its export, which contains the filtered list."""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any

import pytest
from django.urls import reverse

from subscriptions.audit.store import append
from subscriptions.models import AuditRecord
from tests.subscriptions.support.admin_client import AdminClient, admin_of, superuser
from tests.subscriptions.support.people import agent, customer
from tests.subscriptions.support.tenants import Tenant

pytestmark = pytest.mark.django_db

EXPORT = "admin:subscriptions_auditrecord_export"


@pytest.fixture
def root() -> AdminClient:
    return superuser()


def record(topic: str = "", **fields: Any) -> AuditRecord:
    defaults = {"action": "subscribe", "verdict": "granted", "connection_id": uuid.uuid4()}
    made = AuditRecord(topic=topic, **{**defaults, **fields})
    append([made])
    return AuditRecord.objects.get(digest=made.digest)


def exported(operator: AdminClient, **query: str) -> list[dict[str, str]]:
    """The rows of the file, by the names of its columns."""
    response = operator.client.get(reverse(EXPORT), query)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'attachment; filename="audit-' in response.headers["Content-Disposition"]
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def topics(rows: list[dict[str, str]]) -> list[str]:
    return [row["topic"] for row in rows]


def test_a_record_is_exported_with_all_that_it_says(root: AdminClient) -> None:
    owner = customer()
    person = agent(owner)
    made = record(
        "a", customer_id=owner.pk, agent_id=person.pk, credential="key vb_1", cursor="7d0c7b1e52aa.1"
    )
    [row] = exported(root)
    assert row["number"] == "1"
    assert (row["customer"], row["agent"], row["agent id"]) == ("Acme", person.name, str(person.pk))
    assert (row["cursor"], row["digest"]) == ("7d0c7b1e52aa.1", made.digest)
    assert row["time (UTC)"] == f"{made.at:%Y-%m-%d %H:%M:%S}.{made.at.microsecond // 1000:03}"


def test_what_is_filtered_or_searched_is_what_is_exported(root: AdminClient, acme_tenant: Tenant) -> None:
    record("customer_id:x:call:first", verdict="refused", rule="invalid-topic", credential="key vb_aaaaaaaa")
    record("customer_id:x:call:second", credential="key vb_bbbbbbbb")
    for query, found in {
        "verdict__exact=refused": ["customer_id:x:call:first"],
        "q=second": ["customer_id:x:call:second"],
        "key=vb_bbbb": ["customer_id:x:call:second"],
        "key=aaaaaaaa": ["customer_id:x:call:first"],
        "topic=call:FIRST": ["customer_id:x:call:first"],
        f"agent={acme_tenant.mark}": [f"customer_id:{acme_tenant.customer.pk}:call:acme-call"],
        "rule=asked": [],
    }.items():
        parameters = dict([query.split("=")])
        assert topics(exported(root, **parameters)) == found, query
        assert [
            row.topic for row in root.list(AuditRecord, **parameters).response.context["cl"].result_list
        ] == found


def test_filters_that_are_typed_in_keep_each_other(root: AdminClient) -> None:
    page = root.list(AuditRecord, topic="call", key="vb_1", verdict__exact="refused")
    form = page.text[: page.text.index('aria-label="By topic"')].rpartition("<form")[2]
    for name, value in (("key", "vb_1"), ("verdict__exact", "refused")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in form
    assert 'name="topic" value="call"' in form
    link = page.text[: page.text.index('class="export"')].rpartition("<a ")[2]
    for part in ("topic=call", "key=vb_1", "verdict__exact=refused"):
        assert part in link


def test_what_a_client_sent_is_no_formula(root: AdminClient) -> None:
    record("=HYPERLINK(1)", client="+cmd|' /C calc'!A0", detail="@SUM(1)", address="-1")
    [row] = exported(root)
    assert (row["topic"], row["client"], row["detail"], row["address"]) == (
        "'=HYPERLINK(1)",
        "'+cmd|' /C calc'!A0",
        "'@SUM(1)",
        "'-1",
    )


def test_an_admin_exports_the_own_customer_alone(acme_tenant: Tenant, globex_tenant: Tenant) -> None:
    acme_admin, _ = admin_of(acme_tenant.customer)
    queries: list[dict[str, str]] = [
        {},
        {"customer": str(globex_tenant.customer.pk)},
        {"q": globex_tenant.mark},
        {"agent": globex_tenant.mark},
        {"agent": str(globex_tenant.row(AuditRecord).agent_id)},
        {"topic": globex_tenant.mark},
        {"all": ""},
    ]
    for query in queries:
        rows = exported(acme_admin, **query)
        assert not [row for row in rows if globex_tenant.mark in str(row)], query
    assert topics(exported(acme_admin)) == [f"customer_id:{acme_tenant.customer.pk}:call:acme-call"]


def test_who_may_not_see_the_log_exports_nothing(acme_tenant: Tenant) -> None:
    anonymous = AdminClient(None)
    person, _ = admin_of(acme_tenant.customer, role="agent")
    for operator in (anonymous, person):
        assert operator.client.get(reverse(EXPORT)).status_code == 302


def test_a_filter_that_cannot_be_read_exports_nothing(root: AdminClient) -> None:
    assert root.client.get(reverse(EXPORT), {"period": "nonsense"}).status_code == 400


def test_a_long_log_comes_in_pieces_each_read_for_itself(
    root: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.admin.audit.csv_export.ROWS_AT_ONCE", 3)
    for number in range(8):
        record(str(number))
    assert topics(exported(root)) == [str(number) for number in reversed(range(8))]


# --- Its place in the chain ---


def test_a_records_page_shows_its_place_in_the_chain_and_whether_it_fits(root: AdminClient) -> None:
    rows = [record(str(number)) for number in range(3)]
    page = root.open(rows[1])
    assert rows[1].digest in page.text
    assert "the record was changed" not in page.text
    AuditRecord.objects.filter(pk=rows[1].pk).update(topic="changed")
    assert "the record was changed" in root.open(rows[1]).text
    assert "the record was changed" not in root.open(rows[0]).text
    made = AuditRecord.objects.create(action="connect", verdict="granted", connection_id=uuid.uuid4())
    assert "not part of the chain: inserted" in root.open(made).text
