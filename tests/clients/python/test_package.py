"""The package voipbin-ws-client: built, installed and used without the server's code."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.journeys.support.cast import company, settle
from tests.journeys.support.programs import Program
from tests.support.gateways import Gateways
from tests.support.processes import ROOT
from voipbin_ws import __version__

PACKAGE = ROOT / "clients" / "python"
SOURCE = PACKAGE / "src" / "voipbin_ws_client"
PROJECT = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
SERVER = ("events", "subscriptions", "voipbin_ws", "django", "channels")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the built wheel and sdist."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, PACKAGE)
    return folder


@pytest.fixture(scope="module")
def python(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel, what it requires, and pytest."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    [wheel] = built.glob("*.whl")
    offline = ("--offline", "--no-cache", "--no-deps")
    run(sys.executable, "-m", "uv", "pip", "install", *offline, "--python", python, wheel)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    copy_distributions([*PROJECT["dependencies"], "pytest", "pytest-asyncio"], site)
    return python


def run(*command: str | Path) -> str:
    """Run a command; returns its output, which is the failure's message if the command fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def copy_distributions(wanted: list[str], site: Path) -> None:
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
