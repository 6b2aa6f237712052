"""`manage.py demo`: what `make run` runs."""

from __future__ import annotations

import signal
import socket
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from voipbin_ws.demo.banner import greeting
from voipbin_ws.demo.cleanup import NotTaken, end_leftovers
from voipbin_ws.demo.command_relay import StandIn
from voipbin_ws.demo.processes import Process, end_in_order
from voipbin_ws.demo.seeding import Demo, NotTheDemos, prepare_database
from voipbin_ws.demo.simulation.model.tenants import ACME, GLOBEX
from voipbin_ws.environment import flag, read, whole
from voipbin_ws.servers.run import PortInUse, listening_socket
from voipbin_ws.settings import VAR_DIR

HOST = "127.0.0.1"
"""Everybody knows the demo's passwords, so it is for this machine alone."""

PROFILES = {ACME.id: "steady", GLOBEX.id: "quiet"}
STARTS_WITHIN = 60.0
LOOK_EVERY = 0.1


class Command(BaseCommand):
    """The command."""

    help = (
        "Run the gateway with a demo contact centre and a simulator, until Ctrl-C. "
        "Environment: PORT (8000), SIMULATE (1), DATABASE_URL."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            port = read("PORT", whole(1, 65535), 8000, "8123")
            simulate = read("SIMULATE", flag, True, "0")
            listening_socket(HOST, port).close()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        except PortInUse as error:
            raise CommandError(f"{error}: PORT={_another(port)} make run") from None
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, _interrupt)
        responders: list[Process] = []
        simulators: list[Process] = []
        servers: list[Process] = []
        try:
            demo = self._prepared()
            platform = StandIn(tuple(PROFILES)) if simulate and not settings.PLATFORM_API_URLS else None
            servers.append(
                Process(
                    "gateway",
                    "manage.py",
                    ["serve", "--host", HOST, "--port", str(port)],
                    VAR_DIR / "gateway.log",
                    platform.environment if platform else None,
                )
            )
            self._wait_until_it_listens(servers[0], port)
            self._end_leftovers(port, demo)
            if platform:
                responders.append(_responder(port, demo, platform))
                self._wait_until_it_says(responders[0], "Listening")
            if simulate:
                simulators += [_simulator(port, customer_id, demo, platform) for customer_id in PROFILES]
            self._say(greeting(demo, port, simulating=simulate, responding=bool(responders)))
            self._watch([*servers, *simulators, *responders])
        except KeyboardInterrupt:
            self._say("\nStopping.")
        finally:
            # Nobody is asked for what is not there any more.
            end_in_order(responders, simulators, servers)

    def _prepared(self) -> Demo:
        try:
            return prepare_database()
        except NotTheDemos as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {str(error).splitlines()[0]}") from None
        finally:
            connections.close_all()

    def _end_leftovers(self, port: int, demo: Demo) -> None:
        try:
            end_leftovers(f"http://{HOST}:{port}", demo.keys.publish)
        except (NotTaken, DatabaseError) as error:
            raise CommandError(f"Calls of an earlier run cannot be ended: {error}") from None
        finally:
            connections.close_all()

    def _wait_until_it_listens(self, server: Process, port: int) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline:
            self._require_running(server)
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex((HOST, port)) == 0:
                    return
            time.sleep(LOOK_EVERY)
        raise CommandError(f"The gateway did not listen within {STARTS_WITHIN:g} seconds (see {server.log})")

    def _wait_until_it_says(self, process: Process, word: str) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while not process.has_said(word):
            self._require_running(process)
            if time.monotonic() > deadline:
                raise CommandError(
                    f"The {process.name} was not ready within {STARTS_WITHIN:g} seconds (see {process.log})"
                )
            time.sleep(LOOK_EVERY)

    def _watch(self, processes: list[Process]) -> None:
        """Return never, but raise: CommandError when one of them ends, KeyboardInterrupt when we are to stop."""
        while True:
            for process in processes:
                self._require_running(process)
            time.sleep(LOOK_EVERY)

    def _require_running(self, process: Process) -> None:
        if process.running:
            return
        said = "\n".join(f"  {line}" for line in process.last_words()) or "  (nothing)"
        raise CommandError(
            f"The {process.name} ended by itself (exit code {process.returncode}), so everything stops. "
            f"The end of {process.log}:\n{said}"
        )

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _simulator(port: int, customer_id: str, demo: Demo, platform: StandIn | None) -> Process:
    centre = ACME if customer_id == ACME.id else GLOBEX
    orders = ["--platform-port", str(platform.release(customer_id))] if platform else []
    return Process(
        f"simulator of {centre.name}",
        "manage.py",
        ["simulate", "--url", f"http://{HOST}:{port}", "--profile", PROFILES[customer_id], *orders],
        VAR_DIR / f"simulator-{centre.name.lower()}.log",
        {
            "VOIPBIN_PUBLISH_KEY": demo.keys.publish[customer_id],
            "VOIPBIN_CUSTOMER_ID": customer_id,
            **(platform.environment if platform else {}),
        },
    )


def _responder(port: int, demo: Demo, platform: StandIn) -> Process:
    """The one that answers Acme's customers; only ever by the stand-in, for nobody real is to be written to."""
    return Process(
        "auto-responder",
        "examples/auto_responder.py",
        ["--database", str(VAR_DIR / "auto-responder.sqlite3")],
        VAR_DIR / "auto-responder.log",
        {
            "VOIPBIN_WS_URL": f"ws://{HOST}:{port}/v1.0/ws",
            "VOIPBIN_TOKEN": demo.keys.responder,
            "VOIPBIN_CUSTOMER_ID": ACME.id,
            "PLATFORM_API_URL": platform.url_of[ACME.id],
            "PLATFORM_API_KEY": platform.key,
        },
    )


def _another(port: int) -> int:
    return port + 1 if port < 65535 else 8000


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
