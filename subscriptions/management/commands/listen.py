"""`manage.py listen`: print events in the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import stat
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import AsyncIterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from voipbin_ws_client import Event, EventClient, Gap, Refusal, State, StateChange, Terminated
from voipbin_ws_client.event_line import event_line, printable

DEFAULT_URL = "ws://127.0.0.1:8000/v1.0/ws"
INTERRUPTED = 130
"""Exit status of a program that Ctrl-C has ended, as shells report it."""

EPILOG = """examples:
  manage.py listen customer_id:12345678-1234-1234-1234-123456789012
  manage.py listen 'customer_id:12345678-1234-1234-1234-123456789012:call:*' --json | jq .data.status
"""


class ReaderLeft(Exception):
    """The reader of the output has closed the pipe."""


class Command(BaseCommand):
    """The command, which is an ordinary client and needs no database."""

    help = "Follow the events of topics, through lost connections and restarts of the gateway, without missing one."
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, epilog=EPILOG, **options)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "topics", nargs="+", metavar="TOPIC", help="such as customer_id:<id>:call:* or agent_id:<id>"
        )
        parser.add_argument(
            "--url",
            default=os.environ.get("VOIPBIN_WS_URL") or DEFAULT_URL,
            help=f"the gateway (VOIPBIN_WS_URL, or {DEFAULT_URL})",
        )
        parser.add_argument(
            "--token",
            default=os.environ.get("VOIPBIN_TOKEN"),
            help="the credential, a JWT or an access key (VOIPBIN_TOKEN, which no list of processes shows)",
        )
        parser.add_argument("--since", metavar="CURSOR", help="begin with what came after this cursor")
        parser.add_argument("--json", action="store_true", help="one event a line, as it came")
        parser.add_argument(
            "--batch", action="store_true", help="let the gateway send several events at once"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["token"] and "token=" not in options["url"] and "accesskey=" not in options["url"]:
            raise CommandError("There is no credential: set VOIPBIN_TOKEN, or give --token")
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            asyncio.run(self._listen(options))
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except (BrokenPipeError, ReaderLeft):
            # Otherwise Python reports the closed pipe again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    async def _listen(self, options: dict[str, Any]) -> None:
        try:
            client = EventClient(
                options["url"],
                token=options["token"],
                topics=options["topics"],
                cursor=options["since"],
                batch=options["batch"],
                on_state=self._report,
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        left = set(options["topics"])
        async with client, _until_reader_leaves():
            try:
                async for item in client:
                    self._show(item, as_json=options["json"])
                    if isinstance(item, Refusal):
                        left.difference_update(item.topics)
                    if not left:
                        raise CommandError("None of the topics is permitted")
            except Terminated as error:
                raise CommandError(error.message) from None

    def _show(self, item: Event | Gap | Refusal, *, as_json: bool) -> None:
        match item:
            case Event():
                if as_json:
                    line = json.dumps(item.frame, ensure_ascii=False)
                else:
                    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
                    line = event_line(item.type, item.timestamp, item.topic, item.data, colour=colour)
                # Not Django's wrapper, which adds colours and line ends.
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
            case Gap():
                self._say(f"Events may be missing here: {item.reason}")
            case Refusal():
                self._say(f"Refused {', '.join(item.topics)}: {item.message}")

    def _report(self, change: StateChange) -> None:
        match change.current:
            case State.RECONNECTING if change.previous is State.CONNECTING:
                self._say(f"No connection yet ({change.reason}), trying again in {change.retry_in:.1f} s")
            case State.RECONNECTING if change.previous is State.CONNECTED:
                self._say(f"Connection lost ({change.reason}), trying again in {change.retry_in:.1f} s")
            case State.RECONNECTING:
                self._say(f"Still no connection ({change.reason}), trying again in {change.retry_in:.1f} s")
            case State.CONNECTED if change.previous is State.RECONNECTING:
                self._say("Connected again, nothing was missed" if change.recovered else "Connected again")

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{printable(text)}\n")
        sys.stderr.flush()


@contextlib.asynccontextmanager
async def _until_reader_leaves() -> AsyncIterator[None]:
    """End the block with ReaderLeft when the output pipe is closed.

    Writing would notice that only at the next event, which may be hours away.
    """
    output = sys.stdout.fileno()
    if not stat.S_ISFIFO(os.fstat(output).st_mode):
        yield
        return
    loop = asyncio.get_running_loop()
    block = asyncio.timeout(None)

    def left() -> None:
        loop.remove_reader(output)
        block.reschedule(loop.time())

    # The writing end of a pipe becomes readable only when its reader has closed it.
    loop.add_reader(output, left)
    try:
        async with block:
            yield
    except TimeoutError:
        if block.expired():
            raise ReaderLeft from None
        raise
    finally:
        loop.remove_reader(output)
