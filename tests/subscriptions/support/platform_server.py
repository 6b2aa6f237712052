"""A platform API that gives prepared answers and keeps the requests."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


class Platform(ThreadingHTTPServer):
    """`answers` are statuses with bodies, given in turn, and the last one for ever.

    The status 0 hangs up without an answer, and -1 never answers until the platform closes.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.answers: list[tuple[int, Any]] = [(200, {})]
        self.requests: list[tuple[str, str, Any, str | None]] = []
        self.closing = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Platform

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.command, self.path, body, self.headers["Authorization"]))
        status, said = self.server.answers[0]
        if len(self.server.answers) > 1:
            del self.server.answers[0]
        if status == -1:
            self.server.closing.wait(30)
        if status <= 0:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_PUT = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def platform() -> Iterator[Platform]:
    """Run a platform."""
    server = Platform()
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()


def unreachable_platform() -> str:
    """The URL of a platform that does not run."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"
