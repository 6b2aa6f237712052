"""A small project around deploy/. It installs wheels of its own, so that no network is needed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Project:
    """A folder in which `python -m deploy.prepare` is run as `make` runs it."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, venv: Path) -> Project:
        """Create a project whose gateway needs `greeting` and whose tests also need `applause`."""
        # Links are enough: an installation adds and replaces files, and writes into none.
        shutil.copytree(venv, folder / ".venv", symlinks=True, copy_function=os.link)
        shutil.copytree(ROOT / "deploy", folder / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "tests").mkdir()
        project = cls(folder)
        project.require("requirements.txt", write_wheel(folder, "greeting"))
        project.require(
            "tests/requirements.txt", write_wheel(folder, "greeting"), write_wheel(folder, "applause")
        )
        return project

    @property
    def log(self) -> Path:
        return self.folder / "var" / "prepare.log"

    def require(self, file: str, *lines: str) -> None:
        (self.folder / file).write_text("\n".join(lines) + "\n")

    def start(self, purpose: str, **environment: str) -> subprocess.Popen[str]:
        """Start the preparation in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.prepare", purpose],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=_without_pip_settings() | environment,
            start_new_session=True,
        )

    def prepare(self, purpose: str, **environment: str) -> tuple[int, str]:
        """Prepare; return the exit code and the output."""
        process = self.start(purpose, **environment)
        said, _ = process.communicate()
        return process.returncode, said

    def imports(self, module: str) -> bool:
        """Return whether .venv has the module."""
        python = self.folder / ".venv" / "bin" / "python"
        return subprocess.run([python, "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode == 0


def write_wheel(folder: Path, name: str) -> str:
    """Write a package of one empty module; returns the requirement that names it, with its hash."""
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    metadata = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{metadata}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{metadata}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{metadata}/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            # Without the time of writing, so that the same package has the same hash.
            archive.writestr(zipfile.ZipInfo(path), content)
    return f"{name} @ {wheel.as_uri()} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def _without_pip_settings() -> dict[str, str]:
    # The tests must not depend on this machine's index, mirrors and proxies.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    return kept | {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "1"}
