"""The preparation completes the environment or prints one line that says what to do."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.project import ROOT, Project, write_wheel

UNREACHABLE = "http://127.0.0.1:9"
# Only an index has it.
FROM_AN_INDEX = f"django==5.2 --hash=sha256:{'0' * 64}"


class SilentIndex:
    """A package index that takes connections and never answers."""

    def __init__(self, server: socket.socket) -> None:
        self.url = f"http://127.0.0.1:{server.getsockname()[1]}"
        self._server = server

    def wait_until_requested(self) -> None:
        self._connection, _ = self._server.accept()


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing but pip, as if made by hand."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def project(tmp_path: Path, venv: Path) -> Project:
    return Project.create(tmp_path, venv)


@pytest.fixture
def silent_index() -> Iterator[SilentIndex]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield SilentIndex(server)


def assert_one_line(said: str, *parts: str) -> None:
    """The output ends with one line of complaint that contains all `parts`; no traceback."""
    *progress, complaint = said.splitlines()
    assert complaint.startswith("voipbin-ws")
    for part in parts:
        assert part in complaint
    assert all(line.startswith(("Making ", "Installing ")) for line in progress), said


def test_each_purpose_gets_its_requirements_and_the_second_time_nothing_is_done(project: Project) -> None:
    assert project.prepare("run")[0] == 0
    assert project.imports("greeting")
    assert not project.imports("applause")
    assert project.prepare("run") == (0, "")

    code, said = project.prepare("test")
    assert (code, said.count("Making")) == (0, 0)
    assert project.imports("applause")
    assert project.prepare("test") == (0, "")
    assert project.prepare("run") == (0, ""), "what the tests need includes what the gateway needs"

    project.require(
        "requirements.txt", write_wheel(project.folder, "greeting"), write_wheel(project.folder, "song")
    )
    assert project.prepare("run")[0] == 0
    assert project.imports("song")
    code, said = project.prepare("test")
    assert (code, said.count("Installing")) == (0, 1), (
        "it holds the gateway's new requirements, but who knows of the tests'?"
    )


def test_no_network_is_reported_and_repaired_by_the_next_run(project: Project) -> None:
    requirements = (project.folder / "requirements.txt").read_text()
    project.require("requirements.txt", FROM_AN_INDEX)
    code, said = project.prepare("run", PIP_INDEX_URL=UNREACHABLE)
    assert code == 1
    assert_one_line(said, "no network", "PIP_INDEX_URL", "var/prepare.log")
    assert UNREACHABLE in project.log.read_text()

    project.require("requirements.txt", requirements)
    assert project.prepare("run")[0] == 0
    assert project.imports("greeting")


def test_an_installation_that_was_killed_is_made_anew(project: Project, silent_index: SilentIndex) -> None:
    requirements = (project.folder / "requirements.txt").read_text()
    project.require("requirements.txt", requirements, FROM_AN_INDEX)
    killed = project.start("run", PIP_INDEX_URL=silent_index.url)
    silent_index.wait_until_requested()
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    # The files that an interrupted pip leaves: metadata without the module.
    packages = next((project.folder / ".venv" / "lib").glob("python*/site-packages"))
    half = packages / "greeting-1.0.dist-info"
    half.mkdir()
    (half / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")

    project.require("requirements.txt", requirements)
    code, said = project.prepare("run")
    assert (code, said.count("Making")) == (0, 1), said
    assert project.imports("greeting")


def test_a_second_make_waits_for_the_first_even_where_only_its_pip_lives_on(
    project: Project, silent_index: SilentIndex
) -> None:
    requirements = (project.folder / "requirements.txt").read_text()
    project.require("requirements.txt", FROM_AN_INDEX)
    first = project.start("run", PIP_INDEX_URL=silent_index.url)
    silent_index.wait_until_requested()
    os.kill(first.pid, signal.SIGKILL)
    first.wait()

    project.require("requirements.txt", requirements)
    second = project.start("run")
    assert second.stdout is not None
    assert second.stdout.readline() == "Another make is preparing .venv; waiting for it to end.\n"
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    second.communicate()
    assert second.returncode == 0
    assert project.imports("greeting")


def test_a_package_without_its_hash_is_not_installed(project: Project) -> None:
    requirement, _, _ = write_wheel(project.folder, "greeting").partition(" --hash")
    project.require("requirements.txt", requirement)
    code, said = project.prepare("run")
    assert code == 1
    assert_one_line(said, "pip could not install requirements.txt", "hash")
    assert not project.imports("greeting")


def test_a_venv_whose_python_is_gone_is_made_anew(project: Project) -> None:
    assert project.prepare("run")[0] == 0
    (project.folder / ".venv" / "bin" / "python").unlink()
    code, said = project.prepare("run")
    assert (code, said.count("Making")) == (0, 1), said
    assert project.imports("greeting")


def test_a_state_that_cannot_be_read_is_no_state(project: Project) -> None:
    (project.folder / ".venv" / "prepared.json").write_text('{"holds": 7')
    assert project.prepare("run")[0] == 0
    state = json.loads((project.folder / ".venv" / "prepared.json").read_text())
    assert not state["unfinished"]


@pytest.mark.parametrize(
    ("forgery", "parts"),
    [
        (
            "sys.version_info = (3, 9, 2, 'final', 0)",
            ["3.11 or newer", "is 3.9", "PYTHON=python3.12 make run"],
        ),
        ("sys.modules['deploy.environment'] = None", ["standard library", "apt-get install python3-venv"]),
    ],
)
def test_a_python_that_will_not_do_is_refused(project: Project, forgery: str, parts: list[str]) -> None:
    code, said = run_forged(project, forgery)
    assert code == 1
    assert_one_line(said, *parts)
    assert not (project.folder / ".venv" / "prepared.json").exists()


def test_a_python_without_its_venv_module_is_refused(project: Project) -> None:
    shutil.rmtree(project.folder / ".venv")
    code, said = run_forged(project, "sys.modules['ensurepip'] = None")
    assert code == 1
    assert_one_line(said, "no ensurepip module", "-venv")
    assert not (project.folder / ".venv" / "prepared.json").exists()


def test_an_incomplete_copy_of_the_project_is_reported(project: Project) -> None:
    (project.folder / "requirements.txt").unlink()
    code, said = project.prepare("run")
    assert code == 1
    assert_one_line(said, "requirements.txt is missing")


def test_an_unknown_purpose_is_refused(project: Project) -> None:
    code, said = project.prepare("fly")
    assert code == 1
    assert_one_line(said, "run, test")


def test_the_entry_point_can_be_parsed_by_an_old_python() -> None:
    for module in ("__init__.py", "prepare.py"):
        ast.parse((ROOT / "deploy" / module).read_text(), feature_version=(3, 6))


def run_forged(project: Project, forgery: str) -> tuple[int, str]:
    """Prepare with a Python that was made to look like another."""
    start = "runpy.run_module('deploy.prepare', run_name='__main__')"
    program = f"import runpy, sys; sys.argv = ['prepare', 'run']; {forgery}; {start}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=project.folder,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr
