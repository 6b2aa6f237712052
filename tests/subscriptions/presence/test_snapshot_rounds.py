"""A snapshot is taken of each log that moved, after ten minutes or many events."""

from __future__ import annotations

import pytest

from events.models import StateSnapshot
from subscriptions.presence import snapshot_rounds as module
from subscriptions.presence.snapshot_rounds import SnapshotRounds
from tests.events.support.people import new_id
from tests.events.support.stored import store

pytestmark = pytest.mark.django_db


def numbers(customer_id: str) -> list[int]:
    return list(StateSnapshot.objects.filter(customer_id=customer_id).values_list("seq", flat=True))


def test_a_log_that_moved_is_kept_every_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    rounds, acme, other = SnapshotRounds(lambda _: None), new_id(), new_id()
    store(acme, "call.created", {"id": "c"})
    store(other, "call.created", {"id": "c"})
    assert rounds.round() == 2
    now = module.SNAPSHOT_SECONDS
    assert rounds.round() == 0
    store(acme, "call.status", {"id": "c", "status": "answered"})
    now += module.SNAPSHOT_SECONDS - 1
    assert rounds.round() == 1
    store(acme, "call.ended", {"id": "c"})
    assert rounds.round() == 0
    assert (numbers(acme), numbers(other)) == ([1, 2], [1])


def test_many_events_do_not_wait_for_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SNAPSHOT_EVENTS", 2)
    figures_read: list[str] = []
    rounds, acme = SnapshotRounds(figures_read.append), new_id()
    for number in range(5):
        store(acme, "call.created", {"id": str(number)})
        rounds.round()
    assert numbers(acme) == [1, 3, 5]
    assert figures_read == [acme]


def test_one_log_that_fails_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module.snapshots, "take", lambda *_: 1 / 0)
    store(new_id(), "call.created", {"id": "c"})
    store(new_id(), "call.created", {"id": "c"})
    assert SnapshotRounds(lambda _: None).round() == 0
    assert caplog.text.count("No snapshot of the states") == 2
