"""Keys that count for a limited time: a webhook that is sent again is one event, and later a new one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from events.domain.event import Draft
from events.log.publish import publish
from events.models import Event
from tests.events.support.people import new_id
from tests.events.support.stored import draft

pytestmark = pytest.mark.django_db

ACME = new_id()
WINDOW = 600

Publish = Callable[..., list[bool]]
"""Publishes drafts so many seconds after the beginning of a period; returns which were known already."""

PERIOD_BEGINS = datetime.fromtimestamp(2_900_000 * WINDOW, UTC)


def webhook(*, digest: str = "d", **data: str) -> Draft:
    made = draft(ACME, "agent.status", {"id": "a", **data}, idempotency_key=digest)
    return dataclasses.replace(made, repeat_seconds=WINDOW)


@pytest.fixture
def published_at(monkeypatch: pytest.MonkeyPatch) -> Publish:
    def at(seconds: float, *drafts: Draft) -> list[bool]:
        moment = PERIOD_BEGINS + timedelta(seconds=seconds)
        monkeypatch.setattr("events.log.publish.timezone.now", lambda: moment)
        return [receipt.replayed for receipt in publish(drafts)]

    return at


@pytest.mark.parametrize("began", [0, 1, 300, 599])
def test_the_same_bytes_are_one_event_within_the_window_and_a_new_one_after_it(
    published_at: Publish, began: float
) -> None:
    assert published_at(began, webhook()) == [False]
    for later in (0.0, 1, WINDOW / 2, WINDOW - 0.001):
        assert published_at(began + later, webhook()) == [True]
    # The window begins with the event that was stored, not with its last repeat.
    assert published_at(began + WINDOW, webhook()) == [False]
    assert published_at(began + WINDOW * 1.5, webhook()) == [True]
    assert published_at(began + WINDOW * 5, webhook()) == [False]


def test_other_bytes_are_another_event(published_at: Publish) -> None:
    assert published_at(0, webhook(), webhook(digest="e"), webhook()) == [False, False, True]
    assert Event.objects.count() == 2


def test_the_same_bytes_that_a_later_version_reads_otherwise_are_no_conflict(published_at: Publish) -> None:
    assert published_at(0, webhook()) == [False]
    assert published_at(1, webhook(status="away")) == [True]
