"""The cores of processes, and their CPU time and memory by the kernel's accounting."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_CPUCLOCK_SCHED = 2


class Cores:
    """The first allowed core for servers, the second, if there is one, for all else."""

    def __init__(self) -> None:
        allowed = sorted(os.sched_getaffinity(0))
        self.all = set(allowed)
        self.server = {allowed[0]}
        self.load = {allowed[1 % len(allowed)]}

    @property
    def are_apart(self) -> bool:
        return self.server != self.load


@contextlib.contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Run this thread, and processes that it starts, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_ns(pid: int) -> int:
    """CPU nanoseconds that a process has used in all its threads, without its children.

    The process's CPU-time clock (clock_getcpuclockid(3)) is exact, while /proc/<pid>/stat counts in ticks.
    """
    return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED)


def tree_of(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found = [pid]
    for each in found:
        found.extend(children.get(each, ()))
    return found


def rss_bytes(pid: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
