"""The Python client's package: built, and installed without a network into an environment of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tests.support.processes import ROOT

PACKAGE = ROOT / "clients" / "python"
PROJECT: dict[str, Any] = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]


def build_package(folder: Path) -> Path:
    """Build the wheel and the sdist into `folder`; return it."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, PACKAGE)
    return folder


def install_package(built: Path, environment: Path, *further: str) -> Path:
    """Install the wheel, what it requires, and `further` distributions; return the environment's Python."""
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    [wheel] = built.glob("*.whl")
    offline = ("--offline", "--no-cache", "--no-deps")
    run(sys.executable, "-m", "uv", "pip", "install", *offline, "--python", python, wheel)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    _copy_distributions([*PROJECT["dependencies"], *further], site)
    return python


def run(*command: str | Path) -> str:
    """Run a command; returns its output, which is the failure's message if the command fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def _copy_distributions(wanted: list[str], site: Path) -> None:
    """Copy distributions and their requirements from the tests' environment, offline."""
    copied: set[str] = set()
    while wanted:
        requirement = Requirement(wanted.pop())
        is_needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if requirement.name in copied or not is_needed:
            continue
        copied.add(requirement.name)
        found = distribution(requirement.name)
        assert found.version in requirement.specifier
        for file in found.files or ():
            if ".." not in file.parts:
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), site / file)
        wanted += found.requires or ()
