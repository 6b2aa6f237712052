"""The real gateway in a process of its own, as `manage.py serve` starts it."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.ports import on_free_port
from tests.support.prefork import prefork
from tests.support.processes import ServerProcess

SECRET_KEY = "the secret of a gateway that only the tests know"
# What a process needs of ours; nothing else that a developer has exported may reach the gateway.
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "TZ")


def gateway_environment(database_url: str, redis_url: str | None = None, **extra: str) -> dict[str, str]:
    """The whole environment of a gateway process; without a Redis it uses the in-memory channel layer."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    own = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": database_url, "PYTHONUNBUFFERED": "1"}
    redis = {"REDIS_URL": redis_url} if redis_url else {}
    return inherited | own | redis | extra


def manage(
    environment: Mapping[str, str], *command: str, text: str | None = None, timeout: float = 100
) -> str:
    """Run `manage.py command…` with `text` on its standard input; returns its standard output.

    Raises AssertionError, with all that it wrote, where it does not end with 0.
    """
    done = prefork.run([sys.executable, "manage.py", *command], environment, text=text or "", timeout=timeout)
    if done.returncode != 0:
        raise AssertionError(
            f"manage.py {' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


@dataclass
class Gateway:
    """One server process on a migrated database of its own."""

    server: str
    """`daphne` or `uvicorn`."""
    environment: Mapping[str, str]
    log: Path
    options: Sequence[str] = ()
    """More of `manage.py serve`, such as `--workers 2`."""
    port: int = field(init=False)
    _process: ServerProcess = field(init=False)

    def __post_init__(self) -> None:
        self.port, self._process = on_free_port(self._start)

    @property
    def url(self) -> str:
        """Where it serves HTTP, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """Where clients connect, without a credential."""
        return f"ws://127.0.0.1:{self.port}/v1.0/ws"

    @property
    def database_url(self) -> str:
        return self.environment["DATABASE_URL"]

    @property
    def running(self) -> bool:
        return self._process.running

    @property
    def pid(self) -> int:
        return self._process.pid

    def log_text(self) -> str:
        """All that it wrote, from its first start on."""
        return self._process.log_text()

    def manage(self, *command: str, text: str | None = None) -> str:
        """Run a management command in the gateway's environment; see `manage`."""
        return manage(self.environment, *command, text=text)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._process.kill()

    def terminate(self, timeout: float = 30) -> int:
        """SIGTERM, and wait for the end; returns the exit code, negative where a signal ended it."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout: float = 30) -> int:
        """Wait for the end; returns the exit code, negative where a signal ended it."""
        return self._process.wait(timeout)

    def stop(self) -> None:
        """SIGSTOP: freeze it."""
        self._process.send(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: go on after `stop`."""
        self._process.send(signal.SIGCONT)

    def restart(self) -> None:
        """Start again on the same port and database; kills the process first where it still runs."""
        self._process.kill()
        self._process = self._start(self.port)

    def _start(self, port: int) -> ServerProcess:
        serve = ["serve", "--server", self.server, "--host", "127.0.0.1", "--port", str(port), *self.options]
        before = self.log.stat().st_size if self.log.exists() else 0
        process = ServerProcess([sys.executable, "manage.py", *serve], self.log, environment=self.environment)
        announced = re.compile(rf"^Listening on http://\S+:{port}$", re.MULTILINE)
        process.wait_ready(
            lambda: announced.search(self._written_since(before)), f"manage.py {' '.join(serve)}"
        )
        return process

    def _written_since(self, before: int) -> str:
        return self.log.read_bytes()[before:].decode(errors="replace")
