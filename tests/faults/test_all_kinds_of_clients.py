"""Clients of all kinds, and publishers of both packages, through kills of the gateway: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

from deploy.programs import CURL, NODE
from tests.faults.conftest import Start
from tests.faults.support.drill import LONG, PER_SECOND, SOME, Drill, until
from tests.faults.support.oracle import Missed
from tests.faults.support.product_client import ProductClient
from tests.faults.support.programs import PROGRAMS, ProgramClient, ProgramPublisher, PythonPublisher
from tests.journeys.support.cast import Company
from tests.support.gateway import Gateway
from tests.support.processes import ROOT
from tests.support.requirement import require

KILLS = 20 if LONG else 2
WS = ROOT / "examples" / "node_modules" / "ws" / "wrapper.mjs"

off = asyncio.to_thread


async def test_all_kinds_of_clients_through_kills(alone: Gateway, drill: Start) -> None:
    async with drill(alone) as load:
        for owner in load.companies:
            subscribe_each_kind(load, owner, alone)
        await load.all_ready()
        publish_with_both_packages(load, alone)
        for _ in range(KILLS):
            await load.published(SOME)
            before = [each.connections for each in load.subscribers]
            await off(alone.kill)
            await off(alone.restart)
            await until(partial(all_are_back, load, before))
    for each in load.subscribers:
        assert not any(isinstance(happening, Missed) for happening in each.story.happenings), each.story.name


def all_are_back(load: Drill, before: list[int]) -> bool:
    return all(
        each.connections > count or each.failure for each, count in zip(load.subscribers, before, strict=True)
    )


def subscribe_each_kind(load: Drill, owner: Company, gateway: Gateway) -> None:
    token = owner.token("manager")
    everything = [f"customer_id:{owner.id}:*:*"]
    for transport in ("websocket", "sse"):
        load.subscribers.append(
            ProductClient(
                f"{owner.name}: Python on {transport}",
                owner.id,
                gateway.ws_url,
                token,
                everything,
                transport=transport,
            )
        )
    node = str(require(NODE))
    addresses = {"WS_URL": gateway.ws_url, "HTTP_URL": gateway.url}
    package = [node, str(PROGRAMS / "receive_package.mjs")]
    plain = [node, str(PROGRAMS / "receive_socket.mjs")]
    require(CURL)
    kinds: list[tuple[str, list[str], dict[str, str]]] = [
        ("JavaScript on websocket", package, {"TRANSPORT": "websocket"}),
        ("JavaScript on sse", package, {"TRANSPORT": "sse"}),
        ("Node's WebSocket", plain, {}),
        ("websocket-client", [sys.executable, str(PROGRAMS / "receive_socket.py")], {}),
        ("curl", ["sh", str(PROGRAMS / "receive_stream.sh")], {}),
    ]
    if WS.exists():
        kinds.append(("ws", plain, {"WS_MODULE": str(WS)}))
    for name, command, environment in kinds:
        load.subscribers.append(
            ProgramClient(f"{owner.name}: {name}", owner.id, token, command, {**addresses, **environment})
        )


def publish_with_both_packages(load: Drill, gateway: Gateway) -> None:
    first, second = (owner.key("that publishes") for owner in load.companies)
    command = [str(require(NODE)), str(PROGRAMS / "publish_package.mjs")]
    environment = {"HTTP_URL": gateway.url, "TOKEN": second, "PER_SECOND": str(PER_SECOND / 4)}
    load.publishers += [
        PythonPublisher(gateway.url, first, per_second=PER_SECOND / 4),
        ProgramPublisher(command, environment),
    ]
