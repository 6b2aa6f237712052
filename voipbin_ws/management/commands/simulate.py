"""`manage.py simulate`: a simulated contact centre that publishes to a gateway over HTTP."""

from __future__ import annotations

import os
import secrets
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.domain.topics import is_canonical_uuid
from voipbin_ws.demo.simulation.commands import CommandQueue
from voipbin_ws.demo.simulation.desktop_watch import DesktopWatch
from voipbin_ws.demo.simulation.model.contact_centre import ContactCentre
from voipbin_ws.demo.simulation.model.load_profiles import PROFILES
from voipbin_ws.demo.simulation.model.tenants import ACME, tenant_of
from voipbin_ws.demo.simulation.platform_api import PlatformServer
from voipbin_ws.demo.simulation.publisher import Publisher, Refused
from voipbin_ws.demo.simulation.runner import StopSignal, run


class Command(BaseCommand):
    """The `simulate` command."""

    help = (
        "Publish the life of a contact centre: calls that ring, wait, are answered and end, messages, conferences, "
        "recordings. Ctrl-C ends every call and stops."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url",
            default=os.environ.get("VOIPBIN_API_URL", "http://127.0.0.1:8000"),
            help="the gateway's root ($VOIPBIN_API_URL, else http://127.0.0.1:8000)",
        )
        parser.add_argument(
            "--key",
            default=os.environ.get("VOIPBIN_PUBLISH_KEY", ""),
            help="an access key that may publish ($VOIPBIN_PUBLISH_KEY; on the command line others can see it)",
        )
        parser.add_argument(
            "--customer",
            default=os.environ.get("VOIPBIN_CUSTOMER_ID") or ACME.id,
            help="the key's customer ($VOIPBIN_CUSTOMER_ID, else the demo's Acme)",
        )
        parser.add_argument(
            "--profile", choices=list(PROFILES), default="steady", help="the kind of day (steady)"
        )
        parser.add_argument("--rate", type=float, help="calls a minute, up to 6000 (the profile's)")
        parser.add_argument("--seed", help="any text: the same seed gives the same events (random)")
        parser.add_argument("--duration", type=float, metavar="SECONDS", help="stop after so long")
        parser.add_argument(
            "--platform-port",
            type=int,
            metavar="PORT",
            help="accept commands there, as a platform's API (0 for a free port; $PLATFORM_API_KEY is asked for)",
        )
        parser.add_argument("--count", type=int, metavar="CALLS", help="stop after so many calls have ended")

    def handle(self, *args: Any, **options: Any) -> None:
        url = _checked(options)
        seed = options["seed"] if options["seed"] is not None else secrets.token_hex(4)
        centre = ContactCentre(
            tenant_of(options["customer"]),
            PROFILES[options["profile"]],
            seed=seed,
            start=datetime.now(UTC),
            rate=options["rate"],
            most_calls=options["count"],
        )
        self._print(f"Publishing to {url} for customer {options['customer']}, seed {seed}; Ctrl-C stops it")
        stop = StopSignal()
        commands = CommandQueue(stop.wake)
        with (
            stop,
            self._platform(options["platform_port"], commands, url, options["key"]),
            Publisher(url, options["key"], wait=stop.wait, report=self._print) as publisher,
        ):
            try:
                run(centre, publisher, commands, stop, seconds=options["duration"], report=self._print)
            except Refused as refusal:
                hint = ""
                if str(refusal).startswith("403"):
                    hint = " (name the key's customer with --customer)"
                raise CommandError(f"The gateway refuses what is published: {refusal}{hint}") from None
        self._print(f"Published {publisher.published} events about {centre.calls.begun} calls")

    def _platform(
        self, port: int | None, commands: CommandQueue, url: str, key: str
    ) -> AbstractContextManager[object]:
        """Return the platform API on this port, or an empty context if `port` is `None`."""
        if port is None:
            return nullcontext()
        try:
            platform = PlatformServer(port, os.environ.get("PLATFORM_API_KEY", ""), commands)
        except OSError as error:
            raise CommandError(f"--platform-port {port} cannot be used: {error.strerror}") from None
        self._print(f"Taking orders on {platform.url}")
        with ExitStack() as stack:
            stack.enter_context(platform)
            stack.enter_context(DesktopWatch(url, key, commands))
            return stack.pop_all()

    def _print(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _checked(options: dict[str, Any]) -> str:
    """Check all options; return the gateway's root."""
    try:
        parts = urlsplit(options["url"])
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise CommandError(f"--url {options['url']}: write the gateway's root, such as http://127.0.0.1:8000")
    key = options["key"]
    if not key or not key.isascii() or not key.isprintable():
        raise CommandError("Give an access key that may publish: --key vb_…, or VOIPBIN_PUBLISH_KEY=vb_…")
    if not is_canonical_uuid(options["customer"]):
        raise CommandError(f"--customer {options['customer']}: write the customer's UUID")
    if options["rate"] is not None and not 0 < options["rate"] <= 6000:
        raise CommandError("--rate: from above 0 to 6000 calls a minute")
    if options["platform_port"] is not None and not 0 <= options["platform_port"] <= 65535:
        raise CommandError("--platform-port: from 0 to 65535")
    for name in ("duration", "count"):
        if options[name] is not None and not 0 < options[name] < 1e9:
            raise CommandError(f"--{name}: write a number above 0")
    return f"{parts.scheme}://{parts.netloc}"
