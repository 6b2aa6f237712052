"""A private Redis server that keeps nothing on disk."""

from __future__ import annotations

import signal
from pathlib import Path

import redis

from tests.support.ports import on_free_port
from tests.support.processes import ServerProcess


class RedisServer:
    """A Redis on a port of its own, which it keeps over restarts."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self.port, self._process = on_free_port(self._start)

    @property
    def url(self) -> str:
        return _url(self.port)

    def client(self) -> redis.Redis:
        """A client; the caller closes it."""
        return _client(self.port)

    def kill(self) -> None:
        """SIGKILL: the server is gone, and its clients' connections with it."""
        self._process.kill()

    def stop(self) -> None:
        """SIGSTOP: the port still takes connections, and no one answers."""
        self._process.send(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: go on after `stop`, answering what has piled up."""
        self._process.send(signal.SIGCONT)

    def restart(self) -> None:
        """Start again on the same port, empty; kills the server first where it still runs."""
        self._process.kill()
        self._process = self._start(self.port)

    def heal(self) -> None:
        """Undo what a test did to it and left so."""
        self.resume()
        if not self._process.running:
            self.restart()

    def _start(self, port: int) -> ServerProcess:
        settings = {
            "port": str(port),
            "bind": "127.0.0.1",
            "dir": str(self._folder),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        process = ServerProcess([str(self._program), *options], self._folder / "redis.log")
        process.wait_ready(lambda: _pid_of_server(port) == process.pid, "redis-server")
        return process


def _url(port: int) -> str:
    return f"redis://127.0.0.1:{port}/0"


def _client(port: int) -> redis.Redis:
    return redis.Redis.from_url(_url(port), socket_timeout=5, socket_connect_timeout=5)


def _pid_of_server(port: int) -> int | None:
    try:
        with _client(port) as client:
            return int(client.info("server")["process_id"])
    except redis.RedisError:
        return None
