"""`manage.py control_import`: create or replace rows from JSON lines or CSV."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.management.arguments import needs_database
from subscriptions.control.bulk_import import import_lines
from subscriptions.control.controller import Controller


class Command(BaseCommand):
    help = (
        "Create or replace customers, queues, agents, access keys and opt-outs from JSON lines or CSV, as PUT of the "
        "control API does. New access keys and invitations of new agents are printed once, as JSON lines."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="JSON lines or CSV in UTF-8; - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="check everything, store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            name = options["file"]
            text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The file cannot be read: {error}") from None
        with needs_database():
            origin = f"{settings.PUBLIC_URL}/"
            report = import_lines(Controller(None), text, dry_run=options["dry_run"], origin=origin)
        for secret in report.secrets:
            self.stdout.write(json.dumps(secret.as_json()))
        if not settings.PUBLIC_URL and any(secret.text.startswith("/") for secret in report.secrets):
            self.stderr.write("PUBLIC_URL is not set: put the gateway's address in front of links")
        for each in report.errors:
            where = f"{each.field}: " if each.field else ""
            self.stderr.write(f"line {each.line}: {where}{each.message}")
        counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in report.counts.items())
        summary = f"{'Dry run: ' if options['dry_run'] else ''}{counts or 'no lines'}"
        if report.errors:
            raise CommandError(summary)
        self.stderr.write(summary)
