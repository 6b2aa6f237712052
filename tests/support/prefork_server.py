"""The process that `tests.support.prefork` has its processes forked from.

It has read the libraries, and knows nothing of the project and no settings: all of that happens in the new process, as
where it is started from a shell.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.contrib.auth.hashers import PBKDF2PasswordHasher

_LIBRARIES = """
    asgiref.sync asyncio autobahn.websocket.protocol channels.layers channels_redis.pubsub concurrent.futures.thread
    django.contrib.admin.options django.contrib.admin.views.main django.contrib.admindocs.utils
    django.contrib.auth.hashers django.contrib.staticfiles.handlers django.core.handlers.asgi django.core.management
    django.core.servers.basehttp django.db.backends.postgresql.base django.db.backends.sqlite3.base
    django.db.migrations.executor django.db.migrations.serializer django.db.models django.forms django.http
    django.template.backends.django django.views.debug django.views.generic docutils.parsers.rst drf_spectacular.utils
    environ httptools httpx hyperlink inflection jwt phonenumbers.phonenumbermatcher prometheus_client.exposition
    psycopg psycopg_pool redis.asyncio requests rest_framework.serializers rest_framework.status segno structlog
    twisted.internet.asyncioreactor twisted.internet.defer twisted.web.http uritemplate uvicorn
    uvicorn.protocols.websockets.websockets_sansio_impl uvloop websockets whitenoise.middleware yaml
""".split()  # noqa: SIM905 - sixty names in quotes would not be read
"""None of them looks at Django's settings when it is imported, and none installs Twisted's reactor."""

# By design a password costs a fifth of a second of CPU. Hundreds of log-ins are about something else; the test of a flood
# of them sets its gateway the variable, to Django's number.
PBKDF2PasswordHasher.iterations = 10_000
HASH_ITERATIONS = "TESTS_HASH_ITERATIONS"

_MOST_BYTES = 2**17
_INHERITED = 4
"""Files that a new process is given: its standard ones, and where its number and its end are notified."""


class PreforkServer:
    """The process that forks."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._woken, self._waking = os.pipe()
        self._send: dict[int, int] = {}
        """Where the end of each process is notified."""
        os.set_blocking(self._waking, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)

    def serve(self) -> dict[str, Any]:
        """Fork as requested, until the tests are over. Returns in a new process alone, with what it was requested."""
        while True:
            ready, _, _ = select.select([self._control.fileno(), self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._tell_of_ends()
            if self._control.fileno() in ready:
                message, files, _, _ = socket.recv_fds(self._control, _MOST_BYTES, _INHERITED)
                if not message:
                    sys.exit(0)
                pid = os.fork()
                if pid == 0:
                    self._leave()
                    return self._settle(json.loads(message), files)
                self._send[pid] = files.pop()
                os.write(self._send[pid], f"{pid}\n".encode())
                for file in files:
                    os.close(file)

    def _tell_of_ends(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                file = self._send.pop(pid)
                with contextlib.suppress(BrokenPipeError):
                    os.write(file, f"{os.waitstatus_to_exitcode(status)}\n".encode())
                os.close(file)

    def _leave(self) -> None:
        """The new process has nothing to do with those before it."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # nohup lets the tests ignore it, which the processes under test must not inherit.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        # Where the tests run in a shell's background, it is ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._control.close()
        for file in (self._woken, self._waking, *self._send.values()):
            os.close(file)

    def _settle(self, requested: dict[str, Any], files: list[int]) -> dict[str, Any]:
        if requested["new_session"]:
            os.setsid()
        for number, file in enumerate(files[:3]):
            os.dup2(file, number)
        for file in files:
            os.close(file)
        os.environ.clear()
        os.environ.update(requested["environment"])
        if HASH_ITERATIONS in os.environ:
            PBKDF2PasswordHasher.iterations = int(os.environ.pop(HASH_ITERATIONS))
        bare = "PYTHONUNBUFFERED" in os.environ
        sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), encoding="utf-8")  # noqa: SIM115
        sys.stdout = _output(1, bare, "strict")
        sys.stderr = _output(2, bare, "backslashreplace")
        return requested


def _output(number: int, bare: bool, errors: str) -> io.TextIOWrapper:
    raw = open(number, "wb", buffering=0 if bare else -1, closefd=False)  # noqa: SIM115
    return io.TextIOWrapper(
        raw,
        encoding="utf-8",
        errors=errors,
        write_through=bare,
        line_buffering=number == 2 or os.isatty(number),
    )


def main() -> NoReturn:
    for name in _LIBRARIES:
        # The command that needs it reports it better.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    sys.path[0] = str(Path.cwd())
    requested = PreforkServer(socket.socket(fileno=int(sys.argv[1]))).serve()
    sys.argv = requested["arguments"]
    runpy.run_path(sys.argv[0], run_name="__main__")
    sys.exit(0)


if __name__ == "__main__":
    main()
