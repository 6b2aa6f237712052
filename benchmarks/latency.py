"""Latency: from the commit of an event, or a broker's receipt, to its arrival at clients."""

from __future__ import annotations

import statistics
import time
from argparse import ArgumentParser, Namespace
from array import array
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.accounting import Cores, on_cores
from benchmarks.compiled import Unavailable
from benchmarks.contestants.brokers import Mosquitto, Nats, Nchan
from benchmarks.contestants.contestant import Contestant, Place
from benchmarks.contestants.gateway import GatewayContestant
from benchmarks.load import LoadClient
from benchmarks.report import note, save, table, working_folder
from benchmarks.turns import evenly


@dataclass(frozen=True)
class Delays:
    """The delays of one round in milliseconds, from commits and from the start of publishing.

    Brokers have no commit: both are from the start of publishing.
    """

    median: float
    p99: float
    from_publishing_median: float
    from_publishing_p99: float


@dataclass
class Runner:
    """A contestant, and the file with the times of its commits; `None` for brokers."""

    contestant: Contestant
    load: LoadClient
    stamps: Path | None
    next_mark: int = 1
    rounds: list[Delays] = field(default_factory=list)

    def round(self, events: int, per_second: float) -> Delays:
        """Publish single events at a constant pace, and measure their delays."""
        marks = range(self.next_mark, self.next_mark + events)
        self.next_mark += events
        self.load.record(on=True)
        self.load.begin_until(marks[-1])
        published: dict[int, int] = {}
        for mark in evenly(marks, per_second):
            published[mark] = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            self.contestant.publish([mark])
        self.load.finish()
        arrivals = self.load.recorded()
        self.load.record(on=False)
        committed = published if self.stamps is None else _stamps(self.stamps)
        commit = sorted((at - committed[mark]) / 1e6 for mark, at in arrivals)
        whole = sorted((at - published[mark]) / 1e6 for mark, at in arrivals)
        return Delays(_at(commit, 0.5), _at(commit, 0.99), _at(whole, 0.5), _at(whole, 0.99))

    def median(self, of: Callable[[Delays], float]) -> float:
        return statistics.median(map(of, self.rounds))


def _stamps(path: Path) -> dict[int, int]:
    numbers = array("Q", path.read_bytes())
    return dict(zip(numbers[::2], numbers[1::2], strict=True))


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--events", type=int, default=200, help="in a round (200)")
    parser.add_argument("--pace", type=float, default=50, help="events a second (50)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--server", nargs="+", choices=["daphne", "uvicorn"], default=["daphne", "uvicorn"])


def run(arguments: Namespace) -> None:
    """Measure all contestants in turn, in rounds."""
    cores = Cores()
    with ExitStack() as stack:
        folder = stack.enter_context(working_folder())
        runners: list[Runner] = []

        def place(name: str) -> Place:
            own = folder / name
            own.mkdir()
            return Place(own, cores.server, cores.load, arguments.sockets)

        def add(contestant: Contestant, own: Path, stamps: Path | None) -> None:
            stack.callback(contestant.stop)
            load = stack.enter_context(LoadClient(own, cores.load))
            load.open(contestant.sockets(arguments.sockets, start=1), at_once=50)
            runners.append(Runner(contestant, load, stamps))

        for server in arguments.server:
            where = place(server)
            stamps = where.folder / "stamps"
            settings = "benchmarks.stamping.settings"
            add(
                GatewayContestant(where, server, DJANGO_SETTINGS_MODULE=settings, STAMPS=str(stamps)),
                where.folder,
                stamps,
            )
        for broker in (Nchan, Nats, Mosquitto):
            where = place(broker.__name__)
            try:
                add(broker(where), where.folder, None)
            except Unavailable as reason:
                note(f"{broker.__name__} is skipped: {reason}")
        with on_cores(cores.load):
            for number in range(arguments.rounds + 1):
                for runner in runners:
                    delays = runner.round(arguments.events, arguments.pace)
                    if number:  # The first warms up.
                        runner.rounds.append(delays)
                        note(f"round {number} {runner.contestant.name}: {delays}")
    _report(runners)


def _report(runners: list[Runner]) -> None:
    header = ["ms", "median", "p99", "from publishing: median", "p99"]
    rows: list[list[object]] = [
        [
            runner.contestant.name,
            runner.median(lambda d: d.median),
            runner.median(lambda d: d.p99),
            runner.median(lambda d: d.from_publishing_median),
            runner.median(lambda d: d.from_publishing_p99),
        ]
        for runner in runners
    ]
    results = {runner.contestant.name: [asdict(each) for each in runner.rounds] for runner in runners}
    save("latency", results, table(header, rows))
