"""`manage.py serve`: run one gateway process."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from voipbin_ws.asgi import application
from voipbin_ws.postgres import ImpatientConnection
from voipbin_ws.servers import SERVERS, PortInUse, listening_socket


class Command(BaseCommand):
    """The command."""

    help = "Run one gateway process under daphne or uvicorn, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--server", choices=sorted(SERVERS), default="daphne", help="the ASGI server (daphne)"
        )
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
        parser.add_argument(
            "--port", type=int, default=8000, help="the port, or 0 for any that is free (8000)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        ImpatientConnection.answer_seconds = settings.DATABASE_ANSWER_SECONDS
        try:
            bound = listening_socket(options["host"], options["port"])
        except PortInUse as error:
            raise CommandError(str(error)) from None
        SERVERS[options["server"]](application, bound)
