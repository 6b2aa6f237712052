"""A private PostgreSQL cluster in a folder of its own."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.ports import on_free_port
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

SUPERUSER = "postgres"


class PostgresServer:
    """A cluster on a port of its own, which it and its data keep over restarts.

    PostgreSQL refuses to run as root, so root runs it as the user that Debian's package brings.
    """

    def __init__(self, programs: Path, folder: Path, *, largest_file: int | None = None) -> None:
        self.largest_file = largest_file
        """Bytes that no file of it may exceed, as on a full disk, from its next start on; `None` for no limit."""
        self._programs = programs
        self._folder = folder
        self._user = _unprivileged_user() if os.geteuid() == 0 else None
        self._names = (f"database_{number}" for number in itertools.count(1))
        if self._user:
            shutil.chown(folder, self._user)
        self._initialise()
        self.port, self._process = on_free_port(self._start)

    def url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template1") -> str:
        """Make a database that no one else uses, a copy of `template`; returns its URL."""
        name = next(self._names)
        # A copy waits for the last session of its template to be over, for five seconds; a closed one lingers.
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)
        return self.url(name)

    def stop(self) -> None:
        """SIGSTOP to the server and all of its sessions: connections stay, and no one answers."""
        self._process.send(signal.SIGSTOP)
        self._signal_children(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: go on after `stop`."""
        self._signal_children(signal.SIGCONT)
        self._process.send(signal.SIGCONT)

    def shut_down(self) -> None:
        """End all sessions and the server in order, as an operator does."""
        self.resume()
        if self._process.running:
            # To the server alone: it ends its sessions itself.
            os.kill(self._process.pid, signal.SIGINT)
        self._process.wait()

    def kill(self) -> None:
        """SIGKILL to the server and all of its sessions: what a crash is."""
        self._process.send(signal.SIGSTOP)
        children = self._children()
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        wait_until(lambda: not any(map(_runs, children)), "the sessions to end")

    def restart(self) -> None:
        """Start again on the same port with the same data; shuts down first where it still runs."""
        self.shut_down()
        self._process = self._start(self.port)

    def heal(self) -> None:
        """Undo what a test did to it and left so."""
        self.resume()
        if not self._process.running:
            self.restart()

    def _initialise(self) -> None:
        command = [
            str(self._programs / "initdb"),
            "--pgdata",
            str(self._folder / "data"),
            "--username",
            SUPERUSER,
        ]
        options = [
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--locale",
            "C.UTF-8",
            "--no-sync",
            "--wal-segsize",
            "1",
        ]
        done = subprocess.run(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self._folder,
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _start(self, port: int) -> ServerProcess:
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), "-p", str(port)]
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self._folder),
            "max_connections": "200",
            "shared_buffers": "64MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = self._folder / "postgres.log"
        # Its own limit to set: not every machine lets root limit another user's process.
        limit = [] if self.largest_file is None else ["prlimit", f"--fsize={self.largest_file}:"]
        process = ServerProcess([*limit, *command, *options], log, folder=self._folder, user=self._user)
        process.wait_ready(lambda: self._answers(port), "postgres")
        return process

    def _answers(self, port: int) -> bool:
        # By its socket, which lies in our folder: on the port might be another's server.
        try:
            with psycopg.connect(host=str(self._folder), port=port, user=SUPERUSER, dbname="postgres"):
                return True
        except psycopg.OperationalError:
            return False

    def _signal_children(self, number: signal.Signals) -> None:
        for child in self._children():
            # A session may end between the look and the signal.
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)

    def _children(self) -> list[int]:
        # Each session leads a group of its own, so the server's group does not hold them.
        return list(_children_of(self._process.pid))


def _children_of(parent: int) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        process = int(folder.name)
        with contextlib.suppress(OSError):
            if int(_status(process)[1]) == parent:
                yield process


def _runs(process: int) -> bool:
    try:
        return _status(process)[0] != "Z"
    except OSError:
        return False


def _status(process: int) -> list[str]:
    """What follows the name in the kernel's line "pid (name) state ppid …": the name may hold anything."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def _unprivileged_user() -> str:
    for name in (SUPERUSER, "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise RuntimeError(
        "PostgreSQL will not run as root, and there is no user postgres or nobody to run it as"
    )
