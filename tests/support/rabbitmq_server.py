"""A private RabbitMQ server, with an Erlang of its own to itself."""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
from pathlib import Path

import pika
from pika.exceptions import AMQPError

from tests.support.ports import free_port, on_free_port
from tests.support.processes import ServerProcess

USER = PASSWORD = "guest"

# While a server starts, pika logs each attempt with a traceback.
logging.getLogger("pika").setLevel(logging.CRITICAL)


class RabbitmqServer:
    """A RabbitMQ on a port of its own, which it and its durable queues keep over restarts."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._node = f"tests-{secrets.token_hex(4)}@localhost"
        (folder / "plugins").write_text("[].\n")
        (folder / "nothing").touch()
        cookie = folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(20))
        cookie.chmod(0o400)
        # Erlang would start the process that knows its nodes' ports by itself, and leave it behind.
        self._names_port, self._names = on_free_port(self._start_names)
        self.port, self._process = on_free_port(self._start)

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self.port}/"

    def connect(self) -> pika.BlockingConnection:
        """A connection; the caller closes it."""
        return pika.BlockingConnection(pika.URLParameters(self.url))

    def kill(self) -> None:
        """SIGKILL: what a crash is. Durable queues and the persistent messages in them stay on the disk."""
        self._process.kill()

    def restart(self) -> None:
        """Start again on the same port with the same data; kills the server first where it still runs."""
        self._process.kill()
        self._process = self._start(self.port)

    def end(self) -> None:
        """Kill all that belongs to it."""
        self._process.kill()
        self._names.kill()

    def _start_names(self, port: int) -> ServerProcess:
        command = ["epmd", "-port", str(port), "-address", "127.0.0.1"]
        process = ServerProcess(command, self._folder / "epmd.log", environment=self._environment(port))
        process.wait_ready(lambda: _answers_names(port), "epmd")
        return process

    def _start(self, port: int) -> ServerProcess:
        settings = {
            "NODENAME": self._node,
            "NODE_PORT": str(port),
            "NODE_IP_ADDRESS": "127.0.0.1",
            "DIST_PORT": str(free_port()),
            "MNESIA_BASE": str(self._folder / "mnesia"),
            "LOGS": "-",
            "LOG_BASE": str(self._folder),
            "CONFIG_FILE": str(self._folder / "nothing"),
            "CONF_ENV_FILE": str(self._folder / "nothing"),
            "ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            # One scheduler: it starts as fast, and takes no second core from the other tests.
            "SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none",
        }
        environment = self._environment(self._names_port) | {
            f"RABBITMQ_{name}": value for name, value in settings.items()
        }
        process = ServerProcess([str(self._program)], self._folder / "rabbitmq.log", environment=environment)
        process.wait_ready(lambda: self._answers(port), "rabbitmq-server")
        return process

    def _environment(self, names_port: int) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(names_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def _answers(self, port: int) -> bool:
        try:
            pika.BlockingConnection(pika.URLParameters(f"amqp://{USER}:{PASSWORD}@127.0.0.1:{port}/")).close()
        except (AMQPError, OSError):
            return False
        return True


def _answers_names(port: int) -> bool:
    requested = subprocess.run(["epmd", "-port", str(port), "-names"], capture_output=True)
    return requested.returncode == 0
