"""The processes that `tests.support.prefork` has its processes forked from.

The first has read the libraries, and knows nothing of the project and no settings. It forks templates, which have set
up Django, and has the new processes forked from those: they read the settings again, from their own environment, set up
Django again, and find it done. A template serves all environments in which Django's set-up is the same.
"""

# Long because what is forked, what a template reads and what a new process forgets belong together.

from __future__ import annotations

import atexit
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
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import django
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import ConnectionHandler
from django.utils.functional import empty

_LIBRARIES = """
    asgiref.sync asyncio autobahn.twisted.websocket channels.layers channels_redis.pubsub concurrent.futures.thread
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

# By design a password costs a fifth of a second of CPU, and hundreds of log-ins are about something else. The test of a
# flood of them gives its gateway the variable, with Django's number.
PBKDF2PasswordHasher.iterations = 10_000
HASH_ITERATIONS = "TESTS_HASH_ITERATIONS"

_MOST_BYTES = 2**17
_INHERITED = 4
"""Files that a new process is given: its standard ones, and where its number and its end are notified."""


_SETTINGS = "voipbin_ws.settings"
_SET_UP_BY = ("DEBUG", "LANG", "LOG_FORMAT", "LOG_LEVEL", "TZ")
"""Variables that Django's set-up depends on, next to the kind of the database."""

_MODULES = """
    django.contrib.auth.backends django.contrib.auth.middleware django.contrib.messages.middleware
    django.contrib.sessions.backends.db django.contrib.sessions.middleware django.middleware.common
    django.middleware.gzip voipbin_ws.http.django_handler voipbin_ws.http.loop_responses
    voipbin_ws.http.publish_endpoint voipbin_ws.http.stream_endpoint voipbin_ws.languages.choice
    voipbin_ws.masked_responses voipbin_ws.servers.application voipbin_ws.servers.run voipbin_ws.servers.supervisor
    voipbin_ws.urls
""".split()  # noqa: SIM905 - as above
"""What a gateway reads beyond Django's set-up, and a template with it: all but what installs Twisted's reactor."""


class PreforkServer:
    """A process that forks: the first one, or a template."""

    def __init__(self, control: socket.socket, *, is_template: bool = False) -> None:
        self._control = control
        self._is_template = is_template
        self._woken, self._waking = os.pipe()
        self._send: dict[int, int] = {}
        """Where the end of each process is notified."""
        self._templates: dict[str, socket.socket | None] = {}
        """By what the set-up depends on; None if it fails, which the command reports better."""
        os.set_blocking(self._waking, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)

    def serve(self) -> dict[str, Any]:
        """Fork as requested, until the tests are over. Returns in a new process alone, with what it was requested."""
        waiting = [self._woken, self._control.fileno()]
        while True:
            ready, _, _ = select.select(waiting, [], [])
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._notify_of_ends()
            if self._control.fileno() in ready:
                message, files, _, _ = socket.recv_fds(self._control, _MOST_BYTES, _INHERITED)
                if not message:
                    waiting.remove(self._control.fileno())
                else:
                    requested = json.loads(message)
                    if not self._forward(requested["environment"], message, files):
                        pid = os.fork()
                        if pid == 0:
                            self._leave()
                            return self._settle(requested, files)
                        self._send[pid] = files.pop()
                        os.write(self._send[pid], f"{pid}\n".encode())
                    _close(files)
            # A template that is not needed any more still has to notify of the ends of its processes.
            if len(waiting) == 1 and not (self._is_template and self._send):
                sys.exit(0)

    def _forward(self, environment: Mapping[str, str], message: bytes, files: Sequence[int]) -> bool:
        """Return whether a template forks instead."""
        # Settings of the tests' own, and their apps, may depend on anything.
        if self._is_template or environment.get("DJANGO_SETTINGS_MODULE", _SETTINGS) != _SETTINGS:
            return False
        kind = environment.get("DATABASE_URL", "").partition(":")[0]
        key = json.dumps([kind, *(environment.get(name) for name in _SET_UP_BY)])
        if key not in self._templates:
            self._templates[key] = self._new_template(environment, files)
        template = self._templates[key]
        if template is None:
            return False
        try:
            socket.send_fds(template, [message], files)
        except OSError:  # It was killed.
            self._templates[key] = None
            return False
        return True

    def _new_template(self, environment: Mapping[str, str], files: Sequence[int]) -> socket.socket | None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            ours.close()
            _close(files)
            self._leave()
            try:
                _set_up(environment)
            except BaseException:
                os._exit(1)
            theirs.send(b"ready")
            _run(PreforkServer(theirs, is_template=True).serve())
        theirs.close()
        if ours.recv(16):
            return ours
        ours.close()
        return None

    def _notify_of_ends(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                file = self._send.pop(pid, None)
                if file is not None:  # It is no template.
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
        for template in self._templates.values():
            if template is not None:
                template.close()
        _close([self._woken, self._waking, *self._send.values()])

    def _settle(self, requested: dict[str, Any], files: Sequence[int]) -> dict[str, Any]:
        if requested["new_session"]:
            os.setsid()
        for number, file in enumerate(files[:3]):
            os.dup2(file, number)
        _close(files)
        _enter(requested["environment"])
        _open_streams()
        if self._is_template:
            _read_settings_again()
        return requested


def _enter(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    if HASH_ITERATIONS in os.environ:
        PBKDF2PasswordHasher.iterations = int(os.environ.pop(HASH_ITERATIONS))


def _open_streams() -> None:
    # The template's own, which log handlers keep, write to the same files.
    bare = "PYTHONUNBUFFERED" in os.environ
    sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), encoding="utf-8")  # noqa: SIM115
    sys.stdout = _output(1, bare, "strict")
    sys.stderr = _output(2, bare, "backslashreplace")


def _set_up(environment: Mapping[str, str]) -> None:
    """Do what each command begins with; what it writes is lost, until a process has files of its own."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    os.close(nowhere)
    _enter(environment)
    _open_streams()
    os.umask(0o027)  # As `manage.py` does: the settings make a folder.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", _SETTINGS)
    django.setup()
    for name in _MODULES:
        importlib.import_module(name)
    staticfiles_storage.url("")  # All files are read for the version in it.
    assert threading.active_count() == 1, "threads are not forked"
    gc.collect()
    gc.freeze()


def _read_settings_again() -> None:
    """Have the settings read from this process's environment, as if nothing had read them yet."""
    # What has been read of the settings is kept here by Django.
    read = {name: value for name, value in vars(settings).items() if name.isupper() and name != "DATABASES"}
    settings._wrapped = empty
    sys.modules.pop(_SETTINGS)
    vars(connections).clear()
    vars(connections).update(vars(ConnectionHandler()))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", _SETTINGS)
    try:
        changed = [name for name, value in read.items() if getattr(settings, name) != value]
    except ImproperlyConfigured:
        settings._wrapped = empty  # The command reports it better.
        return
    assert not changed, f"{changed} are read when Django is set up: name their variables in {__file__}"


def _close(files: Sequence[int]) -> None:
    for file in files:
        os.close(file)


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
    # Registered first, it runs last.
    atexit.register(_end_script)
    for name in _LIBRARIES:
        # The command that needs it reports it better.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    sys.path[0] = str(Path.cwd())
    _run(PreforkServer(socket.socket(fileno=int(sys.argv[1]))).serve())


def _run(requested: Mapping[str, Any]) -> NoReturn:
    sys.argv = requested["arguments"]
    runpy.run_path(sys.argv[0], run_name="__main__")
    _scripts_done.append(sys.argv[1])
    sys.exit(0)


def _end_script() -> None:
    """End a script of the tests' own: to clear up what its template read would take as long as the script."""
    if _scripts_done == ["shell"]:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


_scripts_done: list[str] = []
"""The command of this process, once it has succeeded."""


if __name__ == "__main__":
    main()
