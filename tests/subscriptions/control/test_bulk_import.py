"""`manage.py control_import`: rows from JSON lines and CSV, errors by line, groups, dry run."""

from __future__ import annotations

import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from subscriptions.auth.authentication import identify
from subscriptions.control.bulk_import import LINES_AT_ONCE
from subscriptions.models import AccessKey, Agent, AuditRecord, Customer

pytestmark = pytest.mark.django_db


def run(path: Path, text: str, *options: str) -> tuple[str, str]:
    path = path / "rows"
    path.write_text(text)
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("control_import", str(path), *options, stdout=out, stderr=err)
    except CommandError as error:
        err.write(str(error))
    return out.getvalue(), err.getvalue()


def lines(count: int) -> list[dict[str, Any]]:
    """A customer, an agent and a key, so often."""
    rows: list[dict[str, Any]] = []
    for _ in range(count):
        customer, agent = str(uuid.uuid4()), str(uuid.uuid4())
        rows += [
            {"resource": "customer", "id": customer, "name": "Acme"},
            {"resource": "agent", "id": agent, "customer_id": customer, "name": "Ann", "username": agent},
            {
                "resource": "access_key",
                "id": str(uuid.uuid4()),
                "customer_id": customer,
                "label": "Wallboard",
            },
        ]
    return rows


def text_of(rows: list[dict[str, Any]]) -> str:
    return "\n".join(map(json.dumps, rows))


def test_lines_create_rows_with_records_and_repeating_them_changes_nothing(tmp_path: Path) -> None:
    text = text_of(lines(2))
    out, err = run(tmp_path, text)
    assert err.strip() == "6 created"
    secrets = [json.loads(line)["secret"] for line in out.splitlines()]
    assert [identify(each).may_subscribe for each in secrets] == [True, True]
    assert AuditRecord.objects.filter(action="add").count() == 6
    assert run(tmp_path, text) == ("", "6 unchanged\n")
    assert AuditRecord.objects.count() == 6


def test_a_dry_run_finds_the_errors_of_every_line_and_stores_nothing(tmp_path: Path) -> None:
    rows = lines(1)
    rows[1]["role"] = "king"
    _, err = run(tmp_path, text_of(rows) + "\n{", "--dry-run")
    assert "line 2: role: " in err
    assert "line 4: this is no JSON" in err
    assert "2 created, 2 failed" in err
    assert not Customer.objects.exists()
    assert not AuditRecord.objects.exists()


def test_a_group_with_an_error_is_not_stored_and_the_others_are(tmp_path: Path) -> None:
    rows = [{"resource": "customer", "id": str(uuid.uuid4()), "name": "X"} for _ in range(LINES_AT_ONCE + 2)]
    rows[3]["name"] = ""
    _, err = run(tmp_path, text_of(rows))
    assert "line 4: name" in err
    assert Customer.objects.count() == 2


def test_csv_has_lists_with_spaces_and_empty_cells_are_left_out(tmp_path: Path) -> None:
    customer, agent = uuid.uuid4(), uuid.uuid4()
    text = (
        "resource,id,name,customer_id,username,granted_resources,may_use_admin\n"
        f"customer,{customer},Acme,,,,\n"
        f"agent,{agent},Ann,{customer},ann,message call,false\n"
    )
    assert run(tmp_path, text)[1].strip() == "2 created"
    assert Agent.objects.get(pk=agent).granted_resources == ["message", "call"]
    assert not AccessKey.objects.exists()
