"""The lock files hold what the requirements ask for, and a hash of everything."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.project import ROOT

DIRECT_AND_LOCKED = [
    (ROOT / "requirements.in", ROOT / "requirements.txt"),
    (ROOT / "tests" / "requirements.in", ROOT / "tests" / "requirements.txt"),
]


def direct_pins(file: Path) -> dict[str, str]:
    """The direct dependencies by name, with their exact versions; those of included files too."""
    pins: dict[str, str] = {}
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            pins |= direct_pins(file.parent / line.removeprefix("-r "))
        elif line and not line.startswith(("#", "-c ")):
            pins.update([pin_of(line)])
    return pins


def locked(file: Path) -> dict[str, list[str]]:
    """The versions of each package by name; more than one where the platform decides."""
    versions: dict[str, list[str]] = {}
    for line in entries(file):
        name, version = pin_of(line.partition(" \\\n")[0])
        versions.setdefault(name, []).append(version)
    return versions


def entries(file: Path) -> list[str]:
    """The entries of a lock file: a requirement, and below it what is indented."""
    return re.findall(r"^[^#\s].*\n(?:[ ].*\n)*", file.read_text(), re.MULTILINE)


def pin_of(line: str) -> tuple[str, str]:
    requirement = Requirement(line)
    (version,) = requirement.specifier
    assert version.operator == "==", f"no exact version: {line}"
    return canonicalize_name(requirement.name), version.version


@pytest.mark.parametrize(("requested", "lock"), DIRECT_AND_LOCKED, ids=["run", "test"])
def test_each_direct_dependency_is_locked_at_its_version(requested: Path, lock: Path) -> None:
    versions = locked(lock)
    differing = {name: pin for name, pin in direct_pins(requested).items() if versions.get(name) != [pin]}
    assert not differing, "make lock"


@pytest.mark.parametrize(("requested", "lock"), DIRECT_AND_LOCKED, ids=["run", "test"])
def test_each_locked_package_has_hashes(requested: Path, lock: Path) -> None:
    without = [
        entry for entry in entries(lock) if not re.search(r"^ +--hash=sha256:[0-9a-f]{64}", entry, re.M)
    ]
    assert not without
    assert len(entries(lock)) >= len(direct_pins(requested))


def test_the_tests_run_with_what_the_gateway_runs_with() -> None:
    (_, gateways), (_, tests) = DIRECT_AND_LOCKED
    assert locked(gateways).items() <= locked(tests).items()


@pytest.mark.parametrize("folder", [".", "examples"])
def test_what_npm_installs_is_locked_with_its_hash(folder: str) -> None:
    requested = json.loads((ROOT / folder / "package.json").read_text())
    _, *packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"].items()
    versions = {name.removeprefix("node_modules/"): package["version"] for name, package in packages}
    assert (
        requested.get("dependencies", {}) | requested.get("devDependencies", {})
    ).items() <= versions.items()
    assert all(package["integrity"].startswith("sha512-") for _, package in packages)
