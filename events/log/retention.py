"""Retention: deleting old events in short transactions, between those of publishers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Func, IntegerField, QuerySet, Sum

from events.log import snapshots
from events.models import CustomerLog, Event, ResourceState
from events.quotas.limits import STORED_BYTES_BESIDE_DATA

ROWS_A_TRANSACTION = 1000
"""A few hundredths of a second, during which the customer's publishers wait."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was (or would be) deleted of one customer; the log begins after `floor`."""

    events: int
    states: int
    floor: int


def prune(customer_id: str, stored_before: datetime, *, dry_run: bool = False) -> Pruned:
    """Delete a customer's events stored before this time, and states that ended with them.

    The newest event is kept. The log's floor rises in the same transaction: a replay that needed one of these events
    finds its cursor too old.
    """
    log = CustomerLog.objects.get(customer_id=customer_id)
    floor, events = log.floor, 0
    for last, count in _old_stretches(log, stored_before):
        began = time.monotonic()
        if not dry_run:
            _remove_events(customer_id, last)
            _let_publishers_in(began)
        floor, events = last, events + count
    if not dry_run:
        snapshots.prune(customer_id)
    return Pruned(events, _prune_states(customer_id, floor, dry_run=dry_run), floor)


def _old_stretches(log: CustomerLog, stored_before: datetime) -> Iterator[tuple[int, int]]:
    """Yield the last number and the size of each run of old events."""
    floor = log.floor
    while True:
        # In the order of the log: a clock that was wrong once must not make a gap.
        rows = Event.objects.filter(
            customer_id=log.customer_id, seq__gt=floor, seq__lt=log.last_seq
        ).order_by("seq")
        stored = list(rows.values_list("seq", "stored_at")[:ROWS_A_TRANSACTION])
        old = 0
        while old < len(stored) and stored[old][1] < stored_before:
            old += 1
        if not old:
            return
        floor = stored[old - 1][0]
        yield floor, old
        if old < ROWS_A_TRANSACTION:
            return


def _remove_events(customer_id: str, last: int) -> None:
    with transaction.atomic(durable=True):
        log = CustomerLog.objects.select_for_update().get(customer_id=customer_id)
        old = Event.objects.filter(customer_id=customer_id, seq__lte=last)
        log.floor = max(log.floor, last)
        log.pruned_bytes += _stored_bytes_of(old)
        log.save(update_fields=["floor", "pruned_bytes"])
        old.delete()


class _Bytes(Func):
    """The length of a text in UTF-8. PostgreSQL knows it without reading a compressed text."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # octet_length exists from SQLite 3.43 on.
        template = "LENGTH(CAST(%(expressions)s AS BLOB))"
        return self.as_sql(compiler, connection, template=template, **context)


def _stored_bytes_of(events: QuerySet[Event]) -> int:
    """Return the sum of `quotas.limits.stored_size` of these events."""
    found = events.aggregate(count=Count("pk"), data=Sum(_Bytes("body")))
    return STORED_BYTES_BESIDE_DATA * int(found["count"]) + int(found["data"] or 0)


def _prune_states(customer_id: str, floor: int, *, dry_run: bool) -> int:
    ended = ResourceState.objects.filter(customer_id=customer_id, live=False, seq__lte=floor).order_by("id")
    if dry_run:
        return ended.count()
    removed, last = 0, 0
    while ids := list(ended.filter(id__gt=last).values_list("id", flat=True)[:ROWS_A_TRANSACTION]):
        began = time.monotonic()
        with transaction.atomic(durable=True):
            # Under the log's lock: a publisher may have made one of them live again meanwhile.
            CustomerLog.objects.select_for_update().get(customer_id=customer_id)
            count, _ = ended.order_by().filter(id__in=ids).delete()
        removed, last = removed + count, ids[-1]
        _let_publishers_in(began)
    return removed


def _let_publishers_in(began: float) -> None:
    """Release the lock for as long as it was held: SQLite has no queue for it."""
    time.sleep(time.monotonic() - began)
