"""The demo's processes: started, watched, and ended in order whatever happens to the demo itself."""

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
    """One of the project's Python programs, such as `manage.py`, in a process group of its own, writing to a log.

    Of its own, so that Ctrl-C reaches the demo alone: the simulators must end their calls while the gateway still
    stands.
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
        """None while it runs."""
        return self._popen.poll()

    @property
    def output(self) -> str:
        """What it wrote."""
        return self.log.read_text(errors="replace")

    def terminate(self) -> None:
        self._popen.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for its end, so long; then kill it."""
        try:
            self._popen.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and whatever it started, now."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()


def end_in_order(*stages: Sequence[Process]) -> None:
    """End the processes, each stage when the one before has ended; a second signal to the demo kills what is left."""
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
    """What a child does first so that it ends even where the demo is killed and can end nothing: Linux alone has it."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def request_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return request_signal
