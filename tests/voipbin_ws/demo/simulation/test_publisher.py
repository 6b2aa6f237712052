"""The simulator's publisher retries after every failure of the gateway, with the same bodies."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.voipbin_ws.demo.simulation.support.simulated_days import day
from voipbin_ws.demo.simulation.model.event_recorder import SimulatedEvent
from voipbin_ws.demo.simulation.publisher import (
    MAX_EVENTS_IN_REQUEST,
    WEBHOOKS_BELOW,
    GaveUp,
    Publisher,
    Refused,
)


class Failing(ThreadingHTTPServer):
    """Answers with the given statuses in turn, then with 201; 0 closes without an answer."""

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.statuses = list(statuses)
        self.requests: list[tuple[str, str | None, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Failing
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, self.headers["Idempotency-Key"], body))
        status = self.server.statuses.pop(0) if self.server.statuses else 201
        if status == 0:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.send_response(status)
        body = b'{"code": "PERMISSION_DENIED", "message": "not you"}' if status == 403 else b"{}"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def serving() -> Iterator[Any]:
    servers: list[Failing] = []

    def serve(*statuses: int) -> Failing:
        servers.append(Failing(*statuses))
        Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return servers[-1]

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def publishing(url: str, events: list[SimulatedEvent], *, patience: int = 100) -> list[str]:
    """Publish; return the reported lines. `patience` is the number of waits allowed."""
    reports: list[str] = []
    waits = iter([True] * patience + [False])
    with Publisher(url, "vb_key", wait=lambda _: next(waits), report=reports.append) as publisher:
        publisher.publish(events)
        assert publisher.published == len(events)
    return reports


def webhook_and_events() -> tuple[list[SimulatedEvent], SimulatedEvent]:
    recorded = day(1, 5)
    events = [each for each in recorded if each.event_type == "call.created"][:2]
    return events, next(each for each in recorded if each.event_type == "recording.started")


@pytest.mark.parametrize("failure", [0, 429, 500, 503])
def test_what_was_not_confirmed_is_sent_again_unchanged(serving: Any, failure: int) -> None:
    events, webhook = webhook_and_events()
    gateway = serving(failure, failure, 201, failure)
    reports = publishing(gateway.url, [*events, webhook])
    first, second, third, *webhooks = gateway.requests
    assert first == second == third == ("/v1.0/events", None, [each.item() for each in events])
    assert webhooks[0] == webhooks[1]
    assert webhooks[0][:2] == ("/v1.0/webhooks/voipbin", webhook.key)
    # The beginning and the end of both failures are reported, and no retry.
    assert len(reports) == 4


def test_many_at_once_go_as_lists_in_their_order(serving: Any) -> None:
    events = day(1, 60)
    assert len(events) > MAX_EVENTS_IN_REQUEST > WEBHOOKS_BELOW
    gateway = serving()
    publishing(gateway.url, events)
    assert {path for path, _, _ in gateway.requests} == {"/v1.0/events"}
    assert (
        MAX_EVENTS_IN_REQUEST - 1
        <= max(len(body) for _, _, body in gateway.requests)
        <= MAX_EVENTS_IN_REQUEST
    )
    assert all(body[0]["event_type"] != "call.ended" for _, _, body in gateway.requests)
    keys = [item["idempotency_key"] for _, _, body in gateway.requests for item in body]
    assert keys == [each.key for each in events]


def test_a_refusal_is_not_retried_and_quotes_the_gateway(serving: Any) -> None:
    gateway = serving(403)
    with pytest.raises(Refused, match="403 PERMISSION_DENIED: not you"):
        publishing(gateway.url, webhook_and_events()[0])
    assert len(gateway.requests) == 1


def test_a_response_of_another_server_is_reported(serving: Any) -> None:
    with pytest.raises(Refused, match=r"404 .*does not look like"):
        publishing(serving(404).url, webhook_and_events()[0])


def test_the_publisher_gives_up_when_it_is_stopped() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(GaveUp, match="did not come back"):
        publishing(url, webhook_and_events()[0], patience=3)
