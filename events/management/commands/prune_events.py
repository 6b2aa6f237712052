"""`manage.py prune_events`: delete events older than the retention period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from events.log.retention import Pruned, prune
from events.management.arguments import RUN_AGAIN, age, customer_id, needs_database
from events.models import CustomerLog


class Command(BaseCommand):
    help = (
        "Remove events that were stored longer ago than this, with the present state of resources that ended before "
        "then. The newest event of each customer and everything that has not ended stays. A client that returns with "
        "an older cursor is notified that it was not recovered. Idempotency keys go with their events: a request "
        "that is repeated after that long is published again. It may run beside the servers, at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=age,
            required=True,
            metavar="30d",
            help="How long events are kept: minutes (90m), hours (12h), days (30d) or weeks (4w).",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Tell what would be removed, and remove nothing."
        )
        parser.add_argument(
            "--customer",
            type=customer_id,
            metavar="UUID",
            help="Only this customer's. Without it, everybody's.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stored_before = timezone.now() - options["older_than"]
        with needs_database(RUN_AGAIN):
            customers = _customers(options["customer"])
            total = [0, 0]
            for each in customers:
                pruned = prune(each, stored_before, dry_run=options["dry_run"])
                total = [total[0] + pruned.events, total[1] + pruned.states]
                if pruned.events or pruned.states:
                    self.stdout.write(_line(each, pruned, dry_run=options["dry_run"]))
        done = "Would remove" if options["dry_run"] else "Removed"
        self.stdout.write(f"{done} {_counted(*total)} of {len(customers)} customers.")


def _line(customer: str, pruned: Pruned, *, dry_run: bool) -> str:
    done = "would remove" if dry_run else "removed"
    return (
        f"{customer}: {done} {_counted(pruned.events, pruned.states)}; kept from number {pruned.floor + 1} on"
    )


def _counted(events: int, states: int) -> str:
    return f"{events} events and {states} ended states"


def _customers(customer: str | None) -> Sequence[str]:
    logs = CustomerLog.objects.order_by("customer_id")
    if customer is None:
        return [str(each) for each in logs.values_list("customer_id", flat=True)]
    if not logs.filter(customer_id=customer).exists():
        raise CommandError(f"There are no events of customer {customer}.")
    return [customer]
