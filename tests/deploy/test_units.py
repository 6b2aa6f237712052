"""The systemd units are valid, and start commands that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from argparse import Namespace
from configparser import RawConfigParser
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from deploy.programs import SYSTEMD
from tests.support.processes import ROOT
from tests.support.requirement import require

FOLDER = ROOT / "deploy" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
INSTALLED = "/opt/voipbin-ws"


def unit(path: Path) -> RawConfigParser:
    parser = RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text())
    return parser


def started_by(path: Path, instance: str = "8001") -> list[tuple[str, Namespace]]:
    """Return the management commands of a unit with their parsed options."""
    started = []
    for line in re.findall(r"^ExecStart=(.*)$", path.read_text(), re.MULTILINE):
        python, script, name, *options = shlex.split(line.replace("%i", instance))
        assert (python, script) == (f"{INSTALLED}/.venv/bin/python", "manage.py")
        started.append((name, parsed(name, options)))
    return started


def parsed(name: str, options: list[str]) -> Namespace:
    return load_command_class(get_commands()[name], name).create_parser("manage.py", name).parse_args(options)


@pytest.fixture(scope="module")
def as_installed(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The units with paths that exist on this machine."""
    folder = tmp_path_factory.mktemp("units")
    for path in FOLDER.iterdir():
        text = path.read_text().replace(f"{INSTALLED}/.venv/bin/python", sys.executable)
        (folder / path.name).write_text(text.replace(INSTALLED, str(ROOT)))
    return sorted(path for path in folder.iterdir() if path.suffix != ".env")


def test_systemd_finds_nothing_wrong(as_installed: list[Path]) -> None:
    analyse = require(SYSTEMD)
    done = subprocess.run(
        [analyse, "verify", "--man=no", *as_installed],
        capture_output=True,
        text=True,
        cwd=as_installed[0].parent,
    )
    ours = [line for line in done.stderr.splitlines() if "voipbin-ws" in line]
    assert ours == []


def test_systemd_finds_little_exposed(as_installed: list[Path]) -> None:
    analyse = require(SYSTEMD)
    for path in as_installed:
        if path.suffix == ".service":
            judge = [analyse, "security", "--offline=yes", "--threshold=15", "--no-pager", path]
            done = subprocess.run(judge, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr


def test_the_gateway_unit_serves_where_nginx_looks_for_it() -> None:
    upstream = (ROOT / "deploy" / "nginx" / "upstream.conf").read_text()
    ports = re.findall(r"server 127\.0\.0\.1:(\d+)", upstream)
    assert len(ports) == 2
    for port in ports:
        ((name, options),) = started_by(FOLDER / "voipbin-ws@.service", port)
        assert (name, options.server, options.host, options.port) == (
            "serve",
            "uvicorn",
            "127.0.0.1",
            int(port),
        )


def test_the_other_units_start_commands_that_there_are() -> None:
    started = {path.stem: started_by(path) for path in SERVICES if "@" not in path.name}
    assert {name: [command for command, _ in commands] for name, commands in started.items()} == {
        "voipbin-ws-amqp": ["consume_amqp"],
        "voipbin-ws-prune": ["prune_events", "prune_audit"],
        "voipbin-ws-verify": ["verify_audit"],
    }
    ages = [options.older_than.days for _, options in started["voipbin-ws-prune"]]
    assert ages == [30, 364]


def test_a_gateway_gets_the_time_that_it_needs_to_stop() -> None:
    for path in SERVICES:
        service = unit(path)["Service"]
        if service["Type"] == "exec":
            assert int(service["TimeoutStopSec"]) >= 30
            assert service["KillMode"] == "mixed", (
                "a worker gets its signal from its parent, not from systemd too"
            )


def test_all_units_share_one_environment() -> None:
    files = {unit(path)["Service"]["EnvironmentFile"] for path in SERVICES}
    assert files == {"/etc/voipbin-ws/voipbin-ws.env"}
