"""`manage.py write_catalogues`: bring the catalogues of texts up to date with the sources."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from voipbin_ws.languages.catalogues import (
    PLURALS,
    mo_bytes,
    po_path,
    po_text,
    read_po,
    script_path,
    script_text,
)
from voipbin_ws.languages.sources import texts_of_scripts, texts_of_server


class Command(BaseCommand):
    help = "Writes the texts of pages, scripts and admin into the catalogues, and what is made of these."

    def handle(self, *_: Any, **__: Any) -> None:
        for language, (plural_forms, names_of_forms) in PLURALS.items():
            for domain, found in (("django", texts_of_server()), ("djangojs", texts_of_scripts())):
                path = po_path(language, domain)
                path.parent.mkdir(parents=True, exist_ok=True)
                known = read_po(path.read_text()) if path.exists() else {}
                path.write_text(po_text(language, found, known))
                catalogue = read_po(path.read_text())
                if domain == "django":
                    path.with_suffix(".mo").write_bytes(mo_bytes(plural_forms, catalogue))
                else:
                    script_path(language).parent.mkdir(exist_ok=True)
                    script_path(language).write_text(script_text(names_of_forms, catalogue))
                for text, values in catalogue.items():
                    if not all(values):
                        self.stdout.write(f"{path.relative_to(path.parents[4])}: missing: {text.text}")
