"""The demo's processes: started, watched, and ended in order."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from voipbin_ws.settings import BASE_DIR

TIMEOUT_SECONDS = 8.0
"""Seconds that a process may take to end before it is killed."""

_PR_SET_PDEATHSIG = 1


class Process:
    """One of the project's Python programs, such as `manage.py`, writing to a log.

    It has a process group of its own, so that Ctrl-C reaches the demo alone: simulators must end their calls while the
    gateway still runs.
    """

    def __init__(
        self,
        name: str,
        program: str,
        arguments: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                [sys.executable, str(BASE_DIR / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
                start_new_session=True,
                preexec_fn=_parent_death_signal(),
            )

    @property
    def exit_code(self) -> int | None:
        """The exit code; `None` while the process runs."""
        return self._popen.poll()

    @property
    def output(self) -> str:
        """All that the process wrote."""
        return self.log.read_text(errors="replace")

    def terminate(self) -> None:
        self._popen.terminate()

    def wait(self, seconds: float) -> None:
        """Wait `seconds` for the end of the process, then kill it."""
        try:
            self._popen.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the process and all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()


def end_in_order(*stages: Sequence[Process]) -> None:
    """End the processes, stage after stage; kill the remaining ones on a second signal."""
    try:
        for processes in stages:
            for process in processes:
                process.terminate()
            deadline = time.monotonic() + TIMEOUT_SECONDS
            for process in processes:
                process.wait(deadline - time.monotonic())
    finally:
        for process in (each for stage in stages for each in stage):
            process.kill()


def _parent_death_signal() -> Callable[[], None] | None:
    """Return what a child runs first in order to end with the demo, even if that is killed.

    `None` except on Linux, which alone can send a signal at the parent's death.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def request_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return request_signal
