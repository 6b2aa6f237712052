"""Fan-out: CPU of the server for each delivery of an event to many connections."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict

from benchmarks.accounting import Cores, on_cores
from benchmarks.compiled import Unavailable
from benchmarks.contestants.brokers import Mosquitto, Nats, Nchan
from benchmarks.contestants.contestant import Contestant, Place
from benchmarks.contestants.gateway import GatewayContestant
from benchmarks.contestants.send_loop import SendLoop
from benchmarks.contestants.usual_channels import UsualChannels
from benchmarks.load import LoadClient
from benchmarks.report import note, save, shown, table, working_folder
from benchmarks.turns import Round, Runner

CONTESTANTS: dict[str, Callable[[Place], Contestant]] = {
    "usual-daphne": lambda place: UsualChannels(place, "daphne"),
    "usual-uvicorn": lambda place: UsualChannels(place, "uvicorn"),
    "daphne": lambda place: GatewayContestant(place, "daphne"),
    "uvicorn": lambda place: GatewayContestant(place, "uvicorn"),
    "daphne-batch": lambda place: GatewayContestant(place, "daphne", batch=True),
    "uvicorn-batch": lambda place: GatewayContestant(place, "uvicorn", batch=True),
    "daphne-streams": lambda place: GatewayContestant(place, "daphne", streams=True),
    "uvicorn-streams": lambda place: GatewayContestant(place, "uvicorn", streams=True),
    "nats": Nats,
    "mosquitto": Mosquitto,
    "nchan": Nchan,
    "c": SendLoop,
}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--events", type=int, default=200, help="in a burst, and in a paced turn (200)")
    parser.add_argument("--pace", type=float, default=50, help="events a second in a paced turn (50)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=list(CONTESTANTS),
        metavar="NAME",
        help=f"some of {' '.join(CONTESTANTS)}",
    )
    parser.add_argument("--kinds", nargs="+", choices=["burst", "paced"], default=["burst", "paced"])
    parser.add_argument("--server", nargs="+", choices=["daphne", "uvicorn"], help="only what runs on these")


def chosen(arguments: Namespace) -> list[str]:
    """The names of the contestants to measure."""
    names = arguments.only or list(CONTESTANTS)
    if arguments.server:
        other = {"daphne", "uvicorn"} - set(arguments.server)
        names = [name for name in names if not any(server in name for server in other)]
    return names


def run(arguments: Namespace) -> None:
    """Measure all contestants in turn, in rounds."""
    cores = Cores()
    skipped: dict[str, str] = {}
    with ExitStack() as stack:
        folder = stack.enter_context(working_folder())
        runners: list[Runner] = []
        for name in chosen(arguments):
            own = folder / name
            own.mkdir()
            place = Place(own, cores.server, cores.load, arguments.sockets)
            try:
                contestant = CONTESTANTS[name](place)
            except Unavailable as reason:
                skipped[name] = str(reason)
                note(f"{name} is skipped: {reason}")
                continue
            stack.callback(contestant.stop)
            load = stack.enter_context(LoadClient(own, cores.load))
            runners.append(Runner(contestant, load))
        with on_cores(cores.load):
            _measure_all(runners, arguments)
        _report(runners, skipped, arguments, cores)


def _measure_all(runners: list[Runner], arguments: Namespace) -> None:
    for alone in (True, False):
        for runner in runners:
            runner.open(1 if alone else arguments.sockets)
            runner.burst("warming", max(1, int(arguments.events * runner.contestant.burst_share)))
        for number in range(1, min(3, arguments.rounds) + 1 if alone else arguments.rounds + 1):
            for runner in runners:
                events = max(1, int(arguments.events * runner.contestant.burst_share))
                for kind in arguments.kinds:
                    name = f"{kind}, alone" if alone else kind
                    if kind == "burst":
                        runner.burst(name, events)
                    else:
                        runner.paced(name, events, arguments.pace)
                    if not alone:
                        last = runner.rounds[name][-1]
                        note(
                            f"round {number} {runner.contestant.name}: {kind} {last.per_delivery:.2f} µs a delivery "
                            f"in {last.seconds:.2f} s (load client {last.client_cpu / last.seconds / 1e7:.0f}%)"
                        )


def _report(runners: list[Runner], skipped: dict[str, str], arguments: Namespace, cores: Cores) -> None:
    header = [
        "",
        *(f"{kind}: {what}" for kind in arguments.kinds for what in ("all", "fan-out", "load client")),
    ]
    rows: list[list[object]] = []
    for runner in runners:
        row: list[object] = [runner.contestant.name]
        for kind in arguments.kinds:
            share = runner.median(kind, lambda r: 100 * r.client_cpu / 1e9 / r.seconds)
            row += [
                runner.median(kind, lambda r: r.per_delivery),
                runner.fan_out(kind),
                None if share is None else f"{share:.0f}%",
            ]
        rows.append(row)
    results = {
        "sockets": arguments.sockets,
        "pace": arguments.pace,
        "cores_apart": cores.are_apart,
        "skipped": skipped,
        "contestants": {
            runner.contestant.name: {
                "rounds": {kind: [asdict(each) for each in rounds] for kind, rounds in runner.rounds.items()},
                "fan_out": {kind: runner.fan_out(kind) for kind in arguments.kinds},
            }
            for runner in runners
        },
    }
    save("fanout", results, table(header, rows), _ratios(runners, arguments))


def _ratios(runners: list[Runner], arguments: Namespace) -> str:
    """The ratios of the other contestants' cost to the gateways': all of it (fan-out alone)."""
    # Streams are among the others: the ratio says what they cost beside WebSockets.
    gateways = [
        runner
        for runner in runners
        if runner.contestant.name.startswith("gateway") and not runner.contestant.name.endswith("streams")
    ]
    others = [runner for runner in runners if runner not in gateways]
    header = [
        "others' cost / the gateway's",
        *(
            f"{kind}: {each.contestant.name.removeprefix('gateway on ')}"
            for kind in arguments.kinds
            for each in gateways
        ),
    ]
    rows: list[list[object]] = []
    for other in others:
        row: list[object] = [other.contestant.name]
        for kind in arguments.kinds:
            for each in gateways:
                whole = _quotient(other.median(kind, _cost), each.median(kind, _cost))
                row.append(f"{shown(whole)} ({shown(_quotient(other.fan_out(kind), each.fan_out(kind)))})")
        rows.append(row)
    return table(header, rows)


def _cost(done: Round) -> float:
    return done.per_delivery


def _quotient(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None
