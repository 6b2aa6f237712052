"""A gateway process without threads, sockets or clock: the test controls each step.

Database, layer, clients and time do only what the test requests.
"""

# Long because it replaces everything that surrounds the hub, each part in few lines.
from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError

from events.announcements.announcement import announcements
from events.domain.event import Entry, make_entry, topics_of
from events.domain.topics import known_resources
from events.log.reader import Head
from subscriptions.connections import connection as connections
from subscriptions.connections.connection import Connection
from subscriptions.delivery import feed, gap_repair, hub
from subscriptions.delivery import replayer as replayer_module
from subscriptions.delivery.hub import Hub
from subscriptions.delivery.outbox import Flusher
from subscriptions.delivery.replayer import Replayer
from subscriptions.delivery.summary_sender import SummarySender
from subscriptions.delivery.transport import READY_FRAMES, nothing, transport_of
from subscriptions.protocol.limits import Limits
from subscriptions.protocol.permissions import Identity, Role
from tests.subscriptions.support.frames import FrameReader
from tests.subscriptions.support.hub_oracle import Log, Oracle

ACME, GLOBEX = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
ANN, GUS = "aaaaaaaa-1111-4000-8000-000000000011", "bbbbbbbb-1111-4000-8000-000000000021"
AGENTS = {ANN: ACME, GUS: GLOBEX}
STAFF = Identity(
    customer_id="cccccccc-0000-4000-8000-000000000003",
    agent_id=None,
    role=Role.STAFF,
    credential="staff",
    credential_id="staff",
    may_subscribe=True,
    may_publish=False,
)
MANY = 1_000_000
_MOMENT = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)


class SteppedLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits; its clock moves by `advance` alone."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__()

    def time(self) -> float:
        return self.now

    def settle(self) -> None:
        """Run everything that needs neither time nor an answer of the database."""
        self.run_until_complete(self._settled())

    async def _settled(self) -> None:
        for _ in range(10_000):
            await asyncio.sleep(0)
            if not self._ready:  # type: ignore[attr-defined]
                return
        raise AssertionError("it runs in circles")

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.settle()


class Database:
    """The logs, and the queries that wait for an answer while it is slow."""

    def __init__(self) -> None:
        self.logs = {
            customer_id: Log(customer_id, letter * 12) for customer_id, letter in ((ACME, "a"), (GLOBEX, "b"))
        }
        self.is_slow = False
        self.questions: list[tuple[asyncio.Future[Any], Callable[[], Any]]] = []

    async def ask(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Replaces the database threads: runs the work when it is answered."""
        if not self.is_slow:
            return work(*args, **kwargs)
        answer = asyncio.get_running_loop().create_future()
        self.questions.append((answer, lambda: work(*args, **kwargs)))
        return await answer

    async def ask_until_it_answers(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        while True:
            try:
                return await self.ask(work, *args, **kwargs)
            except OperationalError:
                await asyncio.sleep(0.1)

    def answer(self, index: int, *, fails: bool = False) -> None:
        answer, work = self.questions.pop(index)
        if not answer.done():
            if fails:
                answer.set_exception(OperationalError("away"))
            else:
                answer.set_result(work())

    # These functions replace the module events.log.reader.

    def open_log(self, customer_id: str) -> Head:
        return self.heads([customer_id])[customer_id]

    def heads(self, customer_ids: Collection[str]) -> dict[str, Head]:
        logs = {customer_id: self.logs[customer_id] for customer_id in customer_ids}
        return {each: Head(log.epoch, log.last_seq, log.floor) for each, log in logs.items()}

    def verified_heads(self, customer_ids: Collection[str]) -> dict[str, Head]:
        return self.heads(customer_ids)

    def read(self, customer_id: str, epoch: str, *, after: int, upto: int, limit: int) -> list[Entry]:
        log = self.logs[customer_id]
        return [entry for entry in log.entries[:upto] if entry.seq > max(after, log.floor)][:limit]

    def stored_at(self, customer_id: str, seq: int) -> float:
        return 0.0


class Peer:
    """A server's `ReadyFrames` and its client; `writable` is whether the client reads."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.is_closed = False
        self.writable = True
        self.on_writable: Callable[[], None] = nothing
        self._reader = FrameReader()

    def begin(self) -> None: ...

    def hold_reading(self, hold: bool) -> None: ...

    def abort(self) -> None: ...

    def write(self, frames: bytes) -> bool:
        if not self.is_closed:
            self.texts += self._reader.read(frames)
        return self.writable

    def release(self) -> None:
        self.read_on()

    def read_on(self) -> None:
        self.writable = True
        self.on_writable()

    async def send(self, message: Mapping[str, Any]) -> None:
        assert message["type"] == "websocket.close"
        self.is_closed = True


class ClientConnection:
    """A client of a real `Connection`, and the oracle of its frames."""

    def __init__(self, world: World) -> None:
        self.peer = Peer()
        self.oracle = Oracle(world.database.logs, AGENTS)
        self.requests: dict[int, Mapping[str, Any]] = {}
        self.is_left = False
        self._world = world
        self._read = 0
        self._incoming: asyncio.Queue[str] = asyncio.Queue()

        transport = transport_of({"extensions": {READY_FRAMES: self.peer}}, self.peer.send)

        async def live() -> None:
            self.socket = Connection(
                world.process, transport, STAFF, world.recorder, batch=False, on_flood=lambda: None
            )
            while True:
                await self.socket.receive(await self._incoming.get())

        self._task = world.loop.create_task(live())
        world.loop.settle()

    def send(self, **message: Any) -> None:
        request_id = len(self.requests)
        self.requests[request_id] = message
        self._incoming.put_nowait(json.dumps(message | {"request_id": request_id}))
        self._world.loop.settle()

    def leave(self) -> None:
        """Disconnect, whatever the process was doing for the client."""
        self.is_left = True
        self._task.cancel()
        self._world.loop.settle()
        self.socket.ended()
        self._world.loop.settle()

    def judge(self) -> None:
        """Check all frames that arrived."""
        for text in self.peer.texts[self._read :]:
            self._read += 1
            self.oracle.read(text, self.requests)
        if self.oracle.closed == "RESTARTING":
            assert self._world.was_pruned, "closed though its log is complete"
        if self._task.done() and not self._task.cancelled():
            self._task.result()


class World:
    """Everything around the hub. The test must undo `patch`."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.loop = SteppedLoop()
        self.database = Database()
        self.wire: list[dict[str, Any]] = []
        self.was_pruned = False
        self.recorder = Mock(record_and_wait=_at_once)
        # As small as possible, so that few steps reach every branch.
        for module, name, value in (
            (feed, "MAX_AHEAD", 3),
            (feed, "TAIL_MAX_ENTRIES", 4),
            (gap_repair, "PAGE", 3),
            (replayer_module, "PAGE", 3),
        ):
            patch.setattr(module, name, value)
        for module in (hub, replayer_module, gap_repair):
            patch.setattr(module, "reader", self.database)
        patch.setattr(hub, "epochs", self.database)
        for module in (hub, gap_repair):
            patch.setattr(module, "in_database_thread", self.database.ask)
        for module in (hub, replayer_module, connections):
            patch.setattr(module, "until_database_answers", self.database.ask_until_it_answers)
        patch.setattr(
            connections, "customers_of", lambda agent_ids: {each: AGENTS[each] for each in agent_ids}
        )
        flusher = self.loop.run_until_complete(_flusher())
        self.hub = Hub(flusher, check_seconds=2.0, max_stalled_seconds=MANY, on_access_changed=Mock())
        self.process: Any = SimpleNamespace(
            hub=self.hub,
            replayer=Replayer(self.hub, max_events=MANY, at_once=1),
            summaries=SummarySender(self.hub),
            limits=Limits(*(MANY for _ in fields(Limits))),
            resources=known_resources(),
            outbox_max_bytes=6000,
            flusher=flusher,
            connections_per_credential=MANY,
            is_draining=False,
            reauthorizer=Mock(),
            presence=Mock(),
            count_in=lambda _: 1,
            count_out=lambda *_: None,
        )
        # Replaces the layer: announcements arrive by `deliver` alone.
        self.hub.layer = Mock(join=_at_once, is_silent=False, check_pause=2.0)
        self._watch = self.loop.create_task(self.hub._watch())
        self.loop.settle()

    def publish(self, customer_id: str, resource: str, resource_id: str, *, for_agent: bool) -> None:
        log = self.database.logs[customer_id]
        agents = [agent for agent, of in AGENTS.items() if of == customer_id and for_agent]
        entry = make_entry(
            seq=log.last_seq + 1,
            epoch=log.epoch,
            event_id=f"{log.epoch}-{log.last_seq + 1}",
            event_type=f"{resource}.status",
            timestamp=_MOMENT,
            topics=topics_of(customer_id, resource, resource_id, agents),
            body="{}",
        )
        log.entries.append(entry)
        self.wire += announcements(customer_id, log.epoch, [entry])

    def deliver(self, index: int, *, keep: bool = False) -> None:
        message = self.wire[index] if keep else self.wire.pop(index)
        self.loop.run_until_complete(self._receive_announcement(message))
        self.loop.settle()

    async def _receive_announcement(self, message: dict[str, Any]) -> None:
        self.hub._receive_announcement(message)

    def prune(self, customer_id: str, upto: int) -> None:
        self.database.logs[customer_id].floor = upto
        self.was_pruned = True

    def come_to_rest(self, connections: Collection[ClientConnection]) -> None:
        """Drop what the layer has, let everything else work, and let time pass."""
        self.wire.clear()
        self.database.is_slow = False
        for connection in connections:
            connection.peer.read_on()
        while self.database.questions:
            self.database.answer(0)
            self.loop.settle()
        for _ in range(40):
            self.loop.advance(2.1)

    def end(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.settle()
        self.loop.close()


async def _flusher() -> Flusher:
    return Flusher()


async def _at_once(*_: object) -> None:
    """Replaces the audit log and the layer's groups."""
