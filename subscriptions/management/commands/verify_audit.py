"""`manage.py verify_audit`: find changed, removed and inserted audit records."""

from __future__ import annotations

import argparse
import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.management.arguments import needs_database
from subscriptions.audit.chain import End
from subscriptions.audit.store import Verification, verify

_END = re.compile(r"(0|[1-9][0-9]{0,17}):([0-9a-f]{64})", re.ASCII)


class Command(BaseCommand):
    help = (
        "Verify the chain of the audit log: each record is sealed with a digest over itself and the record before it. "
        "Prints the number of records and the head of the chain. Note the head outside the database: with write access "
        "to that, a changed log could be sealed again, which only an earlier head shows. The exit status is 1 if "
        "records were changed, removed or inserted. May run at any time beside the servers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--noted",
            type=_end,
            metavar="HEAD",
            help="A head that an earlier run printed: the record must still be there as it was.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        noted = options["noted"]
        with needs_database():
            found = verify(noted)
        self.stdout.write(_summary(found))
        problems = [finding.message for finding in found.findings]
        if found.damaged > len(problems):
            problems.append(f"and {found.damaged - len(problems)} more")
        if noted is not None and found.is_noted_head is False:
            problems.append(
                f"The noted head is not in the chain: what was number {noted.position} is not there as it was"
            )
        if problems:
            raise CommandError("\n".join(["The audit log is not as it was written:", *problems]))
        if noted is not None and found.is_noted_head is None:
            self.stdout.write(
                "The record of the noted head has been pruned since, so it says nothing any more."
            )
        self.stdout.write(self.style.SUCCESS("The chain is whole."))


def _summary(found: Verification) -> str:
    kept = f"{found.count} records"
    if found.floor.position:
        kept += f", after {found.floor.position} that were pruned"
    return f"{kept}\nHead: {found.head}"


def _end(text: str) -> End:
    parts = _END.fullmatch(text)
    if parts is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no head: write it as it was printed, a number, a colon and 64 hex digits"
        )
    return End(int(parts[1]), parts[2])
