"""The checks of the desk settings, in the model, the admin form and the control API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from subscriptions.admin.desk_fields import LINES, LinesField
from subscriptions.models import AuditRecord, Customer
from subscriptions.models import desk_settings as settings
from tests.subscriptions.support.admin_client import address, superuser
from tests.subscriptions.support.people import access_key, agent, customer

CHECKS = {
    "dispositions": settings.validate_dispositions,
    "away_reasons": settings.validate_away_reasons,
    "quick_replies": settings.validate_quick_replies,
    "crm_url": settings.validate_crm_url,
}
SOLD = {"code": "sold", "label": "Sold"}
LUNCH = {"code": "lunch", "label": "Lunch", "minutes": 30}
HELLO = {"title": "Hello", "text": "Hello {name} on {number},\nthis is {agent}."}
VALID: list[tuple[str, Any]] = [
    ("dispositions", []),
    ("dispositions", [SOLD, {"code": "not-sold_2", "label": "لم يُبع"}]),
    ("away_reasons", [LUNCH, {"code": "other", "label": "Other", "minutes": None}]),
    ("quick_replies", [HELLO]),
    ("crm_url", "https://crm.example.com/search?q={number}&call={call_id}&n={name}"),
    ("crm_url", "http://crm.example.com:8080/{number}"),
    ("crm_url", "https://[::1]/#{name}"),
]
INVALID: list[tuple[str, Any, str]] = [
    ("dispositions", {}, "Write a list of at most 50 entries."),
    ("dispositions", [SOLD] * 51, "Write a list of at most 50 entries."),
    ("dispositions", ["sold"], "Entry 1: write an object with code, label."),
    ("dispositions", [SOLD, SOLD], "Entry 2: code: sold is there twice."),
    ("dispositions", [{**SOLD, "more": 1}], "Entry 1: write an object with code, label."),
    (
        "dispositions",
        [{"code": "Sold", "label": "x"}],
        "Entry 1: code: write 1 to 40 lower-case letters, digits, _ and -.",
    ),
    ("dispositions", [{"code": "a", "label": " "}], "Entry 1: label: write 1 to 80 characters of one line."),
    (
        "dispositions",
        [{"code": "a", "label": "a\nb"}],
        "Entry 1: label: write 1 to 80 characters of one line.",
    ),
    ("dispositions", [{"code": "a", "label": "\0"}], "Entry 1: label: write 1 to 80 characters of one line."),
    ("dispositions", [{"code": ["a"], "label": "a"}], "Entry 1: code: write 1 to 40 lower-case"),
    (
        "away_reasons",
        [{**LUNCH, "minutes": 0}],
        "Entry 1: minutes: write whole minutes from 1 to 1440, or null.",
    ),
    ("away_reasons", [{**LUNCH, "minutes": True}], "Entry 1: minutes: write whole minutes"),
    ("away_reasons", [SOLD], "Entry 1: write an object with code, label, minutes."),
    ("quick_replies", [{**HELLO, "text": "Hi {nmae}"}], "Entry 1: {nmae} is unknown: there are {name}"),
    ("quick_replies", [{**HELLO, "text": "x" * 1601}], "Entry 1: text: write 1 to 1600 characters."),
    ("quick_replies", [HELLO, HELLO], "Entry 2: title: Hello is there twice."),
    ("crm_url", "javascript:alert(1)//{number}", "Write an address that begins with https://"),
    ("crm_url", "https://{name}.example.com/", "Write an address that begins with https://"),
    ("crm_url", "https://crm.example.com{number}/", "Write an address that begins with https://"),
    ("crm_url", "https://user@crm.example.com/", "Write an address that begins with https://"),
    ("crm_url", "ftp://crm.example.com/", "Write an address that begins with https://"),
    ("crm_url", "https://crm.example.com/ {number}", "Write an address that begins with https://"),
    (
        "crm_url",
        "https://crm.example.com/{phone}",
        "{phone} is unknown: there are {number}, {call_id}, {name}.",
    ),
]


@pytest.mark.parametrize(("name", "value"), VALID)
def test_what_a_desk_can_use_is_accepted(name: str, value: Any) -> None:
    CHECKS[name](value)


@pytest.mark.parametrize(("name", "value", "message"), INVALID)
def test_what_a_desk_cannot_use_is_refused_with_the_reason(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        CHECKS[name](value)
    assert message in error.value.messages[0]


@pytest.mark.parametrize(("name", "value"), [each for each in VALID if each[0] in LINES])
def test_the_lines_of_a_form_are_the_stored_entries(name: str, value: Any) -> None:
    field = LinesField(required=False, **LINES[name])
    text = field.prepare_value(value)
    assert field.to_python(text) == value
    assert not field.has_changed(value, text)
    assert field.has_changed(value, f"{text}\nmore | More")
    assert field.prepare_value("typed") == "typed"


def test_a_line_of_the_form_without_its_parts_is_refused() -> None:
    reasons = LinesField(required=False, **LINES["away_reasons"])
    for text, message in (
        ("lunch", "Entry 1: write code | label"),
        ("a | A\nb | B | x", "Entry 2: minutes:"),
    ):
        with pytest.raises(ValidationError, match=r"Entry") as error:
            reasons.to_python(text)
        assert message in error.value.messages[0]
    assert reasons.has_changed([], "lunch")
    assert LinesField(required=False, **LINES["quick_replies"]).to_python("T | a | b") == [
        {"title": "T", "text": "a | b"}
    ]


@pytest.mark.django_db
def test_an_operator_sets_them_and_a_wrong_line_is_explained() -> None:
    acme = customer(crm_url="https://old.example.com/")
    root = superuser()
    fields = {"name": "Acme", "is_active": "on", "dispositions": "sold | Sold\r\n\r\nlost | Lost"}
    page = root.post(address(acme, "change"), {**fields, "away_reasons": "lunch | Lunch | 30", "crm_url": ""})
    assert page.was_saved, page.errors
    acme.refresh_from_db()
    assert acme.dispositions == [SOLD, {"code": "lost", "label": "Lost"}]
    assert (acme.away_reasons, acme.crm_url) == ([LUNCH], "")
    changes = json.loads(AuditRecord.objects.get(action="change", topic=f"customer:{acme.pk}").changes)
    assert changes["crm_url"] == ["https://old.example.com/", ""]
    assert "sold | Sold" in root.get(address(acme, "change")).text
    page = root.post(address(acme, "change"), {**fields, "quick_replies": "Hello | Hello {who}"})
    assert not page.was_saved
    assert "Entry 1: {who} is unknown" in str(page.errors)


@pytest.mark.django_db
def test_the_control_api_has_the_same_checks_and_me_serves_them() -> None:
    acme, globex, platform = customer(), customer("Globex"), customer("Platform")
    _, staff = access_key(platform, agent(platform, "staff"), may_control=True, may_publish=True)
    _, key = access_key(acme)

    def ask(method: str, path: str, secret: str, body: Any = None) -> Any:
        return Client().generic(
            method,
            path,
            json.dumps(body) if body is not None else "",
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}"},
        )

    path = f"/v1.0/control/customers/{acme.pk}"
    wanted = {"dispositions": [SOLD], "away_reasons": [LUNCH], "quick_replies": [HELLO], "crm_url": ""}
    answer = ask("PATCH", path, staff, wanted)
    assert answer.status_code == 200, answer.content
    for name, value, message in INVALID:
        answer = ask("PATCH", path, staff, {name: value})
        assert answer.status_code == 400
        # A body with NUL is refused before its fields are looked at.
        assert "\\u0000" in json.dumps(value) or message in answer.json()["errors"][0]["message"]
    assert ask("GET", "/v1.0/me", key).json()["desk"] == wanted
    _, foreign = access_key(globex)
    nothing = {"dispositions": [], "away_reasons": [], "quick_replies": [], "crm_url": ""}
    assert ask("GET", "/v1.0/me", foreign).json()["desk"] == nothing
    assert Customer.objects.get(pk=globex.pk).dispositions == []
