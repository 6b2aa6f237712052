"""The command `manage.py listen`, which prints events in the terminal."""

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

from subscriptions.management.event_line import event_line, printable

DEFAULT_URL = "ws://127.0.0.1:8000/v1.0/ws"
INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended, as shells report it."""

EPILOG = """examples:
  manage.py listen customer_id:12345678-1234-1234-1234-123456789012
  manage.py listen 'customer_id:12345678-1234-1234-1234-123456789012:call:*' --json | jq .data.status
"""


class OutputClosed(Exception):
    """The reader of the output has closed its pipe."""


class Command(BaseCommand):
    """The command; a client like any other, which needs no database."""

    help = "Print the events of topics, across lost connections and restarts of the gateway, without missing one."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog, parser.formatter_class = EPILOG, RawDescriptionHelpFormatter
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
            help="the credential, a JWT or an access key (VOIPBIN_TOKEN, which the list of processes does not show)",
        )
        parser.add_argument("--since", metavar="CURSOR", help="begin with the events after this cursor")
        parser.add_argument(
            "--json", action="store_true", help="print each event as a line of JSON, as received"
        )
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
        except (BrokenPipeError, OutputClosed):
            # Else Python reports the closed pipe once more when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    async def _listen(self, options: dict[str, Any]) -> None:
        try:
            client = EventClient(
                options["url"],
                token=options["token"],
                topics=options["topics"],
                cursor=options["since"],
                batch=options["batch"],
                on_state=self._show_state,
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        remaining = set(options["topics"])
        async with client, _until_output_closes():
            try:
                async for item in client:
                    self._show(item, as_json=options["json"])
                    if isinstance(item, Refusal):
                        remaining.difference_update(item.topics)
                    if not remaining:
                        raise CommandError("None of the topics is subscribed")
            except Terminated as error:
                raise CommandError(error.message) from None

    def _show(self, item: Event | Gap | Refusal, *, as_json: bool) -> None:
        match item:
            case Event():
                if as_json:
                    line = json.dumps(item.frame, ensure_ascii=False)
                else:
                    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
                    line = event_line(item, colour=colour)
                # Not Django's self.stdout, which adds colours and line ends.
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
            case Gap():
                self._log(f"Events may be missing here: {item.reason}")
            case Refusal():
                self._log(f"Refused {', '.join(item.topics)}: {item.message}")

    def _show_state(self, change: StateChange) -> None:
        if change.current is State.RECONNECTING:
            problems = {State.CONNECTING: "No connection yet", State.CONNECTED: "Connection lost"}
            problem = problems.get(change.previous, "Still no connection")
            self._log(f"{problem} ({change.reason}), trying again in {change.retry_in:.1f} s")
        elif change.current is State.CONNECTED and change.previous is State.RECONNECTING:
            self._log("Connected again, nothing was missed" if change.recovered else "Connected again")

    def _log(self, text: str) -> None:
        sys.stderr.write(f"{printable(text)}\n")
        sys.stderr.flush()


@contextlib.asynccontextmanager
async def _until_output_closes() -> AsyncIterator[None]:
    """Raise OutputClosed in the block once the reader of the output has closed its pipe.

    Without that, the command would end only with the next event, which may be hours away.
    """
    output = sys.stdout.fileno()
    if not stat.S_ISFIFO(os.fstat(output).st_mode):
        yield
        return
    loop = asyncio.get_running_loop()
    block = asyncio.timeout(None)

    def close() -> None:
        loop.remove_reader(output)
        block.reschedule(loop.time())

    # The writing end of a pipe becomes readable only when its reading end is closed.
    loop.add_reader(output, close)
    try:
        async with block:
            yield
    except TimeoutError:
        if block.expired():
            raise OutputClosed from None
        raise
    finally:
        loop.remove_reader(output)
