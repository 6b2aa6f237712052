"""`verify_audit --remember`: the head of the last run is kept in a file, outside the database."""

from __future__ import annotations

import uuid
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from subscriptions.audit.head_file import read_last
from subscriptions.audit.store import append
from subscriptions.models import AuditChain, AuditRecord

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def head_file(settings: Any, tmp_path: Path) -> Path:
    settings.AUDIT_HEAD_FILE = str(tmp_path / "new folder" / "head.json")
    return Path(settings.AUDIT_HEAD_FILE)


def store(*topics: str) -> None:
    append(
        [
            AuditRecord(action="connect", verdict="granted", topic=each, connection_id=uuid.uuid4())
            for each in topics
        ]
    )


def rewrite_without(topic: str) -> None:
    """Seal another history, as an attacker with write access to the database can."""
    kept = [row for row in AuditRecord.objects.order_by("pk") if row.topic != topic]
    AuditRecord.objects.all().delete()
    AuditChain.objects.all().delete()
    for row in kept:
        row.pk = None
    append(kept)


def verify() -> str:
    out = StringIO()
    call_command("verify_audit", "--remember", stdout=out, no_color=True)
    return out.getvalue()


def test_a_history_that_was_rewritten_between_two_runs_is_found_again_and_again() -> None:
    assert read_last() is None
    store("a", "b", "c")
    assert "The chain is whole." in verify()
    last = read_last()
    assert last is not None
    assert last.head is not None
    assert (last.head.position, last.problems) == (3, 0)
    store("d")
    assert "The chain is whole." in verify()
    rewrite_without("b")
    store("e", "f")
    for _ in range(2):
        with pytest.raises(CommandError, match="The noted head is not in the chain"):
            verify()
        last = read_last()
        assert last is not None
        assert last.head is not None
        assert (last.head.position, last.problems) == (4, 1)


def test_a_file_that_is_no_verification_is_as_none(head_file: Path) -> None:
    head_file.parent.mkdir()
    for content in ("", "[]", '{"at": 1}', '{"at": "x", "problems": 0, "head": null}'):
        head_file.write_text(content)
        assert read_last() is None
    assert "The chain is whole." in verify()
    assert read_last() is not None
