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
from django.test import override_settings

from subscriptions.auth.authentication import identify
from subscriptions.control.bulk_import import LINES_AT_ONCE
from subscriptions.models import AccessKey, Agent, AuditRecord, Customer, Queue

pytestmark = pytest.mark.django_db


def run(path: Path, text: str, *options: str, public_url: str = "https://ws.example.com") -> tuple[str, str]:
    path = path / "rows"
    path.write_text(text)
    out, err = io.StringIO(), io.StringIO()
    try:
        with override_settings(PUBLIC_URL=public_url):
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
    shown = [json.loads(line) for line in out.splitlines()]
    secrets = [each["secret"] for each in shown if "secret" in each]
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


PEOPLE = """resource,customer_id,name,username,role,queue_names
queue,{0},Support,,,
queue,{0},Sales & more,,,
agent,{0},Ann Lee,ann,agent,Support; Sales & more
agent,{0},Bob,bob,manager,
"""


def test_people_and_queues_are_known_by_their_names_and_need_no_ids(tmp_path: Path) -> None:
    acme, globex = (Customer.objects.create(name=name) for name in ("Acme", "Globex"))
    Queue.objects.create(customer=globex, name="Support")
    text = PEOPLE.format(acme.pk)
    assert run(tmp_path, text, "--dry-run")[1].strip() == "Dry run: 4 created"
    assert run(tmp_path, text)[1].strip() == "4 created"
    ann = Agent.objects.get(name="Ann Lee")
    assert {queue.name for queue in ann.queues.all()} == {"Support", "Sales & more"}
    assert {queue.customer for queue in ann.queues.all()} == {acme}
    assert run(tmp_path, text)[1].strip() == "4 unchanged"
    assert run(tmp_path, text.replace("Ann Lee", "Ann Li"))[1].strip() == "3 unchanged, 1 changed"
    assert not ann.user.has_usable_password()


def test_links_without_the_gateways_address_are_explained(tmp_path: Path) -> None:
    text = PEOPLE.format(Customer.objects.create(name="Acme").pk)
    out, err = run(tmp_path, text, public_url="")
    assert '"invitation_link": "/invitation/#' in out
    assert err == "PUBLIC_URL is not set: put the gateway's address in front of links\n4 created\n"


def test_names_that_are_unknown_or_not_unique_are_refused_by_line(tmp_path: Path) -> None:
    acme, globex = (Customer.objects.create(name=name) for name in ("Acme", "Globex"))
    Queue.objects.create(customer=globex, name="Theirs")
    for _ in range(2):
        Queue.objects.create(customer=acme, name="Twice")
    row = {"resource": "agent", "customer_id": str(acme.pk), "name": "Ann", "username": "ann"}
    rows: list[dict[str, Any]] = [
        {**row, "queue_names": ["Theirs"]},
        {**row, "queue_names": ["Twice"]},
        {**row, "queue_names": "Twice"},
        {**row, "queue_names": [], "queue_ids": []},
        {"resource": "queue", "customer_id": str(acme.pk), "name": "Twice"},
        {"resource": "queue", "name": "Whose"},
        {"resource": "agent", "customer_id": str(acme.pk), "name": "Ann"},
        {"resource": "access_key", "customer_id": str(acme.pk), "label": "x"},
    ]
    _, err = run(tmp_path, text_of(rows))
    for line, text in (
        (1, "queue_names: there is no such queue of the customer: Theirs"),
        (2, "queue_names: several queues are called Twice"),
        (3, "queue_names: write a list of names"),
        (4, "queue_names: write a list of names"),
        (5, "name: several queues are called Twice"),
        (6, "customer_id: name the customer"),
        (7, "username: "),
        (8, "id: this field is needed"),
    ):
        assert f"line {line}: {text}" in err, err
    assert not Agent.objects.exists()


def test_a_user_name_of_another_customer_is_not_taken_for_ones_own(tmp_path: Path) -> None:
    acme, globex = (Customer.objects.create(name=name) for name in ("Acme", "Globex"))
    run(tmp_path, PEOPLE.format(globex.pk))
    _, err = run(tmp_path, PEOPLE.format(acme.pk))
    assert "line 4: username: This user name is taken" in err
    assert not Agent.objects.filter(customer=acme).exists()
