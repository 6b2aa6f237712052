"""Processes: deliveries of two processes on Redis and PostgreSQL, relative to one."""

from __future__ import annotations

import os
import statistics
import time
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace

from benchmarks import event
from benchmarks.accounting import Cores, on_cores
from benchmarks.contestants.contestant import Place
from benchmarks.contestants.gateway import GatewayContestant
from benchmarks.load import LoadClient
from benchmarks.publishing import started_postgres, started_redis
from benchmarks.report import note, save, table, working_folder
from tests.support.databases import MigratedPostgres

CORES_FOR_THE_CLOCK = 4
"""Two for the processes, two for load, database and Redis; with fewer, only CPU time is comparable."""


@dataclass(frozen=True)
class Round:
    """CPU seconds of the busiest process, deliveries, and wall-clock seconds."""

    busiest: float
    deliveries: int
    seconds: float


class Fleet:
    """Processes on one database and Redis that share connections and publishing evenly."""

    def __init__(self, processes: list[GatewayContestant], load: LoadClient, sockets: int) -> None:
        self.rounds: list[Round] = []
        self.processes = processes
        self._load = load
        self._sockets = sockets
        self._next = 1
        for process in processes:
            load.open(process.sockets(sockets // len(processes), start=1), at_once=50)

    def round(self, events: int) -> Round:
        """Publish two bursts, distributed over the processes."""
        before = [process.cpu() for process in self.processes]
        start = time.monotonic()
        bursts = 2
        for burst in range(bursts):
            marks = range(self._next, self._next + events)
            self._next += events
            self._load.begin_until(marks[-1])
            self.processes[burst % len(self.processes)].post([event.draft(mark) for mark in marks])
            self._load.finish()
        seconds = time.monotonic() - start
        time.sleep(0.05)
        used = [process.cpu() - cpu for process, cpu in zip(self.processes, before, strict=True)]
        return Round(max(used) / 1e9, bursts * events * self._sockets, seconds)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sockets", type=int, default=500, help="in all (500)")
    parser.add_argument("--events", type=int, default=200, help="in a burst (200)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--server", choices=["daphne", "uvicorn"], default="uvicorn")


def run(arguments: Namespace) -> None:
    """Measure one process and two processes in turn."""
    cores = Cores()
    available = sorted(cores.all)
    is_roomy = len(available) >= CORES_FOR_THE_CLOCK
    if is_roomy:
        cores.load = set(available[2:])
    with ExitStack() as stack:
        folder = stack.enter_context(working_folder())
        postgres = started_postgres(folder, cores)
        stack.callback(postgres.kill)
        redis = started_redis(folder, cores)
        stack.callback(redis.kill)
        databases = MigratedPostgres(postgres)
        fleets: list[Fleet] = []
        for count in (1, 2):
            place = Place(folder / f"{count}-1", cores.server, cores.load, arguments.sockets)
            first = GatewayContestant(place, arguments.server, databases=databases, redis_url=redis.url)
            stack.callback(first.stop)
            processes = [first]
            if count > 1:
                second = replace(
                    place,
                    folder=folder / f"{count}-2",
                    server_cores={available[1]} if is_roomy else cores.server,
                )
                processes.append(first.companion(second, arguments.server, redis.url))
                stack.callback(processes[1].stop)
            load = stack.enter_context(LoadClient(place.folder, cores.load))
            fleets.append(Fleet(processes, load, arguments.sockets))
        with on_cores(cores.load):
            for number in range(arguments.rounds + 1):
                for fleet in fleets:
                    done = fleet.round(arguments.events)
                    if number:  # The first warms up.
                        fleet.rounds.append(done)
                        note(f"round {number}, {len(fleet.processes)}: {done}")
    _report(fleets, is_roomy)


def _report(fleets: list[Fleet], is_roomy: bool) -> None:
    by_cpu = [statistics.median(r.deliveries / r.busiest for r in fleet.rounds) for fleet in fleets]
    by_clock = [statistics.median(r.deliveries / r.seconds for r in fleet.rounds) for fleet in fleets]
    rows: list[list[object]] = [
        [
            f"{len(fleet.processes)} process{'es' if len(fleet.processes) > 1 else ''}",
            by_cpu[at],
            by_cpu[at] / by_cpu[0],
            by_clock[at] if is_roomy else None,
            by_clock[at] / by_clock[0] if is_roomy else None,
        ]
        for at, fleet in enumerate(fleets)
    ]
    header = ["", "deliveries a CPU second of the busiest", "ratio", "deliveries a second", "ratio"]
    results = {
        "cores": os.cpu_count(),
        "rounds": {str(len(fleet.processes)): [asdict(each) for each in fleet.rounds] for fleet in fleets},
    }
    save("processes", results, table(header, rows))
