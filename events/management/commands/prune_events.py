"""`manage.py prune_events`: remove events that are older than they need to be kept."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from events.models import CustomerLog
from events.retention import InvalidAge, Pruned, parse_age, prune
from events.topics import is_canonical_uuid


class Command(BaseCommand):
    help = (
        "Remove events that were stored longer ago than this, with the present state of what ended before then. The "
        "newest event of each customer and everything that has not ended stays. A client that comes back with a cursor "
        "from before is told that it was not recovered. Idempotency keys go with their events: a request that is "
        "repeated after that long is published again. It may run beside the servers, at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=_age,
            required=True,
            metavar="30d",
            help="How long events are kept: minutes (90m), hours (12h), days (30d) or weeks (4w).",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Tell what would be removed, and remove nothing."
        )
        parser.add_argument(
            "--customer",
            type=_customer,
            metavar="UUID",
            help="Only this customer's. Without it, everybody's.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stored_before = timezone.now() - options["older_than"]
        try:
            customer_ids = _customers(options["customer"])
            total = [0, 0]
            for customer_id in customer_ids:
                pruned = prune(customer_id, stored_before, dry_run=options["dry_run"])
                total = [total[0] + pruned.events, total[1] + pruned.states]
                if pruned.events or pruned.states:
                    self.stdout.write(_told(customer_id, pruned, dry_run=options["dry_run"]))
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(
                f"The database does not answer: {error}\nWhat was removed so far is removed; run it again for the rest."
            ) from None
        done = "Would remove" if options["dry_run"] else "Removed"
        self.stdout.write(f"{done} {_counted(*total)} of {len(customer_ids)} customers.")


def _told(customer_id: str, pruned: Pruned, *, dry_run: bool) -> str:
    done = "would remove" if dry_run else "removed"
    return f"{customer_id}: {done} {_counted(pruned.events, pruned.states)}; kept from number {pruned.floor + 1} on"


def _counted(events: int, states: int) -> str:
    return f"{events} events and {states} ended states"


def _customers(customer_id: str | None) -> Sequence[str]:
    logs = CustomerLog.objects.order_by("customer_id")
    if customer_id is None:
        return [str(each) for each in logs.values_list("customer_id", flat=True)]
    if not logs.filter(customer_id=customer_id).exists():
        raise CommandError(f"There are no events of customer {customer_id}.")
    return [customer_id]


def _age(text: str) -> Any:
    try:
        return parse_age(text)
    except InvalidAge as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _customer(text: str) -> str:
    if not is_canonical_uuid(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no UUID in lower case with dashes")
    return text
