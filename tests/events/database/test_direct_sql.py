"""Rows past the ORM: what it reads back is what was written, and what it wrote is what is found."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from events.database.direct_sql import find_rows, insert_or_update_rows, insert_rows, update_rows
from events.models import CustomerLog, Event, ResourceState

pytestmark = pytest.mark.django_db

MOMENT = datetime(2024, 1, 15, 10, 30, 0, 123456, tzinfo=UTC)
UNIQUE = ["customer_id", "resource", "resource_id", "member_id"]


def event(seq: int, **fields: Any) -> Event:
    values = {
        "id": uuid.uuid4(),
        "customer_id": uuid.UUID(int=7),
        "event_type": "call.status",
        "resource": "call",
        "resource_id": "q\"uote'd %s",
        "timestamp": MOMENT,
        "stored_at": MOMENT,
        "agent_ids": "",
        "body": '{"text": "grüß 🎧 %s"}',
        "idempotency_key": None,
        "digest": "",
    }
    return Event(seq=seq, **values | fields)


def state(resource_id: str, **fields: Any) -> ResourceState:
    values = {
        "customer_id": uuid.UUID(int=7),
        "resource": "call",
        "member_id": "",
        "live": True,
        "event_type": "call.status",
        "seq": 1,
        "since": MOMENT,
        "updated_at": MOMENT,
        "agent_ids": "",
        "body": "{}",
    }
    return ResourceState(resource_id=resource_id, **values | fields)


def test_what_is_read_back_is_what_was_written() -> None:
    # An id may be given as text, as publishing does.
    written = [
        event(1),
        event(2, id=str(uuid.uuid4()), customer_id=str(uuid.UUID(int=7)), idempotency_key="k"),
    ]
    insert_rows(written)
    for row, read in zip(written, Event.objects.order_by("seq"), strict=True):
        row.full_clean(validate_unique=False, validate_constraints=False)
        for field in Event._meta.concrete_fields:
            assert getattr(read, field.attname) == field.to_python(getattr(row, field.attname))


def test_one_that_is_not_taken_leaves_none() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows([event(1), event(2), event(2)])
    assert not Event.objects.exists()


def test_there_may_be_nothing_to_write() -> None:
    insert_rows([])
    insert_or_update_rows([], unique=UNIQUE, changed=["seq"])
    update_rows([], changed=["seq"])


def test_a_row_that_is_there_keeps_all_but_what_changed() -> None:
    insert_or_update_rows([state("a"), state("b")], unique=UNIQUE, changed=["seq", "live"])
    kept = ResourceState.objects.get(resource_id="a").pk
    changes = [state("a", seq=2, live=False, body='{"not": "asked for"}'), state("c", seq=3)]
    insert_or_update_rows(changes, unique=UNIQUE, changed=["seq", "live"])
    rows = ResourceState.objects.order_by("resource_id").values_list("resource_id", "seq", "live", "body")
    assert list(rows) == [("a", 2, False, "{}"), ("b", 1, True, "{}"), ("c", 3, True, "{}")]
    assert ResourceState.objects.get(resource_id="a").pk == kept


def test_what_is_found_is_what_the_orm_finds() -> None:
    insert_rows([event(1), event(2, idempotency_key="k"), event(3, idempotency_key="l")])
    found = find_rows(Event, {"customer_id": [str(uuid.UUID(int=7))], "idempotency_key": ["k", "none"]})
    wanted = Event.objects.filter(idempotency_key="k")
    assert found == list(wanted)
    for field in Event._meta.concrete_fields:
        assert getattr(found[0], field.attname) == getattr(wanted[0], field.attname)


def test_every_condition_counts() -> None:
    insert_rows([event(1), event(2, customer_id=uuid.UUID(int=8)), event(3, resource_id="other")])
    ours = {"customer_id": [uuid.UUID(int=7), uuid.UUID(int=9)]}
    assert [row.seq for row in find_rows(Event, {"seq": [3, 2, 1], **ours})] == [1, 3]
    assert find_rows(Event, {**ours, "resource_id": ["other"], "seq": [1, 2]}) == []
    assert find_rows(Event, {**ours, "seq": []}) == []


def test_a_found_row_is_the_orms_own_to_save() -> None:
    CustomerLog.objects.create(customer_id=uuid.UUID(int=7))
    with transaction.atomic():
        (log,) = find_rows(CustomerLog, {"customer_id": [uuid.UUID(int=7)]}, lock=True)
    log.floor = 4
    log.save(force_update=True)
    assert CustomerLog.objects.get().floor == 4


def test_an_update_writes_what_it_names_in_each_row_and_in_no_other() -> None:
    logs = [CustomerLog(customer_id=uuid.UUID(int=number)) for number in (7, 8, 9)]
    CustomerLog.objects.bulk_create(logs)
    for log in logs:
        log.last_seq, log.floor = log.customer_id.int, 1
    update_rows(logs[:2], changed=["last_seq"])
    rows = CustomerLog.objects.order_by("customer_id").values_list("last_seq", "floor")
    assert list(rows) == [(7, 0), (8, 0), (0, 0)]
