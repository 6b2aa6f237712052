"""Several gateway processes on one listening socket: started, watched, replaced when they crash, and ended in order.

uvicorn has one too, `uvicorn.supervisors.Multiprocess`. It serves daphne no worse, but operators would lose:
workers that end when their parent is killed, so that the port is free for the next start; an exit code that says
whether every client was notified; Ctrl-C that drains, for it sends each worker a second signal at once; pauses between
the starts of a worker that crashes; the one line that says when all serve; and, since its workers are not forked, forty
percent less memory. docs/performance.md has the numbers.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import math
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from types import FrameType

from django.db import connections

logger = logging.getLogger(__name__)

Serve = Callable[[Callable[[], None]], None]
"""Serves until SIGTERM, and calls what it is given once it does."""

PAUSE_FIRST_SECONDS = 0.5
PAUSE_LONGEST_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A worker that lived as long has not crashed for the same reason as the one before it."""

POLL_SECONDS = 0.5
"""Between two looks at what is due, for a signal ends no wait."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_fork = multiprocessing.get_context("fork")


class NeverServed(Exception):
    """A worker ended before any had begun to serve; the message says how."""


@dataclass
class _Worker:
    """One of the processes, or the pause until it is started again, at `due`."""

    process: ForkProcess | None = None
    began: float = 0.0
    is_ready: bool = False
    pause: float = PAUSE_FIRST_SECONDS
    due: float = math.inf


class Workers:
    """`count` processes, each a copy of this one that runs `serve` on `bound`.

    `announce` is called when all of them serve.
    """

    def __init__(self, count: int, bound: socket.socket, serve: Serve, announce: Callable[[], None]) -> None:
        self._bound = bound
        self._serve = serve
        self._announce = announce
        self._workers = [_Worker() for _ in range(count)]
        self._announced = False
        self._stops = 0
        self._failed = False
        # Each worker writes its index there once it serves.
        self._ready_reader, self._ready_writer = os.pipe()
        os.set_blocking(self._ready_reader, False)
        # Its other end closes with us, however we end: then the workers end too, and free the port.
        self._parent_reader, self._parent_writer = os.pipe()

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; returns the exit code: 0 where every worker ended in order.

        Raises:
            NeverServed: all of them were ended.
        """
        _prepare_to_fork()
        before = {number: signal.signal(number, self._stop) for number in _SIGNALS}
        try:
            for worker in self._workers:
                worker.due = 0.0
            while any(worker.process or worker.due < math.inf for worker in self._workers):
                self._start_due()
                self._wait()
                self._reap()
        except NeverServed:
            self._signal_all(signal.SIGKILL)
            raise
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return 1 if self._failed else 0

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stops += 1
        # Whoever comes now is refused, and goes elsewhere, instead of waiting for nobody.
        self._bound.close()
        for worker in self._workers:
            worker.due = math.inf
        self._signal_all(signal.SIGTERM if self._stops == 1 else signal.SIGKILL)

    def _signal_all(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.process is not None and worker.process.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker.process.pid, number)

    def _wait(self) -> None:
        pause = min(worker.due for worker in self._workers) - time.monotonic()
        sentinels = [worker.process.sentinel for worker in self._workers if worker.process]
        wait([self._ready_reader, *sentinels], max(min(pause, POLL_SECONDS), 0))
        with contextlib.suppress(BlockingIOError):
            for index in os.read(self._ready_reader, len(self._workers)):
                self._workers[index].is_ready = True
        if not self._announced and all(worker.process and worker.is_ready for worker in self._workers):
            self._announced = True
            self._announce()

    def _reap(self) -> None:
        for number, worker in enumerate(self._workers, 1):
            if worker.process is None or (code := worker.process.exitcode) is None:
                continue
            name, worker.process = f"Worker {number} (pid {worker.process.pid})", None
            if self._stops:
                # One that had not begun yet had nobody to tell.
                self._failed = self._failed or code not in ((0,) if worker.is_ready else (0, -signal.SIGTERM))
            else:
                self._replace(worker, name, code)

    def _replace(self, worker: _Worker, name: str, code: int) -> None:
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        if not self._announced:
            raise NeverServed(f"A worker ended {how} before it served; the lines above say why")
        pause = 0.0 if code == 0 else worker.pause
        if time.monotonic() - worker.began >= STEADY_SECONDS:
            pause = min(pause, PAUSE_FIRST_SECONDS)
        worker.pause = min(max(pause, PAUSE_FIRST_SECONDS) * 2, PAUSE_LONGEST_SECONDS)
        level = logging.INFO if code == 0 else logging.ERROR
        logger.log(level, "%s ended %s; another is started", name, how)
        worker.due = time.monotonic() + pause

    def _start_due(self) -> None:
        for index, worker in enumerate(self._workers):
            # Until the worker has taken off our handlers, a signal to it would be taken as one to us.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            if worker.due <= time.monotonic():
                worker.process = _fork.Process(target=self._run_worker, args=(index, before), daemon=True)
                worker.began, worker.is_ready, worker.due = time.monotonic(), False, math.inf
                worker.process.start()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _run_worker(self, index: int, mask: set[int]) -> None:
        # A group of its own: Ctrl-C is the parent's to hear, who passes it on once.
        os.setpgid(0, 0)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(self._parent_writer)
        threading.Thread(target=_wait_for_parent, args=[self._parent_reader], daemon=True).start()
        self._serve(lambda: _notify_ready(self._ready_writer, index))


def _notify_ready(ready: int, index: int) -> None:
    os.write(ready, bytes([index]))


def _wait_for_parent(alive: int) -> None:
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _prepare_to_fork() -> None:
    """Close what two processes must not use at once, and let the memory of what is loaded be theirs together."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    gc.collect()
    gc.freeze()
