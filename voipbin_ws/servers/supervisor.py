"""Several gateway processes on one listening socket: started, watched, replaced when they crash, and ended in order."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connections

logger = logging.getLogger(__name__)

Serve = Callable[[Callable[[], None]], None]
"""Serves until SIGTERM, and calls what it is given once it does."""

PAUSE_FIRST_SECONDS = 0.5
PAUSE_LONGEST_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A worker that lived as long has not crashed for the same reason as the one before it."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


class NeverServed(Exception):
    """A worker ended before any had begun to serve; the message says how."""


@dataclass
class _Worker:
    number: int
    pid: int
    ready: int
    """The end of a pipe, from which can be read once the worker serves."""
    began: float
    is_ready: bool = False


class Workers:
    """`count` processes, each a copy of this one that runs `serve` on `bound`.

    `announce` is called when all of them serve.
    """

    def __init__(self, count: int, bound: socket.socket, serve: Serve, announce: Callable[[], None]) -> None:
        self._count = count
        self._bound = bound
        self._serve = serve
        self._announce = announce
        self._workers: dict[int, _Worker] = {}
        self._due: dict[int, float] = {}
        """When each missing worker is to be started again."""
        self._pauses: dict[int, float] = {}
        self._announced = False
        self._stops = 0
        self._failed = False
        self._selector = selectors.DefaultSelector()
        # Its other end closes with us, however we end: then the workers end too, and free the port.
        self._alive, self._life = os.pipe()

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; returns the exit code: 0 where every worker ended in order.

        Raises:
            NeverServed: all of them were ended.
        """
        _leave_nothing_shared()
        with self._signals():
            for number in range(1, self._count + 1):
                self._start(number)
            try:
                while self._workers or self._due:
                    self._wait()
                    self._take_signals()
                    self._bury()
                    self._start_due()
            except NeverServed:
                self._end_all(signal.SIGKILL)
                raise
        return 1 if self._failed else 0

    # --- Waiting ---

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        self._told, tell = os.pipe()
        os.set_blocking(self._told, False)
        os.set_blocking(tell, False)
        self._selector.register(self._told, selectors.EVENT_READ)
        before = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        handlers = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)

    def _wait(self) -> None:
        until = min(self._due.values(), default=None)
        timeout = None if until is None else max(until - time.monotonic(), 0)
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, _Worker):
                self._selector.unregister(key.fd)
                # An end of file is the worker's end, which is told by a signal too.
                key.data.is_ready = bool(os.read(key.fd, 1))
                os.close(key.fd)
        if not self._announced and len(self._workers) == self._count and self._all_ready():
            self._announced = True
            self._announce()

    def _all_ready(self) -> bool:
        return all(worker.is_ready for worker in self._workers.values())

    def _take_signals(self) -> None:
        told = b""
        with contextlib.suppress(BlockingIOError):
            told = os.read(self._told, 4096)
        for number in told:
            if number in (signal.SIGTERM, signal.SIGINT):
                self._stops += 1
                self._due.clear()
                # Whoever comes now is refused, and goes elsewhere, instead of waiting for nobody.
                self._bound.close()
                self._end_all(signal.SIGTERM if self._stops == 1 else signal.SIGKILL)

    # --- Workers ---

    def _end_all(self, number: signal.Signals) -> None:
        for pid in self._workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _bury(self) -> None:
        for pid, worker in list(self._workers.items()):
            found, status = os.waitpid(pid, os.WNOHANG)
            if not found:
                continue
            del self._workers[pid]
            code = os.waitstatus_to_exitcode(status)
            if self._stops:
                # One that had not begun yet had nobody to tell.
                self._failed = self._failed or code not in ((0,) if worker.is_ready else (0, -signal.SIGTERM))
            else:
                self._replace(worker, code)

    def _replace(self, worker: _Worker, code: int) -> None:
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        if not self._announced:
            raise NeverServed(f"A worker ended {how} before it served; the lines above say why")
        lived = time.monotonic() - worker.began
        pause = 0.0 if code == 0 else self._pauses.get(worker.number, PAUSE_FIRST_SECONDS)
        if lived >= STEADY_SECONDS:
            pause = min(pause, PAUSE_FIRST_SECONDS)
        self._pauses[worker.number] = min(max(pause, PAUSE_FIRST_SECONDS) * 2, PAUSE_LONGEST_SECONDS)
        level = logging.INFO if code == 0 else logging.ERROR
        logger.log(level, "Worker %d (pid %d) ended %s; another is started", worker.number, worker.pid, how)
        self._due[worker.number] = time.monotonic() + pause

    def _start_due(self) -> None:
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            self._start(number)

    def _start(self, number: int) -> None:
        ready, tell_ready = os.pipe()
        # Until the worker has taken off our handlers, a signal to it would be told as one to us.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if pid == 0:
            self._be_worker(tell_ready, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(tell_ready)
        worker = self._workers[pid] = _Worker(number, pid, ready, time.monotonic())
        self._selector.register(ready, selectors.EVENT_READ, worker)

    def _be_worker(self, tell_ready: int, mask: set[int]) -> None:
        """Never returns."""
        code = 1
        try:
            # A group of its own: Ctrl-C is the parent's to hear, who passes it on once.
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._selector.close()
            os.close(self._life)
            threading.Thread(target=_end_with_parent, args=[self._alive], daemon=True).start()
            self._serve(lambda: _tell(tell_ready))
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            # Not what the parent has still to do, such as the rest of its command.
            os._exit(code)


def _tell(ready: int) -> None:
    os.write(ready, b"1")
    os.close(ready)


def _end_with_parent(alive: int) -> None:
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _leave_nothing_shared() -> None:
    """Close what two processes must not use at once, and let the memory of what is loaded be theirs together."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    gc.collect()
    gc.freeze()
