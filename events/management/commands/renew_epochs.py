"""`manage.py renew_epochs`: to be run once after a backup was restored."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from events.restoring import renew_epochs
from events.topics import is_canonical_uuid


class Command(BaseCommand):
    """The command."""

    help = (
        "Give every customer's log a new epoch. Run it after a backup was restored, before the gateway is started: "
        "without it, a client could take the events that are numbered anew for those that it has seen already, and "
        "miss them without a word. With it, clients that come back are told to load the current state anew."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--customer",
            type=_customer,
            metavar="UUID",
            help="Only this customer's. Without it, everybody's.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = renew_epochs(options["customer"])
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(f"The database does not answer: {error}") from None
        if options["customer"] and not count:
            raise CommandError(f"There are no events of customer {options['customer']}.")
        self.stdout.write(
            f"{count} logs have new epochs: clients with a cursor from before are told to load the state anew."
        )


def _customer(text: str) -> str:
    if not is_canonical_uuid(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no UUID in lower case with dashes")
    return text
