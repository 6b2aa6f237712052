"""Several gateway processes on one socket: started, replaced on a crash, ended in order.

uvicorn's supervisor, `uvicorn.supervisors.Multiprocess`, was tried with both servers. Operators would lose:

- workers that end when the parent is killed, so that the port is free for the next start;
- an exit code that says whether all clients were notified;
- Ctrl-C that drains: the terminal's SIGINT and the supervisor's SIGTERM are two signals, and the second ends at once;
- pauses between the starts of a worker that crashes, and one line when all workers serve;
- 40% of the memory, since its workers are not forked (docs/performance.md).
"""

from __future__ import annotations

import contextlib
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

Serve = Callable[[Callable[[], object]], None]
"""Serves until a stop signal, and calls its argument when the server listens."""

PAUSE_FIRST_SECONDS = 0.5
PAUSE_LONGEST_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""After so many seconds a crash counts as the first one."""

POLL_SECONDS = 0.5
"""Longest wait for workers, because a signal that arrives meanwhile does not end it."""

_fork = multiprocessing.get_context("fork")


def stop_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that stop the process: SIGTERM, SIGINT and SIGHUP.

    A process that nohup started ignores SIGHUP, and goes on doing so.
    """
    hang_up = () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGTERM, signal.SIGINT, *hang_up)


class NeverServed(Exception):
    """A worker ended before all had served; the message says how."""


@dataclass
class _Worker:
    """One worker, or the pause before its next start at `due`."""

    process: ForkProcess | None = None
    began: float = 0.0
    is_ready: bool = False
    pause: float = PAUSE_FIRST_SECONDS
    due: float = math.inf


class Workers:
    """Runs `serve` on `bound` in `count` forked processes.

    `announce` is called once, when all of them serve.
    """

    def __init__(self, count: int, bound: socket.socket, serve: Serve, announce: Callable[[], None]) -> None:
        self._bound = bound
        self._serve = serve
        self._announce = announce
        self._workers = [_Worker() for _ in range(count)]
        self._announced = False
        self._signals = stop_signals()
        self._stops = 0
        self._failed = False
        # Each worker writes its index when it serves.
        self._ready_reader, self._ready_writer = os.pipe()
        os.set_blocking(self._ready_reader, False)
        # The parent alone holds the writing end. When it ends in any way, the workers read the end of file and end too.
        self._parent_reader, self._parent_writer = os.pipe()

    def run(self) -> int:
        """Serve until a stop signal; return the exit code, 0 if all workers ended in order.

        Raises:
            NeverServed: a worker ended early, and the others were killed.
        """
        _close_connections()
        before = {number: signal.signal(number, self._stop) for number in self._signals}
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

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if self._stops and number == signal.SIGHUP:
            return  # A closed terminal's shell and its kernel each send one.
        self._stops += 1
        # New clients are refused and go elsewhere, instead of waiting in a queue without a server.
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
                # A worker that was not ready had no clients to notify.
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
            # Until the worker has reset the handlers, a signal to it would run the parent's.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)
            if worker.due <= time.monotonic():
                worker.process = _fork.Process(target=self._run_worker, args=(index, before), daemon=True)
                worker.began, worker.is_ready, worker.due = time.monotonic(), False, math.inf
                worker.process.start()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _run_worker(self, index: int, mask: set[int]) -> None:
        # A group of its own: Ctrl-C reaches the parent alone, which passes it on once.
        os.setpgid(0, 0)
        for number in self._signals:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(self._parent_writer)
        threading.Thread(target=_wait_for_parent, args=[self._parent_reader], daemon=True).start()
        self._serve(lambda: os.write(self._ready_writer, bytes([index])))


def _wait_for_parent(alive: int) -> None:
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _close_connections() -> None:
    """Close connections that two processes must not share."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
