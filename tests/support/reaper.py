"""Ends what the tests started, even where pytest itself is killed: a small process that outlives it by a moment.

It is notified what there is over a pipe, and acts when the pipe ends, as it does however the other end dies.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path


class Reaper:
    """This process's reaper; starts on first use."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def watch_group(self, group: int) -> None:
        """Kill the process group `group` when the tests are over."""
        self._send(f"watch {group}")

    def forget_group(self, group: int) -> None:
        """The group has ended, and its number may be given to another."""
        self._send(f"forget {group}")

    def watch_folder(self, folder: Path) -> None:
        """Delete `folder` when the tests are over."""
        self._send(f"delete {folder}")

    def finish(self) -> None:
        """The tests are over: have it all ended and deleted now, and wait for that."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def _send(self, line: str) -> None:
        if self._process is None:
            command = [sys.executable, "-I", "-S", __file__]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, text=True, start_new_session=True
            )
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


reaper = Reaper()


def main() -> None:
    groups: set[int] = set()
    folders: set[str] = set()
    for line in sys.stdin:
        order, subject = line.rstrip("\n").split(" ", 1)
        if order == "watch":
            groups.add(int(subject))
        elif order == "forget":
            groups.discard(int(subject))
        else:
            folders.add(subject)
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
