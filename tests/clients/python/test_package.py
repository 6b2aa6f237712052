"""The package voipbin-ws-client: built, installed and used without the server's code."""

from __future__ import annotations

import ast
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.journeys.support.cast import company, settle
from tests.journeys.support.programs import Program
from tests.support.gateways import Gateways
from tests.support.processes import ROOT
from tests.support.python_package import PACKAGE, PROJECT, build_package, install_package, run
from voipbin_ws import __version__

SOURCE = PACKAGE / "src" / "voipbin_ws_client"
SERVER = ("events", "subscriptions", "voipbin_ws", "django", "channels")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the built wheel and sdist."""
    return build_package(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def python(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel, what it requires, and pytest."""
    return install_package(built, tmp_path_factory.mktemp("environment"), "pytest", "pytest-asyncio")


def test_the_version_and_the_license_are_those_of_the_gateway() -> None:
    assert PROJECT["version"] == __version__
    assert (PACKAGE / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_the_package_requires_what_it_imports_and_nothing_else() -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.Module([ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")], [])):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])
    required = {Requirement(each).name for each in PROJECT["dependencies"]}
    assert imported - sys.stdlib_module_names - {"voipbin_ws_client"} == required


def test_it_uses_nothing_that_its_oldest_python_lacks(tmp_path: Path) -> None:
    oldest = PROJECT["requires-python"].removeprefix(">=")
    run(sys.executable, "-m", "mypy", "--python-version", oldest, "--cache-dir", tmp_path, "--strict", SOURCE)


def test_wheel_and_sdist_pass_the_checks_of_the_package_index(built: Path) -> None:
    assert len(list(built.iterdir())) == 2
    run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())


def test_wheel_and_sdist_have_all_modules_and_the_marker_of_types(built: Path) -> None:
    modules = {str(path.relative_to(SOURCE.parent)) for path in SOURCE.rglob("*.py")}
    modules.add(f"{SOURCE.name}/py.typed")
    [wheel], [sdist] = built.glob("*.whl"), built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as files:
        assert modules == {name for name in files.namelist() if ".dist-info" not in name}
    with tarfile.open(sdist) as files:
        assert modules <= {name.partition("/src/")[2] for name in files.getnames()}


def test_the_environment_has_nothing_of_the_server(python: Path) -> None:
    run(python, "-I", "-c", f"import importlib.util as u; assert not any(map(u.find_spec, {SERVER}))")


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_the_readmes_example_receives_what_is_published(
    gateway: Gateways, python: Path, server: str, tmp_path: Path
) -> None:
    serving, acme = gateway(server), company("Acme")
    settle(serving, acme)
    [code] = re.findall(r"^```python\n(.*?)^```$", (PACKAGE / "README.md").read_text(), re.M | re.S)
    command = [str(python), "-I", "-c", code]
    with Program(serving, acme, acme.token("manager"), command, errors=tmp_path / "errors.txt") as program:
        program.wait_until_it_receives()


def test_the_installed_package_passes_the_conformance_suite(python: Path, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\npythonpath = .\n")
    shutil.copytree(ROOT / "tests" / "conformance", tmp_path / "tests" / "conformance")
    suite = tmp_path / "tests" / "conformance" / "test_python_client.py"
    said = run(
        python, "-I", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", tmp_path / "pytest.ini", suite
    )
    cases = len(list((ROOT / "tests" / "conformance" / "cases").iterdir()))
    assert f"{cases} passed" in said
