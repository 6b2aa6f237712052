"""`manage.py renew_epochs`: give the logs new epochs after a backup was restored."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.log.epochs import renew_epochs
from events.management.arguments import customer_id, needs_database


class Command(BaseCommand):
    help = (
        "Give every customer's log a new epoch. Run it after a backup was restored, before the gateway is started: "
        "without it, a client could take the events that are numbered anew for those that it has seen already, and "
        "miss them silently. With it, returning clients are notified to load the current state again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--customer",
            type=customer_id,
            metavar="UUID",
            help="Only this customer's. Default: all customers.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with needs_database():
            count = renew_epochs(options["customer"])
        if options["customer"] and not count:
            raise CommandError(f"There are no events of customer {options['customer']}.")
        self.stdout.write(
            f"{count} logs have new epochs: clients with an older cursor are notified to load the state again."
        )
