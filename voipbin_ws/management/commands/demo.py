"""`manage.py demo`: the demo, as `make run` runs it."""

from __future__ import annotations

import fcntl
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from voipbin_ws.demo.banner import banner
from voipbin_ws.demo.cleanup import NotPublished, end_unfinished
from voipbin_ws.demo.command_relay import CommandRelay
from voipbin_ws.demo.processes import Process, end_in_order
from voipbin_ws.demo.seeding import Demo, ForeignDatabase, prepare_database
from voipbin_ws.demo.simulation.model.tenants import ACME, GLOBEX, Tenant
from voipbin_ws.environment import flag, read, whole
from voipbin_ws.servers.run import PortUnavailable, listening_socket
from voipbin_ws.settings import VAR_DIR

HOST = "127.0.0.1"
"""The demo's passwords are public, so it is reachable from this machine alone."""

PROFILES = {ACME: "steady", GLOBEX: "quiet"}
START_SECONDS = 60.0
POLL_SECONDS = 0.1


class Command(BaseCommand):
    """The `demo` command."""

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
        except PortUnavailable as error:
            raise CommandError(f"{error}: PORT={port + 1 if port < 65535 else 8000} make run") from None
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, _interrupt)
        responders: list[Process] = []
        simulators: list[Process] = []
        servers: list[Process] = []
        try:
            self._require_alone()
            demo = self._prepare()
            platform = (
                CommandRelay([tenant.id for tenant in PROFILES])
                if simulate and not settings.PLATFORM_API_URLS
                else None
            )
            servers.append(
                Process(
                    "gateway",
                    "manage.py",
                    ["serve", "--host", HOST, "--port", str(port)],
                    VAR_DIR / "gateway.log",
                    platform.environment if platform else None,
                )
            )
            self._wait_until(servers[0], lambda: _listens(port), "The gateway did not listen")
            self._end_unfinished(port, demo)
            if platform:
                responders.append(_responder(port, demo, platform))
                self._wait_until(
                    responders[0],
                    lambda: "Listening" in responders[0].output,
                    "The auto-responder was not ready",
                )
            if simulate:
                simulators += [_simulator(port, tenant, demo, platform) for tenant in PROFILES]
            self._print(banner(demo, port, simulating=simulate, responding=bool(responders)))
            self._watch([*servers, *simulators, *responders])
        except KeyboardInterrupt:
            self._print("\nStopping.")
        finally:
            # Each stage needs the next one: simulators publish to the gateway until they end.
            end_in_order(responders, simulators, servers)

    def _require_alone(self) -> None:
        """Lock the folder until this process ends.

        Two demos would share logs, keys and a database.

        Raises:
            CommandError: Another one runs.
        """
        self._lock = (VAR_DIR / "demo.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"Another make run uses {VAR_DIR.parent}: stop it, or unpack the project into a second folder"
            ) from None

    def _prepare(self) -> Demo:
        try:
            return prepare_database()
        except ForeignDatabase as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {str(error).splitlines()[0]}") from None
        finally:
            connections.close_all()

    def _end_unfinished(self, port: int, demo: Demo) -> None:
        try:
            end_unfinished(f"http://{HOST}:{port}", demo.keys.publish)
        except (NotPublished, DatabaseError) as error:
            raise CommandError(f"Calls of an earlier run cannot be ended: {error}") from None
        finally:
            connections.close_all()

    def _wait_until(self, process: Process, is_ready: Callable[[], bool], failure: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._require_running(process)
            if is_ready():
                return
            if time.monotonic() > deadline:
                raise CommandError(f"{failure} within {START_SECONDS:g} seconds (see {process.log})")
            time.sleep(POLL_SECONDS)

    def _watch(self, processes: list[Process]) -> None:
        """Wait until a process ends (CommandError) or a signal arrives (KeyboardInterrupt)."""
        while True:
            for process in processes:
                self._require_running(process)
            time.sleep(POLL_SECONDS)

    def _require_running(self, process: Process) -> None:
        if process.exit_code is None:
            return
        output = "\n".join(f"  {line}" for line in process.output.rstrip().splitlines()[-5:]) or "  (nothing)"
        raise CommandError(
            f"The {process.name} ended by itself (exit code {process.exit_code}), so everything stops. "
            f"The end of {process.log}:\n{output}"
        )

    def _print(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _simulator(port: int, tenant: Tenant, demo: Demo, platform: CommandRelay | None) -> Process:
    commands = ["--platform-port", str(platform.release(tenant.id))] if platform else []
    return Process(
        f"simulator of {tenant.name}",
        "manage.py",
        ["simulate", "--url", f"http://{HOST}:{port}", "--profile", PROFILES[tenant], *commands],
        VAR_DIR / f"simulator-{tenant.name.lower()}.log",
        {
            "VOIPBIN_PUBLISH_KEY": demo.keys.publish[tenant.id],
            "VOIPBIN_CUSTOMER_ID": tenant.id,
            **(platform.environment if platform else {}),
        },
    )


def _responder(port: int, demo: Demo, platform: CommandRelay) -> Process:
    """Start the auto-responder for Acme, which sends through the simulator alone."""
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


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
