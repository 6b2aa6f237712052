"""The audit log in the database: one chain, which shows every manipulation."""

from __future__ import annotations

import importlib
import re
import threading
import uuid
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from subscriptions.audit.store import (
    LATER_FIELDS,
    SEALED_FIELDS,
    BrokenChain,
    append,
    chain_ends,
    prune,
    seal_unsealed,
    verify,
)
from subscriptions.models import AuditChain, AuditRecord


def record(topic: str, **fields: Any) -> AuditRecord:
    return AuditRecord(
        action="subscribe", verdict="granted", topic=topic, connection_id=uuid.UUID(int=7), **fields
    )


@pytest.fixture
def log(transactional_db: None) -> list[AuditRecord]:
    append([record(f"a {number}", customer_id=uuid.UUID(int=3)) for number in range(3)])
    append(
        [
            record(
                "Zoë \N{SNOWMAN} \N{REPLACEMENT CHARACTER}",
                cursor="7d0c7b1e52aa.1",
                agent_id=str(uuid.UUID(int=5)),
            )
        ]
    )
    append([])
    append([record(f"b {number}") for number in range(3)])
    return list(AuditRecord.objects.order_by("pk"))


def verified(*options: str) -> str:
    """What the command prints."""
    output = StringIO()
    call_command("verify_audit", *options, stdout=output)
    return output.getvalue()


def complaint(*options: str) -> str:
    """What it complains of."""
    with pytest.raises(CommandError) as error:
        call_command("verify_audit", *options, stdout=StringIO())
    assert error.value.returncode == 1
    return str(error.value)


def test_a_log_as_it_was_written_is_whole(log: list[AuditRecord]) -> None:
    text = verified()
    assert "7 records" in text
    assert f"Head: 7:{log[-1].digest}" in text
    assert [each.position for each in log] == [1, 2, 3, 4, 5, 6, 7]


def test_an_empty_log_is_whole(transactional_db: None) -> None:
    assert "0 records" in verified()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[
            ("topic", "b"),
            ("verdict", "refused"),
            ("at", timezone.now()),
            ("customer_id", None),
            ("rule", "x"),
        ],
        *[
            ("agent_id", uuid.UUID(int=9)),
            ("credential", "key vb_other"),
            ("address", "::1"),
            ("cursor", "x"),
        ],
        *[("action", "connect"), ("detail", "x"), ("client", "x"), ("connection_id", uuid.UUID(int=8))],
        *[("digest", "0" * 64), ("position", 99)],
    ],
)
def test_no_field_can_be_changed_without_a_trace(log: list[AuditRecord], field: str, value: Any) -> None:
    AuditRecord.objects.filter(pk=log[2].pk).update(**{field: value})
    assert re.search(rf"Record {log[2].pk} \(number 3\) was changed|The record", complaint())


def test_every_column_is_sealed() -> None:
    columns = {field.name for field in AuditRecord._meta.concrete_fields}
    assert columns - {*SEALED_FIELDS, *LATER_FIELDS} == {"id", "position", "digest"}


def test_a_later_column_is_sealed_where_it_is_set_and_older_records_keep_their_seals(
    log: list[AuditRecord],
) -> None:
    append(
        [AuditRecord(action="change", verdict="granted", connection_id=uuid.uuid4(), changes="{}", count=3)]
    )
    assert verify().damaged == 0
    for changed in ({"changes": ""}, {"count": 2}, {"changes": "{}2"}):
        last = AuditRecord.objects.order_by("-pk")[:1].get()
        AuditRecord.objects.filter(pk=last.pk).update(**changed)
        assert verify().damaged == 1
        AuditRecord.objects.filter(pk=last.pk).update(changes="{}", count=3)
    AuditRecord.objects.filter(pk=log[0].pk).update(changes="{}")
    assert verify().damaged >= 1


def test_a_removed_record_is_missed_in_the_middle_and_at_the_end(log: list[AuditRecord]) -> None:
    AuditRecord.objects.filter(pk=log[3].pk).delete()
    assert "The record with number 4 was removed" in complaint()
    AuditRecord.objects.filter(pk__in=[log[5].pk, log[6].pk]).delete()
    assert "The records with numbers 6 to 7 were removed, at the end" in complaint()


def test_removing_the_beginning_and_moving_the_floor_shows(log: list[AuditRecord]) -> None:
    AuditRecord.objects.filter(pk__lte=log[1].pk).delete()
    AuditChain.objects.update(floor_position=2, floor_digest=log[1].digest)
    assert "removed, and not by manage.py prune_audit" in complaint()


def test_an_inserted_record_is_found(log: list[AuditRecord]) -> None:
    made = AuditRecord.objects.create(action="connect", verdict="granted", connection_id=uuid.uuid4())
    append([record("after")])
    assert f"Record {made.pk} is no link of the chain: it was inserted" in complaint()


def test_a_log_that_was_sealed_anew_fits_no_head_that_was_noted(log: list[AuditRecord]) -> None:
    noted = f"7:{log[-1].digest}"
    append([record("later")])
    assert "The chain is whole." in verified("--noted", noted)
    AuditRecord.objects.all().delete()
    AuditChain.objects.all().delete()
    append([record(f"told otherwise {number}") for number in range(8)])
    assert "The chain is whole." in verified()
    assert "The noted head is not in the chain" in complaint("--noted", noted)
    with pytest.raises(CommandError, match="is no head"):
        verified("--noted", "7")


def test_pruning_leaves_a_chain_that_can_be_verified(
    log: list[AuditRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.audit.store.ROWS_AT_ONCE", 2)
    noted = f"2:{log[1].digest}"
    now = timezone.now()
    append([record("kept", at=now + timedelta(hours=1))])
    assert prune(now + timedelta(minutes=1)) == 7
    assert "after 7 that were pruned" in verified()
    assert "kept" in AuditRecord.objects.values_list("topic", flat=True)
    assert "has been pruned since" in verified("--noted", noted)
    assert prune(now - timedelta(days=1)) == 0
    AuditRecord.objects.filter(topic="kept").update(topic="changed")
    assert "was changed" in complaint()


def test_what_was_tampered_with_is_not_pruned(log: list[AuditRecord]) -> None:
    AuditRecord.objects.filter(pk=log[1].pk).update(topic="changed")
    with pytest.raises(BrokenChain, match="number 2"):
        prune(timezone.now())
    AuditRecord.objects.update(at=timezone.now() - timedelta(hours=1))
    with pytest.raises(CommandError, match="verify_audit"):
        call_command("prune_audit", "--older-than", "1m", stdout=StringIO())
    assert AuditRecord.objects.count() == 7


def test_records_from_before_there_was_a_chain_become_its_first_links(transactional_db: None) -> None:
    migration = importlib.import_module("subscriptions.migrations.0006_audit_chain")
    AuditRecord.objects.bulk_create(
        record(f"old {number}", agent_id=uuid.UUID(int=number)) for number in range(5)
    )
    AuditChain.objects.all().delete()
    migration.seal_records(apps, None)
    append([record("new")])
    assert "6 records" in verified()


def test_writers_at_the_same_time_make_one_chain(transactional_db: None) -> None:
    def write(name: int) -> None:
        try:
            for number in range(10):
                append([record(f"{name} {number} {each}") for each in range(3)])
        finally:
            connections.close_all()

    writers = [threading.Thread(target=write, args=[name]) for name in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert "120 records" in verified()
    assert chain_ends()[1].position == 120


def test_records_of_an_older_version_are_sealed_and_counted(log: list[AuditRecord]) -> None:
    for topic in ("x 1", "x 2"):
        record(topic).save()  # As a version without a chain stored it.
    append([record("after them")])
    assert verify().damaged == 2
    assert seal_unsealed() == 2
    assert seal_unsealed() == 0
    assert verify().damaged == 0
    newest = list(AuditRecord.objects.order_by("-pk")[:3])
    assert [each.topic for each in newest[1:]] == ["x 2", "x 1"]
    assert (newest[0].action, newest[0].rule) == ("seal", "unsealed")
    assert newest[0].detail == "2 records before this one came without a seal"
