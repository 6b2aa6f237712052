"""The gateway with all its features, as `manage.py serve` runs it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from benchmarks import event, wire
from benchmarks.accounting import cpu_ns, on_cores, tree_of
from benchmarks.contestants.contestant import HttpPublisher, Place
from benchmarks.load import Socket
from tests.journeys.support.cast import Company, Key, settle
from tests.support.databases import MigratedPostgres, MigratedSqlite
from tests.support.gateway import Gateway, gateway_environment

SOCKETS_OF_A_KEY = 100
"""The gateway's default limit of connections with one credential."""

NOT_FORKED = {"PYTHONHASHSEED": "random"}
"""Makes a server process start by itself, on its core: one that tests/support forks from another process would run on
that one's core, and share its memory."""

UNLIMITED = {
    "CUSTOMER_EVENTS_PER_SECOND": "0",
    "CUSTOMER_BYTES_PER_SECOND": "0",
    "CUSTOMER_MAX_CONNECTIONS": "0",
}
"""One customer has the whole gateway."""

READY = b'"status": "success"'


class GatewayContestant:
    """One process of the gateway on its own database; `batch` is that of its clients, or `streams` their transport."""

    burst_share = 1.0

    def __init__(
        self,
        place: Place,
        server: str,
        *,
        batch: bool = False,
        streams: bool = False,
        databases: MigratedSqlite | MigratedPostgres | None = None,
        redis_url: str | None = None,
        **environment: str,
    ) -> None:
        self._batch = batch
        self._streams = streams
        self.name = (
            f"gateway on {server}"
            + (", batch=true" if batch else "")
            + (", event streams" if streams else "")
        )
        keys = place.sockets // SOCKETS_OF_A_KEY + 1
        self.subscribers = [Key(f"subscriber {number}") for number in range(keys)]
        self.publishing_key = Key("publisher", may_subscribe=False, may_publish=True)
        self.company = Company("Benchmark", people=[], keys=[*self.subscribers, self.publishing_key])
        place.folder.mkdir(parents=True, exist_ok=True)
        url = (databases or MigratedSqlite(place.folder)).create_database()
        self._start(
            place, server, gateway_environment(url, redis_url, **NOT_FORKED, **UNLIMITED, **environment)
        )
        settle(self.gateway, self.company)

    def _start(self, place: Place, server: str, environment: Mapping[str, str]) -> None:
        with on_cores(place.server_cores):
            self.gateway = Gateway(server, environment, place.folder / "server.log")
        self.publisher = HttpPublisher(self.gateway.port, "/v1.0/events", self.publishing_key.secret)
        self.last_cursor = ""
        self._given = 0

    def companion(self, place: Place, server: str, redis_url: str) -> GatewayContestant:
        """Start another process with the same database and customer."""
        other = copy.copy(self)
        place.folder.mkdir(parents=True, exist_ok=True)
        environment = gateway_environment(self.gateway.database_url, redis_url, **NOT_FORKED, **UNLIMITED)
        other._start(place, server, environment)
        return other

    def cpu(self) -> int:
        return sum(map(cpu_ns, tree_of(self.gateway.pid)))

    def sockets(self, count: int, start: int, **more: Any) -> list[Socket]:
        topics = [f"customer_id:{self.company.id}:call:*"]
        first, self._given = self._given, self._given + count
        return [self.socket(number, start, topics, **more) for number in range(first, first + count)]

    def socket(self, number: int, start: int, topics: Sequence[str], **more: Any) -> Socket:
        """The connection with this number; `more` are fields of its subscribe message."""
        address = f"127.0.0.1:{self.gateway.port}"
        key = self.subscribers[number // SOCKETS_OF_A_KEY]
        if self._streams:
            query = urlencode({"topics": ",".join(topics), "accesskey": key.secret, **more})
            return Socket(
                address, wire.stream_request(address, f"/v1.0/sse?{query}"), ready=READY, start=start
            )
        path = f"/v1.0/ws?accesskey={key.secret}" + ("&batch=true" if self._batch else "")
        subscribe = json.dumps({"type": "subscribe", "topics": list(topics), **more})
        return Socket(address, wire.handshake(address, path), wire.frame(subscribe.encode()), READY, start)

    def publish(self, marks: Sequence[int]) -> None:
        self.post([event.draft(mark) for mark in marks])

    def post(self, drafts: list[dict[str, Any]]) -> None:
        """Publish events, several of them as a list."""
        body = json.dumps(drafts if len(drafts) > 1 else drafts[0]).encode()
        answer = json.loads(self.publisher.post(body))
        self.last_cursor = (answer[-1] if isinstance(answer, list) else answer)["cursor"]

    def stop(self) -> None:
        self.publisher.close()
        self.gateway.kill()
