"""The catalogues of translated texts: .po to edit, .mo for the server, scripts for pages.

The formats are those of GNU gettext (its manual, "The Format of PO Files" and "The Format of GNU MO Files").
"""

from __future__ import annotations

import ast
import json
import struct
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.utils.translation import to_locale

from voipbin_ws.languages.sources import SCRIPTS, Found, Text

PLURALS = {
    "de": ("nplurals=2; plural=(n != 1);", ("one", "other")),
    "es": ("nplurals=2; plural=(n != 1);", ("one", "other")),
}
"""Each language with a catalogue: its forms for numbers, and their names in `Intl.PluralRules`."""

Catalogue = dict[Text, list[str]]
"""The translations of each text: one, or with a plural one for each form; "" if it is missing."""


def po_path(language: str, domain: str) -> Path:
    """Return the file to edit; the domain is `django`, or `djangojs` for the scripts' texts."""
    folder = Path(settings.BASE_DIR) / "voipbin_ws" / "locale" / to_locale(language) / "LC_MESSAGES"
    return folder / f"{domain}.po"


def script_path(language: str) -> Path:
    """Return the file that pages load before their scripts."""
    return Path(settings.BASE_DIR) / SCRIPTS / "languages" / f"{language}.js"


def read_po(text: str) -> Catalogue:
    """Return the translations of a .po file, without its header; fuzzy ones are missing."""
    catalogue: Catalogue = {}
    for block in text.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if not line.startswith('"'):
                name, _, line = line.partition(" ")
            fields[name] = fields.get(name, "") + ast.literal_eval(line)
        if not fields.get("msgid"):
            continue
        key = Text(fields["msgid"], fields.get("msgid_plural", ""), fields.get("msgctxt", ""))
        values = [value for name, value in fields.items() if name.startswith("msgstr")]
        catalogue[key] = [""] * len(values) if "#, fuzzy" in block else values
    return catalogue


def po_text(language: str, found: Found, known: Catalogue) -> str:
    """Return a .po file of these texts, with their known translations."""
    forms = PLURALS[language][0]
    header = (f"Language: {language}", "Content-Type: text/plain; charset=UTF-8", f"Plural-Forms: {forms}")
    lines = "\n".join(_quoted(f"{line}\n") for line in header)
    blocks = [f'msgid ""\nmsgstr ""\n{lines}']
    # Not in the order of the source: a text that moves within its file changes nothing here.
    for file, text in sorted((file, text) for text, file in found.items()):
        values = known.get(text, [])
        block = [f"#: {file}"]
        if text.context:
            block.append(f"msgctxt {_quoted(text.context)}")
        block.append(f"msgid {_quoted(text.text)}")
        if text.plural:
            block.append(f"msgid_plural {_quoted(text.plural)}")
            count = len(PLURALS[language][1])
            for place, value in enumerate((values + [""] * count)[:count]):
                block.append(f"msgstr[{place}] {_quoted(value)}")
        else:
            block.append(f"msgstr {_quoted(values[0] if values else '')}")
        blocks.append("\n".join(block))
    return "\n\n".join(blocks) + "\n"


def mo_bytes(plural_forms: str, catalogue: Mapping[Text, list[str]]) -> bytes:
    """Return a .mo file of the translations that exist."""
    header = f"Content-Type: text/plain; charset=UTF-8\nPlural-Forms: {plural_forms}\n"
    entries = {b"": header.encode()}
    for text, values in catalogue.items():
        if all(values):
            key = (
                f"{text.context}\x04" * bool(text.context)
                + text.text
                + f"\0{text.plural}" * bool(text.plural)
            )
            entries[key.encode()] = "\0".join(values).encode()
    pairs = sorted(entries.items())
    tables, texts = [b"", b""], b""
    start = 28 + 16 * len(pairs)
    for side in (0, 1):
        for pair in pairs:
            tables[side] += struct.pack("<2I", len(pair[side]), start + len(texts))
            texts += pair[side] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + tables[0] + tables[1] + texts


def script_text(names_of_forms: tuple[str, ...], catalogue: Mapping[Text, list[str]]) -> str:
    """Return a script that gives the pages' gettext.js its translations."""
    texts = {
        text.text: dict(zip(names_of_forms, values, strict=True)) if text.plural else values[0]
        for text, values in catalogue.items()
        if all(values)
    }
    content = json.dumps(texts, ensure_ascii=False, indent=0)
    return f"// Written by manage.py write_catalogues.\nObject.assign(globalThis, {{ translatedTexts: {content} }});\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
