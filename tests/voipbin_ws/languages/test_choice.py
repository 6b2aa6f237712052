"""Who is answered in which language."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.utils import translation

from subscriptions.admin.access_keys.form import AccessKeyForm, DisplayForm
from subscriptions.auth.password_hashing import TooManyLogins
from tests.support.processes import ROOT
from voipbin_ws.http.error_pages import failed, refuse_hashes
from voipbin_ws.languages.catalogues import PLURALS

pytestmark = pytest.mark.django_db


def get(path: str, accept: str = "de", cookie: str = "") -> Any:
    client = Client(headers={"Accept-Language": accept})
    if cookie:
        client.cookies["django_language"] = cookie
    return client.get(path)


@pytest.mark.parametrize("path", ["/", "/agent", "/console", "/docs", "/admin/login/", "/nothing-here"])
def test_people_are_answered_in_the_language_of_their_choice_or_browser(path: str) -> None:
    for answer, language in (
        (get(path, "de-AT, en;q=0.5"), "de"),
        (get(path, "es-MX"), "es"),
        (get(path, "fr"), "en"),
        (get(path, "de", cookie="es"), "es"),
        (get(path, "de", cookie="tlh"), "de"),
    ):
        assert f'<html lang="{language}"' in answer.content.decode()
        assert answer["Content-Language"] == language
        assert {"Accept-Language", "Cookie"} <= set(answer["Vary"].split(", "))
    assert translation.get_language() == "en"


@pytest.mark.parametrize("path", ["/", "/admin/login/"])
def test_each_language_is_offered_in_itself(path: str) -> None:
    shown = get(path).content.decode()
    if path == "/":
        assert all(f">{name}</option>" in shown for name in ("English", "Deutsch", "Español"))
    assert "Englisch" not in shown


def test_pages_load_the_texts_of_their_scripts() -> None:
    assert "languages/de.js" in get("/").content.decode()
    assert "languages/" not in get("/", "en").content.decode()


@pytest.mark.parametrize("path", ["/v1.0/me", "/v1.0/nothing-here", "/auth/login", "/healthz"])
def test_programs_are_answered_in_english(path: str) -> None:
    german, english = get(path), get(path, "en")
    assert german.content == english.content
    assert "Content-Language" not in german
    assert "Accept-Language" not in german.get("Vary", "")


def test_pages_of_errors_are_in_the_language_of_the_person() -> None:
    request = RequestFactory().get("/admin/")
    request.request_id = "r-1"  # type: ignore[attr-defined]
    with translation.override("de"):
        assert "Hier ist etwas fehlgeschlagen; protokolliert unter r-1." in failed(request).content.decode()
        busy = refuse_hashes(failed).process_exception(request, TooManyLogins(wait=7))
        assert "Versuchen Sie es in 7 Sekunden erneut." in busy.content.decode()


def test_a_form_of_the_admin_has_a_label_for_each_field_of_its_own() -> None:
    """A label that Django makes of the name of a field is in English."""
    pages = admin.site._registry.values()
    forms = [each.form for each in pages if each.form.__module__.startswith("subscriptions")]
    forms += [AccessKeyForm, DisplayForm]
    declared = {name: field for form in forms for name, field in form.declared_fields.items()}
    assert {"queues", "granted_resources", "agents"} <= set(declared)
    hidden = [name for name, field in declared.items() if field.widget.is_hidden]
    assert [name for name, field in declared.items() if not field.label and name not in hidden] == []


def test_what_the_admin_writes_before_a_cell_is_in_each_language() -> None:
    styles = (ROOT / "voipbin_ws/static/voipbin_ws/admin/admin.css").read_text()
    rules = re.findall(r'^ *(.+)::before \{ content: "[^"]*[a-z]', styles, re.MULTILINE)
    english = {rule for rule in rules if ":lang(" not in rule}
    assert len(english) > 5
    for language in PLURALS:
        assert {
            rule.removeprefix(f":lang({language}) ") for rule in rules if f":lang({language})" in rule
        } == english
