"""Memory of a connection, and the time until cut connections have everything they missed."""

from __future__ import annotations

import resource
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace

from benchmarks.accounting import Cores, on_cores, rss_bytes
from benchmarks.contestants.contestant import Place
from benchmarks.contestants.gateway import GatewayContestant
from benchmarks.load import LoadClient, Socket
from benchmarks.report import note, save, table, working_folder

WARMING = 100
"""Connections before the first measurement: the process has allocated its fixed memory by then."""

MISSED = 100
"""Events that are published while the cut clients are disconnected."""

PAUSE_SECONDS = 1.0
"""Between the events that continue meanwhile. Each goes to all connections: ten a second would use a whole core."""

ADDRESSES = 8
"""Connections use this many local addresses, so that none runs out of ports."""


@dataclass(frozen=True)
class Memory:
    """The measurements of one server, in bytes and seconds."""

    sockets: int
    opening_seconds: float
    idle_bytes: float
    """Of each connection that is subscribed and was sent nothing."""
    used_bytes: float
    """Of each connection, after events were sent to all."""
    back: int
    back_seconds: float
    """From cutting all until the last client has received everything that it missed."""
    back_cpu_seconds: float
    missed: int
    """Events that each client missed and was sent."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sockets", type=int, default=10_000)
    parser.add_argument("--back", type=int, default=5_000, help="how many are dropped and come back (5000)")
    parser.add_argument("--at-once", type=int, default=500, help="of them, how many at the same moment (500)")
    parser.add_argument("--server", nargs="+", choices=["daphne", "uvicorn"], default=["daphne", "uvicorn"])


def run(arguments: Namespace) -> None:
    """Measure each server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    cores, results = Cores(), {}
    for server in arguments.server:
        results[server] = _measured(server, arguments, cores)
        note(f"{server}: {results[server]}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    header = [
        "",
        "kB a socket, idle",
        "kB a socket, after events",
        "opened in",
        "dropped",
        "all back in",
        "CPU of it",
    ]
    rows = [
        [
            f"gateway on {server}, {seen.sockets:,} sockets",
            seen.idle_bytes / 1000,
            seen.used_bytes / 1000,
            f"{seen.opening_seconds:.1f} s",
            seen.back,
            f"{seen.back_seconds:.1f} s",
            f"{seen.back_cpu_seconds:.1f} s",
        ]
        for server, seen in results.items()
    ]
    save("memory", {server: asdict(seen) for server, seen in results.items()}, table(header, rows))


def _measured(server: str, arguments: Namespace, cores: Cores) -> Memory:
    count: int = arguments.sockets
    with ExitStack() as stack:
        folder = stack.enter_context(working_folder())
        place = Place(folder, cores.server, cores.load, 2 * (count + WARMING))
        contestant = GatewayContestant(place, server)
        stack.callback(contestant.stop)
        load = stack.enter_context(LoadClient(folder, cores.load))
        stack.enter_context(on_cores(cores.load))
        pid = contestant.gateway.pid

        contestant.publish([1])
        load.open(_spread(contestant.sockets(WARMING, start=2)))
        contestant.publish(range(2, 12))
        _arrived(load, 11)
        before = rss_bytes(pid)
        opened = load.open(_spread(contestant.sockets(count, start=12)), at_once=100)
        idle = rss_bytes(pid)
        contestant.publish(range(12, 22))
        _arrived(load, 21)
        used = rss_bytes(pid)

        cursor = contestant.last_cursor
        back = contestant.sockets(arguments.back, start=22, since=cursor)
        cpu, start = contestant.cpu(), time.monotonic()
        load.drop(0, arguments.back)
        contestant.publish(range(22, 22 + MISSED))
        with _Publishing(contestant, 22 + MISSED) as publishing:
            load.begin_opening(_spread(back), arguments.at_once)
            load.finish_opening()
        _arrived(load, publishing.mark - 1)
        return Memory(
            sockets=count,
            opening_seconds=opened.opening_took / 1e9,
            idle_bytes=(idle - before) / count,
            used_bytes=(used - before) / count,
            back=arguments.back,
            back_seconds=time.monotonic() - start,
            back_cpu_seconds=(contestant.cpu() - cpu) / 1e9,
            missed=publishing.mark - 22,
        )


def _arrived(load: LoadClient, mark: int) -> None:
    load.begin_until(mark, seconds=120)
    load.finish()


def _spread(sockets: Sequence[Socket]) -> list[Socket]:
    return [replace(each, source=f"127.0.0.{1 + at % ADDRESSES}") for at, each in enumerate(sockets)]


class _Publishing:
    """Publishes an event a second in a thread, from `mark` on, during its `with` block."""

    def __init__(self, contestant: GatewayContestant, mark: int) -> None:
        self.mark = mark
        self._contestant = contestant
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._publish)

    def __enter__(self) -> _Publishing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _publish(self) -> None:
        while not self._enough.wait(PAUSE_SECONDS):
            self._contestant.publish([self.mark])
            self.mark += 1
