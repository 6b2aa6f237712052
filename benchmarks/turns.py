"""The turns of one contestant: events in a burst or at a constant pace, and their cost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.contestants.contestant import Contestant
from benchmarks.load import LoadClient

SETTLE_SECONDS = 0.05
"""A server may still work after the last delivery, such as answer its publisher; that is counted."""


def evenly(marks: Sequence[int], per_second: float) -> Iterator[int]:
    """Yield each mark at its time, `per_second` of them."""
    start = time.monotonic()
    for place, mark in enumerate(marks):
        time.sleep(max(0.0, start + place / per_second - time.monotonic()))
        yield mark


@dataclass(frozen=True)
class Round:
    """One turn: CPU nanoseconds of server and load client, and wall-clock seconds."""

    events: int
    deliveries: int
    server_cpu: int
    client_cpu: int
    seconds: float

    @property
    def per_delivery(self) -> float:
        """CPU microseconds of the server."""
        return self.server_cpu / self.deliveries / 1000

    @property
    def per_event(self) -> float:
        """CPU microseconds of the server."""
        return self.server_cpu / self.events / 1000


@dataclass
class Runner:
    """A contestant with its load client and its measured rounds."""

    contestant: Contestant
    load: LoadClient
    socket_count: int = 0
    next_mark: int = 1
    rounds: dict[str, list[Round]] = field(default_factory=dict)

    def open(self, count: int) -> None:
        """Open connections up to this count."""
        more = count - self.socket_count
        # Few at a time: the speed of opening is measured elsewhere.
        self.load.open(self.contestant.sockets(more, self.next_mark), at_once=50)
        self.socket_count = count

    def burst(self, kind: str, events: int) -> None:
        """Publish as fast as possible."""
        self._measure(kind, events, lambda marks: self.contestant.publish(marks))

    def paced(self, kind: str, events: int, per_second: float) -> None:
        """Publish single events at a constant pace."""

        def publish(marks: Sequence[int]) -> None:
            for mark in evenly(marks, per_second):
                self.contestant.publish([mark])

        self._measure(kind, events, publish)

    def _measure(self, kind: str, events: int, publish: Callable[[Sequence[int]], None]) -> None:
        marks = range(self.next_mark, self.next_mark + events)
        self.next_mark += events
        before = self.load.stats()
        self.load.begin_until(marks[-1], seconds=120)
        server, start = self.contestant.cpu(), time.monotonic()
        publish(marks)
        after = self.load.finish()
        ended = time.monotonic()
        time.sleep(SETTLE_SECONDS)
        self.rounds.setdefault(kind, []).append(
            Round(
                events=events,
                deliveries=after.deliveries - before.deliveries,
                server_cpu=self.contestant.cpu() - server,
                client_cpu=after.cpu - before.cpu,
                seconds=ended - start,
            )
        )

    def median(self, kind: str, of: Callable[[Round], float]) -> float | None:
        """The median of a number over the rounds of this kind; `None` without rounds."""
        rounds = self.rounds.get(kind)
        return statistics.median(map(of, rounds)) if rounds else None

    def fan_out(self, kind: str) -> float | None:
        """CPU microseconds for each delivery beyond an event's first; `None` if not measured."""
        whole, alone = (
            self.median(kind, lambda r: r.per_event),
            self.median(f"{kind}, alone", lambda r: r.per_event),
        )
        if whole is None or alone is None or self.socket_count < 2:
            return None
        return (whole - alone) / (self.socket_count - 1)
