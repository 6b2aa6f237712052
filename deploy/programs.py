"""The programs that the tests need beside Python: finds them and, as root on Debian, gets what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LOG = Path(__file__).resolve().parent.parent / "var" / "apt.log"
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


def find_chromium() -> Path | None:
    """A Chromium for the browser tests, or None where there is none."""
    return _on_path("chromium") or _on_path("chromium-browser") or _on_path("google-chrome")


@dataclass(frozen=True)
class Program:
    """A program that some tests cannot do without, and the Debian package that brings it."""

    name: str
    package: str
    find: Callable[[], Path | None]


REDIS = Program("Redis", "redis-server", find_redis_server)
POSTGRES = Program("PostgreSQL", "postgresql", find_postgres_folder)
CHROMIUM = Program("Chromium", "chromium", find_chromium)
RABBITMQ = Program("RabbitMQ", "rabbitmq-server", find_rabbitmq_server)
NGINX = Program("nginx", "nginx", find_nginx)
PROGRAMS = (REDIS, POSTGRES, CHROMIUM, RABBITMQ, NGINX)


def demanded() -> bool:
    """Whether a missing program is a failure (CI=true) rather than a reason to skip its tests."""
    return os.environ.get("CI", "").lower() in ("true", "1", "yes")


def main() -> int:
    """Get what is missing and name what could not be got; returns 1 where that may not be missing."""
    missing = [program for program in PROGRAMS if program.find() is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(missing)
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
