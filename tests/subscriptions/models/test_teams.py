"""Teams of agents: their checks, and the admin, the control API, the import and /v1.0/me."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from subscriptions.control.bulk_import import import_lines
from subscriptions.control.controller import Controller
from subscriptions.models import Agent, AuditRecord
from subscriptions.models.teams import MAX_TEAMS, names_of_teams, validate_teams
from tests.subscriptions.support.admin_client import address, admin_of, superuser
from tests.subscriptions.support.people import access_key, agent, customer

FORM = "write 1 to 40 characters of one line, without comma and semicolon, and without spaces at the ends."
INVALID: list[tuple[Any, str]] = [
    ("Support", "Write a list of at most 20 teams."),
    (list(map(str, range(MAX_TEAMS + 1))), "Write a list of at most 20 teams."),
    (["Support", ""], f"Team 2: {FORM}"),
    (["a" * 41], f"Team 1: {FORM}"),
    ([" Support"], f"Team 1: {FORM}"),
    (["a,b"], f"Team 1: {FORM}"),
    (["a;b"], f"Team 1: {FORM}"),
    (["a\nb"], f"Team 1: {FORM}"),
    (["\ud800"], f"Team 1: {FORM}"),
    ([1], f"Team 1: {FORM}"),
    (["Straße", "Sales", "STRASSE"], "Team 3: STRASSE is there twice."),
]


@pytest.mark.parametrize(("value", "problem"), INVALID)
def test_what_is_no_list_of_teams_is_refused_with_the_reason(value: Any, problem: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_teams(value)
    assert refused.value.messages == [problem]


def test_names_that_differ_in_case_are_one_team() -> None:
    validate_teams([])
    validate_teams(list(map(str, range(MAX_TEAMS))))
    validate_teams(["Night shift", "ليل", "a" * 40])
    assert names_of_teams([["Support", "b"], ["SUPPORT", "A"], []]) == ["A", "b", "Support"]


@pytest.mark.django_db
def test_the_admin_writes_shows_and_filters_teams_of_its_own_customer() -> None:
    acme, globex = customer(), customer(name="Globex")
    ada, _ = admin_of(acme)
    ann, ben = (agent(acme, password="x") for _ in range(2))
    agent(globex, teams=["Secret team", "support"])
    form: dict[str, Any] = {
        "name": "Ann",
        "id": str(ann.pk),
        "username": ann.user.get_username(),
        "role": "agent",
        "is_active": "on",
        "status": "offline",
    }
    refused = ada.post(address(ann, "change"), {**form, "teams": "Support, SUPPORT"})
    assert refused.errors == ["Team 2: SUPPORT is there twice."]
    assert ada.post(address(ann, "change"), {**form, "teams": " Support,Night shift ,"}).was_saved
    ann.refresh_from_db()
    assert ann.teams == ["Support", "Night shift"]
    assert 'value="Support, Night shift"' in ada.open(ann).text
    Agent.objects.filter(pk=ben.pk).update(teams=["SUPPORT"])
    page = ada.list(Agent)
    assert "Support, Night shift" in page.text
    assert "Secret team" not in page.text
    assert [ada.list(Agent, team=name).rows for name in ("support", "night SHIFT", "Secret team", "x")] == [
        2,
        1,
        0,
        0,
    ]
    assert superuser().list(Agent, team="support").rows == 3


@pytest.mark.django_db
def test_the_control_api_and_me_have_teams() -> None:
    acme = customer()
    ann, boss = agent(acme, teams=["Support"]), agent(acme, "admin")
    _, secret = access_key(acme, may_control=True, may_publish=True)
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    url = f"/v1.0/control/agents/{ann.pk}"
    assert client.get(url).json()["teams"] == ["Support"]
    changed = client.patch(url, json.dumps({"teams": [" Sales ", "Night shift"]}), "application/json")
    assert (changed.status_code, changed.json()["teams"]) == (200, ["Sales", "Night shift"])
    [record] = AuditRecord.objects.filter(action="change")
    assert "Night shift" in str(record.changes)
    for wrong, problem in (
        ("Sales", "Expected a list"),
        (["a", "A"], "there twice"),
        (["a;b"], "without comma and semicolon"),
    ):
        refused = client.patch(url, json.dumps({"teams": wrong}), "application/json")
        [error] = refused.json()["errors"]
        assert (refused.status_code, error["field"]) == (400, "teams")
        assert problem in error["message"]
    agents = {each["id"]: each["teams"] for each in client.get("/v1.0/me").json()["agents"]}
    assert agents == {str(ann.pk): ["Sales", "Night shift"], str(boss.pk): []}


@pytest.mark.django_db
def test_a_file_separates_teams_by_semicolons() -> None:
    acme = customer()
    text = f"resource,customer_id,name,username,teams\nagent,{acme.pk},Ann,ann,Support; Night shift\n"
    assert not import_lines(Controller(None), text, dry_run=False).errors
    assert Agent.objects.get(name="Ann").teams == ["Support", "Night shift"]
    [error] = import_lines(Controller(None), text.replace("Night", "support;"), dry_run=True).errors
    assert (error.line, error.field) == (2, "teams")
