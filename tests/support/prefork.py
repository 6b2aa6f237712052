"""Starts `manage.py` in processes that need not read the libraries anew: each is forked from one that has read them.

What it spares is most of a second's work for each of hundreds of starts.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent.parent
FORKER = Path(__file__).with_name("prefork_server.py")

_AT_THE_START = ("LD_", "MALLOC_", "PYTHON")
"""Variables that Python, its memory and its libraries look at once, when the program is loaded."""


class ForkedProcess:
    """A process of the prefork server; like `subprocess.Popen` as far as it goes."""

    def __init__(self, command: Sequence[str], reported: int) -> None:
        self.args = list(command)
        self.returncode: int | None = None
        self._reported = os.fdopen(reported, "rb", buffering=0)
        self.pid = int(self._line(None) or 0)
        assert self.pid, "the prefork is gone"

    def send_signal(self, number: int) -> None:
        """Send a signal; one that has ended gets none."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """The exit code, negative where a signal ended it; none while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            line = self._line(timeout)
            # Where the prefork server itself was killed, its end is unknown.
            self.returncode = int(line) if line else -signal.SIGKILL
            self._reported.close()
        return self.returncode

    def _line(self, timeout: float | None) -> bytes:
        if not select.select([self._reported], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        line = b""
        while not line.endswith(b"\n") and (byte := self._reported.read(1)):
            line += byte
        return line


class Prefork:
    """This process's prefork server; starts on first use, and ends with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def takes(self, command: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Whether this is a command for here: `manage.py` by our own Python, which has no options of its own."""
        special = {name for name in environment if name.startswith(_AT_THE_START)} - {"PYTHONUNBUFFERED"}
        return list(command[:2]) == [sys.executable, "manage.py"] and not special

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdin: IO[Any] | int,
        stdout: IO[Any] | int,
        stderr: IO[Any] | int,
        new_session: bool = False,
    ) -> ForkedProcess:
        """Start a command in the project's folder, on these open files."""
        reading, writing = os.pipe()
        files = [each if isinstance(each, int) else each.fileno() for each in (stdin, stdout, stderr)]
        requested = {"arguments": command[1:], "environment": dict(environment), "new_session": new_session}
        try:
            with self._lock:
                socket.send_fds(self._connected(), [json.dumps(requested).encode()], [*files, writing])
        finally:
            os.close(writing)
        return ForkedProcess(command, reading)

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], *, text: str = "", timeout: float = 100
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with `text` on its standard input. Raises subprocess.TimeoutExpired."""
        with (
            tempfile.TemporaryFile("w+") as given,
            tempfile.TemporaryFile("w+") as output,
            tempfile.TemporaryFile("w+") as errors,
        ):
            given.write(text)
            given.seek(0)
            process = self.start(command, environment, stdin=given, stdout=output, stderr=errors)
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                raise
            output.seek(0)
            errors.seek(0)
            return subprocess.CompletedProcess(list(command), code, output.read(), errors.read())

    def finish(self) -> None:
        """The tests are over."""
        if self._control is not None and self._process is not None:
            self._control.close()
            self._process.wait()
            self._control = self._process = None

    def _connected(self) -> socket.socket:
        if self._control is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                command = [sys.executable, str(FORKER), str(theirs.fileno())]
                # What a developer has notified Python is not for gateways; without it they keep what they compile.
                plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
                self._process = subprocess.Popen(
                    command, cwd=ROOT, env=plain, pass_fds=[theirs.fileno()], start_new_session=True
                )
            self._control = ours
        return self._control


prefork = Prefork()
