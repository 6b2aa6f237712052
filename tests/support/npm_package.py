"""The JavaScript client's package: packed by npm, and installed from its tarball as a project would."""

from __future__ import annotations

import subprocess
from pathlib import Path

from deploy.programs import NODE, find_npm
from tests.support.processes import ROOT
from tests.support.requirement import require

CLIENT = ROOT / "clients" / "javascript"


def pack_client(folder: Path) -> Path:
    """Pack the client into `folder`, and return the path of the tarball."""
    name = _npm(CLIENT, "pack", "--pack-destination", str(folder)).splitlines()[-1]
    return folder / name


def install_client(folder: Path) -> None:
    """Install the packed client into `folder`, which becomes a project of its own."""
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    _npm(folder, "install", "--offline", "--no-audit", "--no-fund", str(pack_client(folder)))


def _npm(folder: Path, *arguments: str) -> str:
    command = [str(require(NODE)), str(find_npm()), *arguments, "--no-update-notifier", "--loglevel=error"]
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout
