"""Every text for people is translated, and what is made of the catalogues is up to date; without GNU gettext."""

from __future__ import annotations

import gettext
import io
import re
from functools import cache

import pytest

from voipbin_ws.languages.catalogues import (
    PLURALS,
    Catalogue,
    mo_bytes,
    po_path,
    po_text,
    read_po,
    script_path,
    script_text,
)
from voipbin_ws.languages.sources import Text, texts_of_scripts, texts_of_server

SOURCES = {"django": cache(texts_of_server), "djangojs": cache(texts_of_scripts)}
WRITE = "run manage.py write_catalogues, and translate what it lists"
PLACES = re.compile(r"\{\w*\}|%\(\w+\)s|%[sd]|</?\w+|<br>")


@pytest.mark.parametrize("domain", SOURCES)
@pytest.mark.parametrize("language", PLURALS)
def test_a_catalogue_has_each_text_and_its_translation(language: str, domain: str) -> None:
    written = po_path(language, domain).read_text()
    known = read_po(written)
    missing = [text.text for text in SOURCES[domain]() if not all(known.get(text, [""]))]
    assert missing == [], WRITE
    assert written == po_text(language, SOURCES[domain](), known), WRITE


@pytest.mark.parametrize("domain", SOURCES)
@pytest.mark.parametrize("language", PLURALS)
def test_a_translation_has_the_places_of_its_text(language: str, domain: str) -> None:
    for text, values in read_po(po_path(language, domain).read_text()).items():
        for value in values:
            # The form for one may do without the number.
            wanted = sorted(PLACES.findall(text.plural or text.text))
            assert sorted(PLACES.findall(value)) == wanted, (text.text, value)
            assert value == value.strip() or text.text != text.text.strip(), value


@pytest.mark.parametrize("language", PLURALS)
def test_what_is_made_of_the_catalogues_is_up_to_date(language: str) -> None:
    plural_forms, names_of_forms = PLURALS[language]
    po = po_path(language, "django")
    assert po.with_suffix(".mo").read_bytes() == mo_bytes(plural_forms, read_po(po.read_text())), WRITE
    scripts = read_po(po_path(language, "djangojs").read_text())
    assert script_path(language).read_text() == script_text(names_of_forms, scripts), WRITE


def test_files_are_those_of_gnu_gettext() -> None:
    catalogue: Catalogue = {
        Text("Open"): ["Öffnen"],
        Text("Open", context="state"): ["offen"],
        Text("{count} call", "{count} calls"): ["{count} Anruf", "{count} Anrufe"],
        Text('A "quote"\nand a line'): ['Ein "Zitat"\nund eine Zeile'],
        Text("missing"): [""],
    }
    assert read_po(po_text("de", dict.fromkeys(catalogue, "a.py"), catalogue)) == catalogue
    made = gettext.GNUTranslations(io.BytesIO(mo_bytes(PLURALS["de"][0], catalogue)))
    assert made.gettext("Open") == "Öffnen"
    assert made.pgettext("state", "Open") == "offen"
    assert [made.ngettext("{count} call", "{count} calls", count)[8:] for count in (1, 2)] == [
        "Anruf",
        "Anrufe",
    ]
    assert made.gettext('A "quote"\nand a line') == 'Ein "Zitat"\nund eine Zeile'
    assert made.gettext("missing") == "missing"
