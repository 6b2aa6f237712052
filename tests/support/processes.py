"""A server process of the tests' own: started, frozen, killed and started again as a test wants it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.prefork import ROOT, ForkedProcess, prefork
from tests.support.reaper import reaper
from tests.support.waiting import wait_until

__all__ = ["ROOT", "DidNotStart", "ServerProcess"]


class DidNotStart(Exception):
    """The process ended before it was ready; the message holds what it wrote."""


class ServerProcess:
    """One process and its children, in a group of their own, writing to a log file."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path = ROOT,
        user: str | None = None,
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = os.environ if environment is None else environment
        with log.open("ab") as output, Path(os.devnull).open() as nothing:
            if folder == ROOT and user is None and prefork.takes(command, environment):
                self._process: subprocess.Popen[bytes] | ForkedProcess = prefork.start(
                    command, environment, stdin=nothing, stdout=output, stderr=output, new_session=True
                )
            else:
                self._process = subprocess.Popen(
                    command,
                    stdin=nothing,
                    stdout=output,
                    stderr=output,
                    cwd=folder,
                    env=environment,
                    user=user,
                    group=user,
                    extra_groups=[] if user else None,
                    start_new_session=True,
                )
        self.log = log
        reaper.watch_group(self.pid)

    @property
    def pid(self) -> int:
        """The process's id, which is its group's too."""
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self, ready: Callable[[], object], what: str, *, timeout: float = 60) -> None:
        """Wait until `ready()` is true. Raises DidNotStart where the process ends first."""

        def check() -> object:
            if not self.running:
                raise DidNotStart(f"{what} ended with {self._process.returncode}:\n{self.log_text()}")
            return ready()

        wait_until(check, f"{what} to be ready (its log: {self.log})", timeout=timeout)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; one that has ended gets none."""
        if self.running:
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, timeout: float = 30) -> int:
        """Wait for the end; returns the exit code, negative where a signal ended it."""
        code = self._process.wait(timeout)
        # Children may outlive a process that ended by itself.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        reaper.forget_group(self.pid)
        return code

    def log_text(self) -> str:
        """All that was written, by the processes before this one too where the log is theirs as well."""
        return self.log.read_text(errors="replace")
