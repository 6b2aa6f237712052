"""`make run` in an unpacked copy of the project: started, read and watched to its end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.support.ports import free_port
from tests.support.processes import ROOT, ServerProcess
from tests.support.waiting import wait_until

NAMES = (
    *("VOIPBIN_WS_URL", "VOIPBIN_API_URL", "VOIPBIN_TOKEN", "VOIPBIN_PUBLISH_KEY"),
    "VOIPBIN_CUSTOMER_ID",
)
NOT_COPIED = shutil.ignore_patterns(
    ".venv", ".git", "node_modules", "var", "__pycache__", ".*_cache", ".hypothesis"
)


def unpack(folder: Path) -> Path:
    """Copy the project to `folder`. Of its .venv, which would take a minute to fill, the packages are borrowed."""
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    ours, theirs = Path(sys.prefix), folder / ".venv"
    packages = next(ours.glob("lib/python*/site-packages"))
    (theirs / packages.relative_to(ours)).parent.mkdir(parents=True)
    (theirs / packages.relative_to(ours)).symlink_to(packages)
    shutil.copytree(ours / "bin", theirs / "bin", symlinks=True)
    shutil.copy(ours / "pyvenv.cfg", theirs)
    return folder


class Run:
    """One `make run`."""

    def __init__(self, folder: Path, log: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        command = ["make", "run", f"PORT={self.port}"]
        self.process = ServerProcess(command, log, environment=clean(environment), folder=folder)

    def wait_ready(self) -> None:
        self.process.wait_ready(lambda: "Ctrl-C stops" in self.said(), "make run")

    def said(self) -> str:
        return self.process.log_text()

    def exported(self) -> dict[str, str]:
        """What a shell has after it evaluated the lines."""
        lines = [line for line in self.said().splitlines() if line.startswith("export ")]
        assert [line.split("=")[0] for line in lines] == [f"export {name}" for name in NAMES]
        script = 'eval "$1"; env -0'
        shown = subprocess.run(
            ["sh", "-euc", script, "sh", "\n".join(lines)], capture_output=True, text=True, check=True, env={}
        )
        entries = (entry.partition("=") for entry in shown.stdout.split("\0"))
        return {name: value for name, _, value in entries if name in NAMES}

    def get(self, path: str, token: str) -> Any:
        answer = httpx.get(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def live_calls(self, token: str) -> set[str]:
        items = self.get("/v1.0/resources/call?active=true", token)["items"]
        return {item["resource_id"] for item in items}

    def pids(self, command: str = "") -> list[int]:
        """The processes of this folder that still run: `command` of manage.py, or all, other programs too."""
        listed = subprocess.run(
            ["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True
        )
        programs = "manage" if command else "(?:manage|auto_responder)"
        ours = re.compile(rf"\s*(\d+) .*{re.escape(str(self.folder))}\S*{programs}\.py {command}")
        demo = re.compile(rf"\s*(\d+) .*manage\.py {command or 'demo'}\s*$")
        found = (ours.match(line) for line in listed.stdout.splitlines())
        others = (demo.match(line) for line in listed.stdout.splitlines())
        mine = [int(match[1]) for match in (*found, *others) if match]
        return [pid for pid in mine if _folder_of(pid) == self.folder]

    def wait_gone(self) -> int:
        """Wait until nothing runs any more; returns make's exit code."""
        wait_until(lambda: not self.pids() and not self.process.running, "everything to end", timeout=30)
        return self.process.wait(1)


def _folder_of(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def clean(environment: dict[str, str]) -> dict[str, str]:
    """Of what `make test` exported to us nothing reaches `make run`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"PYTHON": sys.executable} | environment


def make_run(folder: Path, **environment: str) -> tuple[int, list[str]]:
    """`make run` where it is expected to refuse; returns its exit code and what it said without make's own words."""
    done = subprocess.run(
        ["make", "run"],
        cwd=folder,
        env=clean(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    lines = (done.stdout + done.stderr).splitlines()
    return done.returncode, [line for line in lines if not line.startswith(("make: ", "Installing "))]
