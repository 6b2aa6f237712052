"""Lists of large tables: how many rows a request reads, and what it finds."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.database.stored_times import first_number
from events.models import CustomerLog, Event, ResourceState
from subscriptions.audit.store import append
from subscriptions.models import AuditRecord, Customer
from tests.subscriptions.support.admin_client import AdminClient, Page, admin_of, superuser
from tests.subscriptions.support.people import customer

pytestmark = pytest.mark.django_db

SEARCHED = 20
ROWS = 60
NEWEST = timezone.now().replace(microsecond=0)


@pytest.fixture(autouse=True)
def acme(monkeypatch: pytest.MonkeyPatch) -> Customer:
    """A customer with many rows, of which the first has names of its own."""
    for name, value in (("MAX_SEARCHED", SEARCHED), ("FEW", 5), ("MAX_COUNTED", 55)):
        monkeypatch.setattr(f"events.admin.records.{name}", value)
    acme = customer()
    CustomerLog.objects.create(customer_id=acme.pk, last_seq=ROWS)
    times = [NEWEST - dt.timedelta(hours=ROWS - number) for number in range(1, ROWS + 1)]
    names = ["needle", *(f"call-{number}" for number in range(2, ROWS + 1))]
    facts = [
        {"customer_id": acme.pk, "seq": seq, "resource_id": name, "body": "{}"}
        for seq, name in enumerate(names, 1)
    ]
    kind = {"resource": "call", "event_type": "call.created"}
    first = {"resource": "queue", "event_type": "queue.joined"}
    Event.objects.bulk_create(
        Event(id=uuid.uuid4(), timestamp=at, stored_at=at, **each, **(first if each["seq"] == 1 else kind))
        for each, at in zip(facts, times, strict=True)
    )
    ResourceState.objects.bulk_create(
        ResourceState(live=each["seq"] == 1, since=at, updated_at=at, **each, **kind)
        for each, at in zip(facts, times, strict=True)
    )
    append(
        [
            AuditRecord(
                at=at,
                action="subscribe",
                verdict="refused" if each["seq"] == 1 else "granted",
                rule="unknown-key" if each["seq"] == 1 else "",
                topic=f"customer_id:{acme.pk}:call:{each['resource_id']}",
                customer_id=acme.pk,
                credential="key vb_abcdefgh" if each["seq"] == 1 else "",
                connection_id=uuid.uuid4(),
            )
            for each, at in zip(facts, times, strict=True)
        ]
    )
    return acme


@pytest.fixture(params=["root", "admin"])
def operator(request: pytest.FixtureRequest, acme: Customer) -> AdminClient:
    return superuser() if request.param == "root" else admin_of(acme)[0]


def rows_of(page: Page) -> int:
    assert page.status == 200
    return len(page.response.context["cl"].result_list)


TEXTS: list[tuple[type[Model], dict[str, str]]] = [
    (Event, {"q": "eedl"}),
    (Event, {"q": "queue.joi"}),
    (Event, {"resource": "queue"}),
    (Event, {"event_type": "queue.joined"}),
    (ResourceState, {"q": "eedl"}),
    (AuditRecord, {"q": "eedl"}),
    (AuditRecord, {"topic": "eedl"}),
    (AuditRecord, {"key": "vb_abc"}),
]


@pytest.mark.parametrize(("model", "query"), TEXTS)
def test_what_has_no_index_is_looked_for_in_the_newest_rows_and_the_page_says_so(
    operator: AdminClient, model: type[Model], query: dict[str, str]
) -> None:
    page = operator.list(model, **query)
    assert rows_of(page) == 0
    assert f"Only the newest {SEARCHED} were searched" in page.text
    if model is not ResourceState:
        past = (NEWEST - dt.timedelta(hours=ROWS - 5)).isoformat()
        page = operator.list(model, until=past, **query)
        assert rows_of(page) == 1
        assert "were searched" not in page.text


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Event, {"q": "needle"}),
        (ResourceState, {"q": "needle"}),
        (ResourceState, {"live": "yes"}),
        (AuditRecord, {"rule": "unknown-key"}),
        (AuditRecord, {"verdict__exact": "refused"}),
        (AuditRecord, {"key": "vb_abcdefgh"}),
        (AuditRecord, {"q": "vb_abcdefgh"}),
        (AuditRecord, {"rule": "unknown-key", "topic": "eedl"}),
    ],
)
def test_what_has_an_index_is_found_however_old_it_is(
    operator: AdminClient, model: type[Model], query: dict[str, str]
) -> None:
    page = operator.list(model, **query)
    assert rows_of(page) == 1
    assert "were searched" not in page.text


@pytest.mark.parametrize("model", [Event, AuditRecord])
def test_a_row_is_found_by_its_id_however_old_it_is(operator: AdminClient, model: type[Any]) -> None:
    row = model.objects.order_by("pk" if model is AuditRecord else "seq").first()
    assert rows_of(operator.list(model, q=str(getattr(row, "connection_id", row.pk)))) == 1


def test_a_list_counts_so_far_and_has_no_further_pages(operator: AdminClient) -> None:
    page = operator.list(Event)
    assert "More than 55 events" in page.text
    assert rows_of(operator.list(Event, p="2")) == 5
    assert operator.list(Event, p="3").status == 400
    assert operator.list(Event, p="9" * 30).status == 400
    assert operator.list(Event, p="-1").status == 400


def test_the_number_of_a_moment_is_found_in_few_steps(
    acme: Customer, django_assert_max_num_queries: Any
) -> None:
    for hours, number in ((0, ROWS), (1, ROWS - 1), (ROWS, 0), (-1, ROWS + 1)):
        with django_assert_max_num_queries(8):
            assert first_number(acme.pk, NEWEST - dt.timedelta(hours=hours)) == number
    assert first_number(uuid.uuid4(), NEWEST) == 0


def test_a_period_of_one_customer_is_found_by_its_numbers(operator: AdminClient, acme: Customer) -> None:
    """PostgreSQL would take the index of all customers' times, and read those of a week of all."""
    bounds = {
        "from": f"{NEWEST - dt.timedelta(hours=10, minutes=30):%Y-%m-%dT%H:%M}",
        "until": f"{NEWEST - dt.timedelta(hours=1, minutes=30):%Y-%m-%dT%H:%M}",
    }
    with CaptureQueriesContext(connection) as queries:
        page = operator.list(Event, customer=str(acme.pk), **bounds)
    assert rows_of(page) == len(range(2, 11))
    statements = [each["sql"] for each in queries if 'FROM "events_event"' in each["sql"]]
    assert any('"seq" >= ' in each for each in statements)
    assert not any('"stored_at" >= ' in each or '"stored_at" <= ' in each for each in statements)


@pytest.mark.parametrize(
    ("model", "query"),
    [
        *TEXTS,
        *((model, {}) for model in (Event, ResourceState, AuditRecord)),
        *((model, {"period": "24h"}) for model in (Event, AuditRecord)),
        (AuditRecord, {"rule": "unknown-key"}),
        (ResourceState, {"live": "yes"}),
    ],
)
def test_each_query_follows_an_index_and_ends_early(
    operator: AdminClient, model: type[Model], query: dict[str, str]
) -> None:
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if f'FROM "{model._meta.db_table}"' in sql:
            statements.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        operator.list(model, **query)
    assert statements
    for sql, parameters in statements:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
            plan = [line[3] for line in cursor.fetchall()]
        table = model._meta.db_table
        # Whether the last part of an order is sorted does not matter: few rows share the first.
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan or "pk" in sql, (sql, plan)
        by_rowid = f"SCAN {table}" if model is Event else None
        assert by_rowid not in plan, (sql, plan)
        bounded = "LIMIT" in sql or f"SEARCH {table}" in " ".join(plan)
        assert bounded, (sql, plan)
