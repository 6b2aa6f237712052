"""`manage.py prune_audit`: remove audit records older than their retention time."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from events.management.arguments import RUN_AGAIN, age, needs_database
from subscriptions.audit.store import BrokenChain, chain_ends, prune


class Command(BaseCommand):
    help = (
        "Remove audit records that are older than this. The chain stays valid: it starts after the last removed "
        "record, which is recorded as well. Explain cannot use connections whose records were removed, even while they "
        "are open. May run at any time beside the servers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=age,
            required=True,
            metavar="90d",
            help="How long records are kept: minutes (90m), hours (12h), days (90d) or weeks (52w).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with needs_database(RUN_AGAIN):
                removed = prune(timezone.now() - options["older_than"])
        except BrokenChain as error:
            raise CommandError(
                f"{error}.\nNothing was removed from there on, so that the traces stay: run manage.py verify_audit"
            ) from None
        floor, _ = chain_ends()
        self.stdout.write(f"Removed {removed} records; the chain begins after {floor}")
