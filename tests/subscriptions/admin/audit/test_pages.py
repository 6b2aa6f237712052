"""The admin pages of the audit log: search, no changes, and speed with many records."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from subscriptions.audit.rule_texts import text_of
from subscriptions.models import NO_CONNECTION, Agent, AuditRecord, Customer
from tests.subscriptions.support.admin_client import AdminClient, Page, address, superuser
from tests.subscriptions.support.people import agent, customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> AdminClient:
    return superuser()


def record(**fields: Any) -> AuditRecord:
    defaults = {"action": "subscribe", "verdict": "granted", "connection_id": uuid.uuid4()}
    return AuditRecord.objects.create(**{**defaults, **fields})


def found(page: Page) -> list[int]:
    return [row.pk for row in page.response.context["cl"].result_list]


@pytest.fixture
def ann(acme: Customer) -> Agent:
    person = agent(acme)
    Agent.objects.filter(pk=person.pk).update(name="Ann Other")
    return person


@pytest.fixture
def wanted(acme: Customer, ann: Agent) -> AuditRecord:
    record(
        customer_id=uuid.uuid4(), agent_id=uuid.uuid4(), topic="customer_id:x:message:y", address="10.9.9.9"
    )
    return record(
        customer_id=acme.pk,
        agent_id=ann.pk,
        topic=f"customer_id:{acme.pk}:call:call-77",
        rule="customer-manager",
        credential="key vb_abcdefgh",
        address="192.0.2.7",
    )


# --- Finding ---


@pytest.mark.parametrize(
    "text",
    [
        "Acme",
        "acm",
        "ann",
        "ann acme",
        "vb_abcdefgh",
        "vb_abc",
        "abcdefgh",
        "call-77",
        ":call:",
        "192.0.2.7",
        "192.0.2",
    ],
)
def test_a_record_is_found_by_what_is_known_of_it(root: AdminClient, wanted: AuditRecord, text: str) -> None:
    assert found(root.list(AuditRecord, q=text)) == [wanted.pk]


@pytest.mark.parametrize("field", ["customer_id", "agent_id", "connection_id"])
def test_a_record_is_found_by_an_id(root: AdminClient, wanted: AuditRecord, field: str) -> None:
    assert found(root.list(AuditRecord, q=str(getattr(wanted, field)))) == [wanted.pk]


@pytest.mark.parametrize("text", ["Globex", "vb_zzz", "0b8f6a52-3c1d-4e7f-9a60-5d2c7e81b394", "ann globex"])
def test_what_there_is_not_is_not_found(root: AdminClient, wanted: AuditRecord, text: str) -> None:
    assert found(root.list(AuditRecord, q=text)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("verdict__exact", "refused"),
        ("action__exact", "refuse"),
        ("rule", "revoked-key"),
        ("period", "1h"),
        ("from", "2190-01-01T10:00"),
    ],
)
def test_records_are_filtered(root: AdminClient, name: str, value: str) -> None:
    now = timezone.now()
    record(action="connect", at=now - dt.timedelta(days=2))
    later = dt.datetime(2190, 1, 1, 10, 0, tzinfo=dt.UTC) if name == "from" else now
    chosen = record(action="refuse", verdict="refused", rule="revoked-key", at=later)
    assert found(root.list(AuditRecord, **{name: value})) == [chosen.pk]


def test_records_are_filtered_by_the_minute(root: AdminClient) -> None:
    noon = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
    _, inside, _ = (record(at=noon + dt.timedelta(minutes=minutes)) for minutes in (-1, 5, 11))
    page = root.list(AuditRecord, **{"from": "2026-03-01T12:00", "until": "2026-03-01T12:10"})
    assert found(page) == [inside.pk]
    assert 'value="2026-03-01T12:10"' in page.text


def test_the_filters_of_time_keep_the_others(root: AdminClient) -> None:
    page = root.list(AuditRecord, verdict__exact="refused", q="call")
    form = page.text[page.text.index('class="time-filter"') :]
    assert '<input type="hidden" name="verdict__exact" value="refused">' in form
    assert '<input type="hidden" name="q" value="call">' in form


def test_names_are_shown_for_ids_and_ids_where_there_is_no_name(
    root: AdminClient, wanted: AuditRecord, acme: Customer, ann: Agent
) -> None:
    stranger = AuditRecord.objects.exclude(pk=wanted.pk).get()
    text = root.list(AuditRecord).text
    for shown in ("Ann Other", "Acme", str(stranger.customer_id), str(stranger.agent_id), "vb_abcdefgh"):
        assert shown in text


def test_the_name_of_another_customers_agent_is_not_shown(root: AdminClient, ann: Agent) -> None:
    record(customer_id=uuid.uuid4(), agent_id=ann.pk)
    assert "Ann Other" not in root.list(AuditRecord).text


def test_a_record_says_what_its_rule_means(root: AdminClient, wanted: AuditRecord) -> None:
    assert text_of("customer-manager") in root.open(wanted).text


def test_what_a_client_sent_is_shown_as_text(root: AdminClient) -> None:
    evil = "<script>alert(1)</script>"
    row = record(topic=evil, client=evil, detail=evil, credential=evil[:25], address=evil[:25])
    for page in (root.list(AuditRecord), root.open(row)):
        assert evil not in page.text
        assert "&lt;script&gt;" in page.text


# --- Changing: not even for superusers ---


def test_a_record_cannot_be_added_changed_or_deleted(root: AdminClient, wanted: AuditRecord) -> None:
    before = list(AuditRecord.objects.values())
    assert root.post(address(AuditRecord, "add"), {"topic": "x"}).status == 403
    assert root.post(address(wanted, "change"), {"topic": "x"}).status == 403
    assert root.post(address(wanted, "delete"), {"post": "yes"}).status == 403
    root.act("delete_selected", [wanted])
    assert list(AuditRecord.objects.values()) == before
    page = root.open(wanted)
    assert page.status == 200
    assert 'name="_save"' not in page.text
    assert 'name="action"' not in root.list(AuditRecord).text


def test_records_hang_on_nothing_that_could_be_deleted() -> None:
    assert not [field.name for field in AuditRecord._meta.get_fields() if field.is_relation]


# --- However much there is ---


def queries_for(root: AdminClient, **query: str) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert root.list(AuditRecord, **query).status == 200
    return [each["sql"] for each in captured.captured_queries]


def test_the_list_takes_no_more_queries_for_more_records(root: AdminClient) -> None:
    root.list(AuditRecord)
    record(customer_id=customer().pk)
    one = len(queries_for(root))
    for _ in range(30):
        owner = customer()
        record(customer_id=owner.pk, agent_id=agent(owner).pk)
    assert len(queries_for(root)) <= one + 1  # The agents' names, where there are agents.


@pytest.mark.parametrize(
    "query", [{}, {"q": "call"}, {"verdict__exact": "refused"}, {"p": "2"}, {"rule": "asked"}]
)
def test_the_list_never_reads_all_records(root: AdminClient, query: dict[str, str]) -> None:
    AuditRecord.objects.bulk_create(
        AuditRecord(
            action="subscribe", verdict="refused", topic="call", rule="asked", connection_id=uuid.uuid4()
        )
        for _ in range(120)
    )
    queries = [sql for sql in queries_for(root, **query) if 'FROM "subscriptions_auditrecord"' in sql]
    assert queries
    assert [sql for sql in queries if "LIMIT" not in sql] == []


def test_a_list_that_is_not_counted_to_its_end_says_so(
    root: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.admin.records.MAX_COUNTED", 60)
    AuditRecord.objects.bulk_create(
        AuditRecord(action="subscribe", verdict="granted", connection_id=uuid.uuid4()) for _ in range(70)
    )
    page = root.list(AuditRecord, p="2")
    assert page.rows == 10
    assert "More than 60 audit records" in page.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customer_id", uuid.UUID(int=1)),
        ("agent_id", uuid.UUID(int=1)),
        ("rule", "asked"),
        ("credential", "key x"),
    ],
)
def test_the_filters_have_an_index_in_the_lists_order(field: str, value: Any) -> None:
    plan = AuditRecord.objects.filter(**{field: value}).order_by("-id")[:50].explain()
    assert f"USING INDEX audit_{field.removesuffix('_id')}" in plan
    assert "TEMP B-TREE" not in plan


def test_a_record_of_repeats_shows_their_number(root: AdminClient) -> None:
    one = record(verdict="refused", rule="unknown-key", action="refuse", count=1234)
    shown = root.get(address(AuditRecord, "changelist")).text
    assert "× 1,234" in shown
    assert "1,234" in root.get(address(one, "change")).text
    german = root.client.get(address(AuditRecord, "changelist"), headers={"Accept-Language": "de"})
    assert "× 1.234" in german.content.decode()


def test_a_record_without_a_connection_links_to_none(root: AdminClient) -> None:
    one = record(action="login", connection_id=NO_CONNECTION)
    for page in (root.get(address(AuditRecord, "changelist")), root.get(address(one, "change"))):
        assert "All records of connection" not in page.text
