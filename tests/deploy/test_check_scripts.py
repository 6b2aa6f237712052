"""The check of the scripts runs each checker in Node, and prints one line if one is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy import check_scripts, programs
from deploy.programs import NPM_CI, Program

# Records what it is started with, and fails for the checker called "strict".
NODE = """#!/bin/sh
echo "$(basename "$1")" >> {folder}/ran
case "$1" in *strict) exit 2 ;; esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a Node, where npm installs nothing; what is written into its folder is there."""
    node = tmp_path / "node"
    node.write_text(NODE.format(folder=tmp_path))
    node.chmod(0o755)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(programs, "_npm_ci", lambda _: None)
    install(monkeypatch, tmp_path, "first", "second")
    return tmp_path


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, *checkers: str) -> None:
    """Make the check use these checkers, each of which exists once its file does."""

    def program(name: str) -> Program:
        file = folder / name
        return Program(name, ".", lambda: file if file.exists() else None, by=NPM_CI)

    monkeypatch.setattr(check_scripts, "NODE", program("node"))
    monkeypatch.setattr(check_scripts, "ESLINT", program(checkers[0]))
    monkeypatch.setattr(check_scripts, "TYPESCRIPT", program(checkers[1]))


def test_without_the_checkers_the_scripts_are_not_checked(
    machine: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert check_scripts.main() == 0
    assert capfd.readouterr().err.splitlines() == [
        "voipbin-ws: no first and no second here, so the scripts are not checked. "
        "npm ci --prefix . failed: var/npm.log says why."
    ]
    assert not (machine / "ran").exists()


def test_in_ci_missing_checkers_are_a_failure(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", "true")
    assert check_scripts.main() == 1
    (complaint,) = capfd.readouterr().err.splitlines()
    assert complaint.startswith("voipbin-ws: no first and no second here, and CI=true demands it.")


def test_each_checker_runs_in_node(machine: Path) -> None:
    (machine / "first").touch()
    (machine / "second").touch()
    assert check_scripts.main() == 0
    assert (machine / "ran").read_text().split() == ["first", "second"]


def test_a_checker_that_complains_is_a_failure_and_the_next_runs_all_the_same(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, machine, "strict", "second")
    (machine / "strict").touch()
    (machine / "second").touch()
    assert check_scripts.main() == 1
    assert (machine / "ran").read_text().split() == ["strict", "second"]
