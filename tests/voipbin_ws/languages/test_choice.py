"""Who is answered in which language."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import translation

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


def test_pages_load_the_texts_of_their_scripts() -> None:
    assert "languages/de.js" in get("/").content.decode()
    assert "languages/" not in get("/", "en").content.decode()


@pytest.mark.parametrize("path", ["/v1.0/me", "/v1.0/nothing-here", "/auth/login", "/healthz"])
def test_programs_are_answered_in_english(path: str) -> None:
    german, english = get(path), get(path, "en")
    assert german.content == english.content
    assert "Content-Language" not in german
    assert "Accept-Language" not in german.get("Vary", "")
