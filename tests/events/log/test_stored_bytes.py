"""The quota of stored bytes: counted by publishing and pruning, checked under the log's lock."""

from __future__ import annotations

import importlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from events.domain.event import Draft
from events.log.idempotency import IdempotencyConflict
from events.log.inferred_ends import inferred_end
from events.log.publish import Publication, Result, StorageFull, publish, publish_each
from events.log.retention import prune
from events.models import CustomerLog, Event, ResourceState
from events.quotas.limits import stored_size
from tests.events.support.people import new_id
from tests.events.support.stored import draft

pytestmark = pytest.mark.django_db(transaction=True)


def call(customer_id: str, text: str = "", **fields: Any) -> Draft:
    return draft(customer_id, "call.status", {"id": "c1", "x": text}, **fields)


def size(*drafts: Draft) -> int:
    return sum(stored_size(each.body) for each in drafts)


def publish_within(most: int, *drafts: Draft) -> Result:
    (result,) = publish_each(
        [Publication(drafts, max_stored_bytes={each.customer_id: most for each in drafts})]
    )
    return result


def stored(customer_id: str) -> int:
    return CustomerLog.objects.get(customer_id=customer_id).stored_bytes


def test_what_is_stored_is_counted_and_what_is_pruned_is_not() -> None:
    acme = new_id()
    drafts = [call(acme, text) for text in ("", "é" * 700, "x" * 3000)]
    publish(drafts)
    assert stored(acme) == size(*drafts) > 7000
    Event.objects.filter(seq__lt=3).update(stored_at=timezone.now() - timedelta(days=40))
    prune(acme, timezone.now() - timedelta(days=30), dry_run=True)
    assert stored(acme) == size(*drafts)
    prune(acme, timezone.now() - timedelta(days=30))
    assert stored(acme) == size(drafts[2])


def test_a_webhook_that_becomes_two_events_counts_as_both() -> None:
    acme = new_id()
    ended = replace(draft(acme, "call.ended", {"id": "c1"}), preceding_type="call.status")
    assert isinstance(publish_within(2 * size(ended) - 1, ended), StorageFull)
    assert isinstance(publish_within(2 * size(ended), ended), list)
    assert stored(acme) == 2 * size(ended)


def test_a_customer_without_room_is_refused_as_a_whole_and_no_other() -> None:
    acme, globex = new_id(), new_id()
    first = call(acme, idempotency_key="k")
    assert isinstance(publish_within(size(first), first), list)
    refused, other, repeated, both = publish_each(
        [
            Publication([call(acme), call(acme)], max_stored_bytes={acme: size(first) + 100}),
            Publication([call(globex)], max_stored_bytes={globex: 10_000}),
            Publication([first], max_stored_bytes={acme: size(first)}),
            Publication([call(globex), call(acme)], max_stored_bytes={acme: size(first), globex: 10_000}),
        ]
    )
    assert isinstance(refused, StorageFull)
    assert isinstance(both, StorageFull)
    assert f"{size(first)} bytes" in str(both)
    assert isinstance(other, list)
    # The repetition of what is stored is answered, however full it is.
    assert isinstance(repeated, list)
    assert repeated[0].replayed
    assert (
        Event.objects.filter(customer_id=acme).count()
        == Event.objects.filter(customer_id=globex).count()
        == 1
    )
    assert stored(acme) == size(first)


def test_a_conflict_is_a_conflict_also_without_room() -> None:
    acme = new_id()
    first = call(acme, idempotency_key="k")
    publish([first])
    assert isinstance(publish_within(1, call(acme, "other", idempotency_key="k")), IdempotencyConflict)


def test_room_is_shared_by_the_requests_of_a_batch() -> None:
    acme = new_id()
    one = call(acme)
    quota = {acme: 2 * size(one)}
    results = publish_each([Publication([call(acme)], max_stored_bytes=quota) for _ in range(3)])
    assert [type(each) for each in results] == [list, list, StorageFull]


def test_the_gateways_own_events_are_stored_also_without_room() -> None:
    acme = new_id()
    first = call(acme)
    assert isinstance(publish_within(size(first), first), list)
    publish([inferred_end(ResourceState.objects.get(), "silence")])
    assert Event.objects.count() == 3
    assert isinstance(publish_within(size(first), call(acme)), StorageFull)


def test_pruning_makes_room() -> None:
    acme = new_id()
    drafts = [call(acme), call(acme)]
    publish(drafts)
    assert isinstance(publish_within(size(*drafts), call(acme)), StorageFull)
    Event.objects.filter(seq=1).update(stored_at=timezone.now() - timedelta(days=40))
    prune(acme, timezone.now() - timedelta(days=30))
    assert isinstance(publish_within(size(*drafts), call(acme)), list)


def test_the_migration_measures_what_an_earlier_version_stored() -> None:
    acme, globex, empty = new_id(), new_id(), new_id()
    drafts = [call(acme, "é" * 10), call(acme)]
    publish([*drafts, call(globex)])
    CustomerLog.objects.create(customer_id=empty)
    CustomerLog.objects.update(written_bytes=0, pruned_bytes=0)
    importlib.import_module("events.migrations.0007_measure_stored_bytes").measure(apps, connection)
    assert [stored(each) for each in (acme, globex, empty)] == [size(*drafts), size(call(globex)), 0]
