"""`manage.py serve`: one gateway process, or several on one port."""

from __future__ import annotations

import argparse
import functools
import gc
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from voipbin_ws.asgi import application
from voipbin_ws.postgres import GatewayConnection
from voipbin_ws.servers.run import SERVERS, PortUnavailable, address_of, listening_socket, print_address
from voipbin_ws.servers.supervisor import NeverServed, Workers

MAX_WORKERS = 256


class Command(BaseCommand):
    """The `serve` command."""

    help = (
        "Run the gateway under daphne or uvicorn, until SIGTERM or Ctrl-C: one process, or several on the same port. "
        "The exit code is 0 if every client was notified to reconnect."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--server", choices=sorted(SERVERS), default="daphne", help="the ASGI server (daphne)"
        )
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
        parser.add_argument(
            "--port", type=int, default=8000, help="the port, or 0 for any that is free (8000)"
        )

        parser.add_argument(
            "--workers", type=_workers, default=1, help="processes; more than one use more than one core (1)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        GatewayConnection.answer_seconds = settings.DATABASE_ANSWER_SECONDS
        try:
            bound = listening_socket(options["host"], options["port"])
        except PortUnavailable as error:
            raise CommandError(str(error)) from None
        serve = functools.partial(SERVERS[options["server"]], application, bound)
        announce_ready = functools.partial(print_address, address_of(bound))
        # What is loaded now stays: collections need not visit it again, and workers share its memory.
        gc.collect()
        gc.freeze()
        if options["workers"] == 1:
            serve(announce_ready)
            return
        try:
            code = Workers(options["workers"], bound, serve, announce_ready).run()
        except NeverServed as error:
            raise CommandError(str(error)) from None
        if code:
            raise CommandError("A worker did not end in order", returncode=code)


def _workers(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MAX_WORKERS}")
    return int(text)
