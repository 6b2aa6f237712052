"""A private PgBouncer in transaction mode, with its defaults, before a PostgreSQL."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.support.ports import on_free_port
from tests.support.processes import ServerProcess

CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={behind}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
"""


class PgBouncerServer:
    """Passes on to the PostgreSQL at port `behind` what `user` does there.

    There are fewer connections behind it than clients have to it, so that these change between transactions.
    """

    def __init__(self, program: Path, folder: Path, behind: int, user: str) -> None:
        self._program = program
        self._folder = folder
        self._behind = behind
        self._user = user
        # Like PostgreSQL it refuses to run as root.
        self._runs_as = "postgres" if os.geteuid() == 0 else None
        (folder / "users.txt").write_text(f'"{user}" ""\n')
        if self._runs_as:
            shutil.chown(folder, self._runs_as)
        self.port, self._process = on_free_port(self._start)

    def url(self, database_url: str) -> str:
        """The URL of a database behind it, by way of it."""
        return f"postgresql://{self._user}@127.0.0.1:{self.port}{urlsplit(database_url).path}"

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def _start(self, port: int) -> ServerProcess:
        configuration = self._folder / "pgbouncer.ini"
        configuration.write_text(CONFIGURATION.format(behind=self._behind, port=port, folder=self._folder))
        log = self._folder / "pgbouncer.log"
        command = [str(self._program), str(configuration)]
        process = ServerProcess(command, log, folder=self._folder, user=self._runs_as)
        process.wait_ready(lambda: self._answers(port), "pgbouncer")
        return process

    def _answers(self, port: int) -> bool:
        try:
            # By its socket, which lies in our folder: on the port might be another's server.
            with psycopg.connect(host=str(self._folder), port=port, user=self._user, dbname="postgres"):
                return True
        except psycopg.OperationalError:
            return False
