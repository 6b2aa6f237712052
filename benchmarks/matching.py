"""Matching: whether more patterns, or more connections with other topics, cost more."""

from __future__ import annotations

import itertools
import json
import statistics
import time
import uuid
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from benchmarks import event, wire
from benchmarks.accounting import Cores, on_cores
from benchmarks.contestants.contestant import Place
from benchmarks.contestants.crowd import create_agents
from benchmarks.contestants.gateway import READY, GatewayContestant
from benchmarks.load import LoadClient, Socket
from benchmarks.report import note, save, table, working_folder
from events.domain.event import Entry
from events.domain.topics import customer_topic
from subscriptions.delivery.feed import Feed
from tests.journeys.support.cast import token_of

TOPICS_OF_A_SOCKET = 100
RECEIVERS = 10
"""Connections that receive each event, in the measurement of patterns."""

IDLE_SECONDS = 2.5
"""How long an idle server is measured: longer than all its intervals except that of pings."""

LIST = 200
"""Events in one request."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--patterns", type=int, nargs=2, default=[100, 100_000], metavar=("FEW", "MANY"))
    parser.add_argument("--agents", type=int, nargs=2, default=[50, 5_000], metavar=("FEW", "MANY"))
    parser.add_argument("--events", type=int, default=1000, help="in a round (1000)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--server", choices=["daphne", "uvicorn"], default="uvicorn")


@dataclass
class Scenario:
    """A gateway with connections, and events of which each has so many receivers."""

    name: str
    contestant: GatewayContestant
    load: LoadClient
    draft: Callable[[int], dict[str, Any]]
    receivers: int
    numbers: Iterator[int]
    """The numbers of events, shared by the scenarios of a gateway."""
    costs: list[float] = field(default_factory=list)

    def round(self, events: int) -> float:
        """Publish in lists, and wait until everything has arrived.

        Returns the server's CPU microseconds for each event, without what it uses while idle, such as for pings.
        """
        drafts = [self.draft(number) for number in itertools.islice(self.numbers, events)]
        idle, since = self.contestant.cpu(), time.monotonic()
        time.sleep(IDLE_SECONDS)
        idle_share = (self.contestant.cpu() - idle) / (time.monotonic() - since)
        wanted = self.load.stats().deliveries + events * self.receivers
        self.load.begin_total(wanted, seconds=60)
        cpu, began = self.contestant.cpu(), time.monotonic()
        for start in range(0, events, LIST):
            self.contestant.post(drafts[start : start + LIST])
        self.load.finish()
        time.sleep(0.05)
        used = self.contestant.cpu() - cpu - idle_share * (time.monotonic() - began)
        return used / events / 1000


def run(arguments: Namespace) -> None:
    """Measure few and many patterns, and few and many connections, in turn."""
    cores = Cores()
    with ExitStack() as stack:
        folder = stack.enter_context(working_folder())
        scenarios: list[Scenario] = []

        def prepared(name: str, sockets: int) -> tuple[GatewayContestant, LoadClient]:
            own = folder / str(len(scenarios))
            contestant = GatewayContestant(Place(own, cores.server, cores.load, sockets), arguments.server)
            stack.callback(contestant.stop)
            note(f"preparing: {name}")
            return contestant, stack.enter_context(LoadClient(own, cores.load))

        for count in arguments.patterns:
            name = f"{count:,} patterns in the hub"
            contestant, load = prepared(name, count // TOPICS_OF_A_SOCKET + RECEIVERS)
            with on_cores(cores.load):
                load.open(_holders_of(contestant, count) + contestant.sockets(RECEIVERS, start=0), 50)
            scenarios.append(Scenario(name, contestant, load, event.draft, RECEIVERS, itertools.count(1)))
        for count in arguments.agents:
            name = f"{count:,} agents connected"
            contestant, load = prepared(name, count)
            agents = create_agents(contestant.gateway, contestant.company.id, count)
            with on_cores(cores.load):
                load.open([_agent_socket(contestant, agent) for agent in agents], 50)
            numbers = itertools.count(1)
            for concerned in (1, 10):
                draft = _concerning(agents[: min(arguments.agents)], concerned)
                what = f"{name}, an event concerns {concerned}"
                scenarios.append(Scenario(what, contestant, load, draft, concerned, numbers))
        with on_cores(cores.load):
            for number in range(arguments.rounds + 1):
                for scenario in scenarios:
                    cost = scenario.round(arguments.events)
                    if number:  # The first warms up.
                        scenario.costs.append(cost)
                        note(f"round {number}, {scenario.name}: {cost:.1f} µs an event")
            lookup_costs = {count: _lookup_us(count) for count in arguments.patterns}
    _report(scenarios, lookup_costs)


def _holders_of(contestant: GatewayContestant, patterns: int) -> list[Socket]:
    """Connections that hold this many patterns, all of calls without events."""
    sockets = []
    for number in range(patterns // TOPICS_OF_A_SOCKET):
        topics = [
            f"customer_id:{contestant.company.id}:call:{uuid.uuid4()}" for _ in range(TOPICS_OF_A_SOCKET)
        ]
        sockets.append(contestant.socket(number + RECEIVERS, 0, topics))
    return sockets


def _agent_socket(contestant: GatewayContestant, agent_id: str) -> Socket:
    address = f"127.0.0.1:{contestant.gateway.port}"
    subscribe = json.dumps({"type": "subscribe", "topics": [f"agent_id:{agent_id}:*:*"]}).encode()
    path = f"/v1.0/ws?token={token_of(agent_id, iat=time.time())}"
    return Socket(address, wire.handshake(address, path), wire.frame(subscribe), READY, start=0)


def _concerning(agents: Sequence[str], count: int) -> Callable[[int], dict[str, Any]]:
    def draft(number: int) -> dict[str, Any]:
        named = [agents[(number + offset) % len(agents)] for offset in range(count)]
        return event.draft(number) | {"agent_ids": named}

    return draft


def _lookup_us(patterns: int) -> float:
    """Microseconds for a feed with this many patterns to take an event and find its receivers."""
    customer_id = str(uuid.UUID(int=7))
    feed: Feed[int] = Feed(customer_id, "0123456789ab", 0)
    for number in range(patterns - 1):
        feed.attach(number, [customer_topic(customer_id, "call", str(uuid.uuid4()))])
    for receiver in range(RECEIVERS):
        feed.attach(-1 - receiver, [f"customer_id:{customer_id}:call:*"])
    head, tail = event.frame(1).split("customer_id:", 1)
    count = 20_000
    entries = [
        Entry(seq, head, tail, (customer_topic(customer_id, "call", event.call_of(seq)),))
        for seq in range(1, count + 1)
    ]
    start = time.process_time_ns()
    for entry in entries:
        for ready in feed.offer([entry]):
            feed.receivers(ready)
    return (time.process_time_ns() - start) / count / 1000


def _report(scenarios: list[Scenario], lookup_costs: dict[int, float]) -> None:
    costs = {scenario.name: statistics.median(scenario.costs) for scenario in scenarios}
    rows: list[list[object]] = [
        [
            scenario.name,
            scenario.receivers,
            costs[scenario.name],
            costs[scenario.name] / costs[_first_like(scenario, scenarios).name],
        ]
        for scenario in scenarios
    ]
    few = min(lookup_costs)
    rows += [
        [f"{count:,} patterns, looking up alone", RECEIVERS, cost, cost / lookup_costs[few]]
        for count, cost in lookup_costs.items()
    ]
    results = {
        "events": {
            scenario.name: {"costs": scenario.costs, "receivers": scenario.receivers}
            for scenario in scenarios
        },
        "look_up_us": lookup_costs,
    }
    save("matching", results, table(["", "deliveries an event", "CPU µs an event", "ratio"], rows))


def _first_like(scenario: Scenario, scenarios: list[Scenario]) -> Scenario:
    """The scenario with few that is compared with this one."""
    kind = scenario.name.partition(" ")[2]
    return next(other for other in scenarios if other.name.partition(" ")[2] == kind)
