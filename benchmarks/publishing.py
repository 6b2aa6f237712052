"""Publishing: events a second and their CPU, in lists and one by one, by database."""

from __future__ import annotations

import json
import statistics
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from benchmarks import event
from benchmarks.accounting import Cores, on_cores
from benchmarks.bare import bare_costs
from benchmarks.compiled import Unavailable
from benchmarks.contestants.contestant import Place
from benchmarks.contestants.gateway import GatewayContestant
from benchmarks.load import LoadClient, LoadFailed
from benchmarks.posting import post_all, request
from benchmarks.report import note, save, table, working_folder
from deploy.programs import POSTGRES, REDIS, Program
from tests.support.databases import MigratedPostgres, MigratedSqlite
from tests.support.postgres_server import PostgresServer
from tests.support.redis_server import RedisServer


@dataclass(frozen=True)
class Published:
    """One round: events a second until the subscriber has all, and CPU microseconds for each.

    `commits` are those for each event, `None` if the database does not count them.
    """

    per_second: float
    server_us: float
    commits: float | None


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--events", type=int, default=10_000, help="in lists, in a round (10000)")
    parser.add_argument("--list", type=int, default=500, help="events in a request (500)")
    parser.add_argument("--singles", type=int, default=1_000, help="posted one by one, in a round (1000)")
    parser.add_argument("--connections", type=int, default=32, help="that post single events (32)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--server", choices=["daphne", "uvicorn"], default="uvicorn")
    parser.add_argument(
        "--database", nargs="+", choices=["sqlite", "postgres"], default=["sqlite", "postgres"]
    )


def program(wanted: Program) -> Path:
    """Find a program.

    Raises:
        Unavailable: it is not installed.
    """
    found = wanted.find()
    if found is None:
        raise Unavailable(f"no {wanted.name} here: apt-get install {wanted.package}")
    return found


def started_postgres(folder: Path, cores: Cores) -> PostgresServer:
    """Start a private PostgreSQL on the cores of the load."""
    own = folder / "postgres"
    own.mkdir()
    with on_cores(cores.load):
        return PostgresServer(program(POSTGRES), own)


def started_redis(folder: Path, cores: Cores) -> RedisServer:
    """Start a private Redis on the cores of the load."""
    own = folder / "redis"
    own.mkdir()
    with on_cores(cores.load):
        return RedisServer(program(REDIS), own)


class Publication:
    """A gateway with one subscriber, to which events are published in rounds."""

    def __init__(self, name: str, contestant: GatewayContestant, load: LoadClient) -> None:
        self.name = name
        self.rounds: dict[str, list[Published]] = {"list": [], "single": []}
        self._contestant = contestant
        self._load = load
        self._next = 1
        load.open(contestant.sockets(1, start=0))

    def round(self, kind: str, events: int, in_list: int, connections: int) -> Published:
        """Publish events; each connection sends its next request when the last was answered."""
        numbers = range(self._next, self._next + events)
        self._next += events
        drafts = [event.draft(number) for number in numbers]
        bodies = [
            drafts[at : at + in_list] if in_list > 1 else drafts[at] for at in range(0, events, in_list)
        ]
        secret = self._contestant.publishing_key.secret
        requests = [request("/v1.0/events", secret, json.dumps(body).encode()) for body in bodies]
        commits = self._commits()
        wanted = self._load.stats().deliveries + events
        self._load.begin_total(wanted, seconds=120)
        cpu, start = self._contestant.cpu(), time.monotonic()
        post_all(self._contestant.gateway.port, requests, connections)
        # Concurrent posts are numbered as they come, so their marks are not in order: they are counted.
        self._load.finish(complete=False)
        seconds = time.monotonic() - start
        time.sleep(0.05)
        if (arrived := self._load.stats().deliveries) != wanted:
            raise LoadFailed(f"{arrived} events arrived of {wanted}")
        server_us = (self._contestant.cpu() - cpu) / events / 1000
        after = self._commits()
        shared = None if commits is None or after is None else (after - commits) / events
        done = Published(events / seconds, server_us, shared)
        self.rounds[kind].append(done)
        return done

    def median(self, kind: str, of: Callable[[Published], float]) -> float:
        return statistics.median(map(of, self.rounds[kind]))

    def _commits(self) -> int | None:
        url = self._contestant.gateway.database_url
        if not url.startswith("postgresql"):
            return None
        with psycopg.connect(url, autocommit=True) as connection:
            # PostgreSQL stores with each row the transaction that wrote it.
            row = connection.execute("SELECT count(DISTINCT xmin::text) FROM events_event").fetchone()
            assert row
            return int(row[0])


def run(arguments: Namespace) -> None:
    """Measure the gateway and the ORM alone on each database."""
    cores = Cores()
    with ExitStack() as stack:
        folder = stack.enter_context(working_folder())
        databases: dict[str, MigratedSqlite | MigratedPostgres] = {}
        if "sqlite" in arguments.database:
            (folder / "sqlite").mkdir()
            databases["SQLite"] = MigratedSqlite(folder / "sqlite")
        if "postgres" in arguments.database:
            postgres = started_postgres(folder, cores)
            stack.callback(postgres.kill)
            databases["PostgreSQL"] = MigratedPostgres(postgres)
        publications: list[Publication] = []
        bare: dict[str, list[dict[str, float]]] = {name: [] for name in databases}
        for name, each in databases.items():
            own = folder / f"gateway-{name}"
            contestant = GatewayContestant(
                Place(own, cores.server, cores.load, 1), arguments.server, databases=each
            )
            stack.callback(contestant.stop)
            load = stack.enter_context(LoadClient(own, cores.load))
            publications.append(Publication(name, contestant, load))
        for number in range(arguments.rounds + 1):
            for publication in publications:
                with on_cores(cores.load):
                    lists = publication.round("list", arguments.events, arguments.list, 1)
                    singles = publication.round("single", arguments.singles, 1, arguments.connections)
                costs = bare_costs(
                    databases[publication.name].create_database(),
                    cores,
                    events=arguments.events,
                    in_list=arguments.list,
                )
                if number:
                    bare[publication.name].append(costs)
                    note(
                        f"round {number}, {publication.name}: lists {lists}, singles {singles}, the ORM {costs}"
                    )
                else:  # The first warms up.
                    for rounds in publication.rounds.values():
                        rounds.clear()
    _report(publications, bare, arguments)


def _report(
    publications: list[Publication], bare: dict[str, list[dict[str, float]]], arguments: Namespace
) -> None:
    rows: list[list[object]] = []
    labels = {
        "list": f"lists of {arguments.list}",
        "single": f"single posts on {arguments.connections} connections",
    }
    for publication in publications:
        for kind, label in labels.items():
            floor = statistics.median(costs[kind] for costs in bare[publication.name])
            cost = publication.median(kind, lambda r: r.server_us)
            commits = [r.commits for r in publication.rounds[kind] if r.commits is not None]
            rows.append(
                [
                    f"{publication.name}, {label}",
                    publication.median(kind, lambda r: r.per_second),
                    1e6 / cost,
                    cost,
                    floor,
                    cost / floor,
                    statistics.median(commits) if commits else None,
                ]
            )
    header = [
        "",
        "events/s",
        "events a CPU second",
        "CPU µs an event",
        "the ORM alone, µs",
        "ratio",
        "commits an event",
    ]
    results = {
        publication.name: {
            "rounds": {kind: [asdict(r) for r in rounds] for kind, rounds in publication.rounds.items()},
            "bare": bare[publication.name],
        }
        for publication in publications
    }
    save("publishing", results, table(header, rows))
