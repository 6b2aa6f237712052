"""The registry of live connections: leases, recovery, and one query per beat."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from subscriptions.models import CloseOrder, GatewayProcess, LiveConnection
from subscriptions.presence.registry import ProcessEntry, Report, lagging, live, stats_of, sweep

pytestmark = pytest.mark.django_db


def row_of(entry: ProcessEntry, **fields: Any) -> LiveConnection:
    return LiveConnection(
        id=uuid.uuid4(),
        process_id=entry.process_id,
        customer_id=uuid.uuid4(),
        credential="key vb_12345678",
        is_platform_staff=False,
        opened_at=timezone.now(),
        **fields,
    )


def report(*rows: LiveConnection, gone: Any = (), figures: Any = None) -> Report:
    return Report(rows, gone, figures, len(rows))


def end_lease(entry: ProcessEntry) -> None:
    GatewayProcess.objects.filter(pk=entry.process_id).update(lease_ends_at=Now() - timedelta(seconds=1))


def test_a_process_that_says_nothing_any_more_is_not_shown_and_others_delete_it() -> None:
    crashed, alive = (ProcessEntry(timedelta(seconds=60)) for _ in range(2))
    rows = [row_of(crashed), row_of(alive)]
    for entry, row in zip((crashed, alive), rows, strict=True):
        entry.save(report(row))
    assert live(LiveConnection.objects.all()).count() == 2
    end_lease(crashed)
    assert [each.pk for each in live(LiveConnection.objects.all())] == [rows[1].pk]
    assert LiveConnection.objects.count() == 2
    sweep()
    assert [each.pk for each in LiveConnection.objects.all()] == [rows[1].pk]
    assert [each.pk for each in GatewayProcess.objects.all()] == [alive.process_id]


def test_a_process_that_was_taken_for_dead_learns_of_it_and_comes_back() -> None:
    entry = ProcessEntry(timedelta(seconds=60))
    row = row_of(entry)
    assert entry.save(report(row))
    end_lease(entry)
    sweep()
    assert not entry.save(report(row_of(entry)))
    assert not LiveConnection.objects.exists()
    assert entry.save(report(row))
    assert live(LiveConnection.objects.all()).count() == 1


def test_a_beat_without_changes_is_one_query_and_does_not_write_the_stats_again() -> None:
    entry = ProcessEntry(timedelta(seconds=60))
    row = row_of(entry)
    figures = {row.pk.hex: (1, 2, 3, 4)}
    entry.save(report(row, figures=figures))
    with CaptureQueriesContext(connection) as queries:
        assert entry.save(report(figures=figures))
        assert entry.save(report(figures=None))
    assert [query["sql"][:6] for query in queries] == ["UPDATE", "UPDATE"]
    assert "figures" not in str(queries.captured_queries)
    assert stats_of([row]) == {row.pk: (1, 2, 3, 4)}
    entry.save(report(figures={}))
    assert stats_of([row]) == {}


def test_a_lease_lasts_as_long_as_it_says() -> None:
    entry = ProcessEntry(timedelta(seconds=60))
    entry.save(report())
    found = GatewayProcess.objects.get()
    left = found.lease_ends_at - timezone.now()
    assert timedelta(seconds=50) < left <= timedelta(seconds=61)
    # Stored again by each beat.
    end_lease(entry)
    entry.save(report())
    found.refresh_from_db()
    assert found.lease_ends_at > timezone.now() + timedelta(seconds=50)


def test_old_orders_are_swept_and_new_ones_stay() -> None:
    CloseOrder.objects.create(change=1, reason="old", given_at=timezone.now() - timedelta(hours=2))
    CloseOrder.objects.create(change=2, reason="new")
    sweep()
    assert [order.reason for order in CloseOrder.objects.all()] == ["new"]


def test_lagging_connections_are_found_except_those_of_a_crashed_process() -> None:
    crashed, alive = (ProcessEntry(timedelta(seconds=60)) for _ in range(2))
    late, stuck, well, gone = (row_of(entry) for entry in (alive, alive, alive, crashed))
    figures = {late.pk.hex: (9, 0, 0, 1), stuck.pk.hex: (9, 5, 5, 0), well.pk.hex: (9, 0, 0, 0)}
    alive.save(report(late, stuck, well, figures=figures))
    crashed.save(report(gone, figures={gone.pk.hex: (9, 9, 9, 9)}))
    end_lease(crashed)
    assert set(lagging()) == {late.pk, stuck.pk}
