"""Floods: the latency that another customer has meanwhile, relative to an idle gateway."""

from __future__ import annotations

import http.client
import math
import multiprocessing
import queue
import statistics
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from benchmarks import event
from benchmarks.accounting import Cores, on_cores
from benchmarks.attacks import FLOODS, Target, flood
from benchmarks.contestants.contestant import Place
from benchmarks.contestants.gateway import GatewayContestant
from benchmarks.publishing import started_postgres
from benchmarks.report import note, save, table, working_folder
from tests.journeys.support.cast import company, settle
from tests.journeys.support.conversation import Closed, Conversation
from tests.support.databases import MigratedPostgres

IDLE = "nothing"

PROBES = ("an event", "GET /v1.0/me", "GET /healthz")

TIMEOUT_SECONDS = 60


class Victim:
    """The other customer: a publisher, a subscriber and a reader."""

    def __init__(self, contestant: GatewayContestant) -> None:
        self._contestant = contestant
        self._port = contestant.gateway.port
        self._headers = {"Authorization": f"Bearer {contestant.subscribers[0].secret}"}
        self._socket = Conversation(contestant.gateway, contestant.subscribers[0].secret)
        self._socket.subscribe(f"customer_id:{contestant.company.id}:call:*")
        self._mark = 0
        self._frames: queue.SimpleQueue[str] = queue.SimpleQueue()
        # Read at all times, so that pings are answered during a slow request.
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(Closed):
            while True:
                self._frames.put(self._socket.receive_text())

    def sample(self) -> list[float]:
        """Measure each of PROBES once, in milliseconds."""
        return [_milliseconds(each) for each in (self._event, self._me, self._health)]

    def _event(self) -> None:
        self._mark += 1
        self._contestant.publish([self._mark])
        while event.mark(self._mark) not in self._frames.get(timeout=TIMEOUT_SECONDS):
            pass

    def _me(self) -> None:
        self._get("/v1.0/me", self._headers)

    def _health(self) -> None:
        self._get("/healthz", {})

    def _get(self, path: str, headers: dict[str, str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != http.HTTPStatus.OK:
                raise http.client.HTTPException(f"GET {path} was answered {answer.status}")
        finally:
            connection.close()


def _milliseconds(action: Callable[[], None]) -> float:
    """Return how long it took; infinity if there was no good answer."""
    start = time.monotonic()
    try:
        action()
    except (OSError, http.client.HTTPException, RuntimeError, queue.Empty):
        return math.inf
    return (time.monotonic() - start) * 1000


@contextmanager
def flooded(name: str, target: Target) -> Iterator[None]:
    """Flood the gateway from another process until the block ends."""
    process = multiprocessing.get_context("spawn").Process(target=flood, args=(name, target))
    process.start()
    try:
        time.sleep(2.0)  # The clients connect.
        yield
    finally:
        process.kill()
        process.join()


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--samples", type=int, default=100, help="of each flood (100)")
    parser.add_argument("--server", nargs="+", choices=["daphne", "uvicorn"], default=["daphne", "uvicorn"])
    parser.add_argument("--only", nargs="+", choices=list(FLOODS), default=list(FLOODS))


def run(arguments: Namespace) -> None:
    """Measure another customer's latency idle, and during each flood."""
    cores = Cores()
    tables: list[str] = []
    results: dict[str, dict[str, list[list[float]]]] = {}
    with ExitStack() as stack:
        folder = stack.enter_context(working_folder())
        postgres = started_postgres(folder, cores)
        stack.callback(postgres.kill)
        for server in arguments.server:
            contestant = GatewayContestant(
                Place(folder / server, cores.server, cores.load, 1),
                server,
                databases=MigratedPostgres(postgres),
                TRUSTED_PROXIES="127.0.0.1",
            )
            stack.callback(contestant.stop)
            with on_cores(cores.load):
                results[server] = _measured(contestant, arguments.only, arguments.samples)
            tables.append(f"On {server}:\n\n{_table(results[server])}")
            contestant.stop()
    save("floods", results, *tables)


def _measured(contestant: GatewayContestant, floods: list[str], samples: int) -> dict[str, list[list[float]]]:
    attacker = company("Attacker")
    settle(contestant.gateway, attacker)
    target = Target(contestant.gateway.port, attacker.token("agent"), attacker.key("that publishes"))
    victim = Victim(contestant)
    for _ in range(20):  # The first warm up.
        victim.sample()
    idle = [victim.sample() for _ in range(samples)]
    found = {IDLE: idle}
    for name in floods:
        with flooded(name, target):
            found[name] = list(_samples(victim, samples))
        note(f"{contestant.name}, {name}: {[max(each) for each in zip(*found[name], strict=True)]}")
        victim.sample()
    return found


def _samples(victim: Victim, count: int) -> Iterator[list[float]]:
    for _ in range(count):
        yield (sample := victim.sample())
        if math.inf in sample:
            return  # Each other one would take as long.


def _table(found: dict[str, list[list[float]]]) -> str:
    idle = [statistics.median(each) for each in zip(*found[IDLE], strict=True)]
    rows: list[list[object]] = []
    for name, samples in found.items():
        row: list[object] = [name]
        for unit, each in zip(idle, zip(*samples, strict=True), strict=True):
            row += [statistics.median(each) / unit, max(each) / unit]
        rows.append(row)
    rows[0][0] = f"nothing ({', '.join(f'{each:.1f} ms' for each in idle)})"
    header = ["flood", *(f"{probe}, {of}" for probe in PROBES for of in ("median", "worst"))]
    return table(header, rows)
