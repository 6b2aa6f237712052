"""`manage.py verify_audit`: find changed, removed and inserted audit records."""

from __future__ import annotations

import argparse
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.management.arguments import needs_database
from subscriptions.audit.chain import End
from subscriptions.audit.head_file import LastVerification, parse_end, read_last, write_last
from subscriptions.audit.store import Verification, verify


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

        parser.add_argument(
            "--remember",
            action="store_true",
            help="For a timer: compare with the head that the last run with this option stored in AUDIT_HEAD_FILE, and "
            "store the new one there with the result, which the metrics show.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        last = read_last() if options["remember"] else None
        noted = options["noted"] or (last.head if last else None)
        with needs_database():
            found = verify(noted)
        self.stdout.write(_summary(found))
        problems = _problems(found, noted)
        if options["remember"]:
            # After a problem the last good head stays, so that the next run finds it too.
            head = (last.head if last else None) if problems else found.head
            write_last(LastVerification(time.time(), len(problems), head))
        if problems:
            raise CommandError("\n".join(["The audit log is not as it was written:", *problems]))
        if noted is not None and found.is_noted_head is None:
            self.stdout.write(
                "The record of the noted head has been pruned since, so it says nothing any more."
            )
        self.stdout.write(self.style.SUCCESS("The chain is whole."))


def _problems(found: Verification, noted: End | None) -> list[str]:
    problems = [finding.message for finding in found.findings]
    if found.damaged > len(problems):
        problems.append(f"and {found.damaged - len(problems)} more")
    if noted is not None and found.is_noted_head is False:
        problems.append(
            f"The noted head is not in the chain: what was number {noted.position} is not there as it was"
        )
    return problems


def _summary(found: Verification) -> str:
    kept = f"{found.count} records"
    if found.floor.position:
        kept += f", after {found.floor.position} that were pruned"
    return f"{kept}\nHead: {found.head}"


def _end(text: str) -> End:
    if (end := parse_end(text)) is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no head: write it as it was printed, a number, a colon and 64 hex digits"
        )
    return end
