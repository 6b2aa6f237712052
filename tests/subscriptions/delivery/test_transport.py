"""Clients that stop reading, on each real server: bounded in memory, and closed with 4408.

What is under the ASGI interface of each server (Twisted's buffers, uvicorn's `writable`) is no promise of theirs: these
tests notice when an upgrade takes it away.
"""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.journeys.support.cast import Company, company, settle
from tests.journeys.support.conversation import Closed, Conversation, publish
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

OUTBOX_BYTES = 2**21
EVENT = {"event_type": "call.status", "data": {"id": "c1", "text": "x" * 20_000}}
REQUESTS, EVENTS_IN_REQUEST = 20, 25
SMALL_BUFFER = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),)
SILENT_CLIENTS = 15
UNBOUNDED = SILENT_CLIENTS * REQUESTS * EVENTS_IN_REQUEST * 20_000
"""Bytes that the clients would cost a server that keeps everything for them."""


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def serving(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> Gateway:
    """A gateway with the smallest outboxes that settings allow."""
    return gateway_of_file(request.param, OUTBOX_MAX_BYTES=str(OUTBOX_BYTES))


@pytest.fixture
def acme(serving: Gateway) -> Company:
    acme = company("Acme")
    settle(serving, acme)
    return acme


def subscribed(gateway: Gateway, acme: Company, **options: Any) -> Conversation:
    # The library validates UTF-8 byte by byte, and would itself be the slow reader.
    client = Conversation(gateway, acme.key("of the customer"), skip_utf8_validation=True, **options)
    client.subscribe(f"customer_id:{acme.id}:*:*")
    return client


def resident(gateway: Gateway) -> int:
    """The resident memory of the server in bytes."""
    for line in Path(f"/proc/{gateway.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no such process")


def rest_of(client: Conversation) -> tuple[list[dict[str, Any]], int]:
    """All frames up to the end, and the close code; 1006 if the connection was cut."""
    frames: list[dict[str, Any]] = []
    try:
        while True:
            frames.append(client.receive())
    except Closed as closed:
        return frames, closed.code
    except ConnectionError:
        return frames, 1006


class GoodReader(threading.Thread):
    """Reads all the time, and keeps the cursors."""

    def __init__(self, client: Conversation) -> None:
        super().__init__(daemon=True)
        self.cursors: list[str] = []
        self.ended = ""
        self._client = client
        self.start()

    def run(self) -> None:
        try:
            while True:
                self.cursors.append(self._client.receive()["cursor"])
        except Exception as error:
            self.ended = repr(error)

    def has_all(self, expected: list[str]) -> None:
        wait_until(lambda: len(self.cursors) >= len(expected) or self.ended, "the good reader")
        assert not self.ended
        assert self.cursors == expected


def publish_more_than_all_buffers_hold(gateway: Gateway, acme: Company) -> list[str]:
    """Publish more than outbox, server and kernel hold for one client; returns the cursors."""
    found: list[str] = []
    for _ in range(REQUESTS):
        receipts = publish(gateway, acme.key("that publishes"), *[EVENT] * EVENTS_IN_REQUEST)
        found += [receipt["cursor"] for receipt in receipts]
    return found


@pytest.fixture
def good(serving: Gateway, acme: Company) -> GoodReader:
    return GoodReader(subscribed(serving, acme))


def test_a_client_that_reads_on_receives_that_it_was_too_slow(
    serving: Gateway, acme: Company, good: GoodReader
) -> None:
    slow = subscribed(serving, acme, sockopt=SMALL_BUFFER)
    expected = publish_more_than_all_buffers_hold(serving, acme)
    frames, code = rest_of(slow)
    assert code == 4408
    assert (frames[-1]["code"], frames[-1]["retry"]) == ("TOO_SLOW", True)
    got = [frame["cursor"] for frame in frames[:-1]]
    assert got == expected[: len(got)], "what it did get had a hole"
    assert 0 < len(got) < len(expected)
    good.has_all(expected)
    # It reconnects with its cursor, and has missed nothing.
    with Conversation(serving, acme.key("of the customer")) as again:
        ack = again.subscribe(f"customer_id:{acme.id}:*:*", since=got[-1])
        assert ack["recovered"] is True
        assert [frame["cursor"] for frame in again.until(expected[-1])] == expected[len(got) :]


def test_clients_that_never_read_cost_bounded_memory_and_delay_no_other(
    serving: Gateway, acme: Company, good: GoodReader
) -> None:
    # Memory for publishing itself is allocated before the measurement.
    expected = publish_more_than_all_buffers_hold(serving, acme)
    good.has_all(expected)
    before = resident(serving)
    silent = [subscribed(serving, acme, sockopt=SMALL_BUFFER) for _ in range(SILENT_CLIENTS)]
    expected += publish_more_than_all_buffers_hold(serving, acme)
    good.has_all(expected)
    assert resident(serving) - before < UNBOUNDED / 2
    for client in silent:
        frames, code = rest_of(client)
        assert code in (4408, 1006)
        assert len(frames) < REQUESTS * EVENTS_IN_REQUEST


# --- Frames of the gateway and of the server on one connection ---


@pytest.mark.parametrize("batch", ["", "&batch=true"])
def test_control_frames_come_between_whole_frames_and_the_handshake_ends_it(
    serving: Gateway, acme: Company, batch: str
) -> None:
    """The library `websockets` reads them, which checks the protocol strictly."""
    address = f"{serving.ws_url}?token={acme.key('of the customer')}{batch}"
    with connect(address, compression=None, max_size=2**22, proxy=None) as client:
        client.send(json.dumps({"type": "subscribe", "topics": [f"customer_id:{acme.id}:*:*"]}))
        assert json.loads(client.recv(30))["type"] == "ack"
        for _ in range(3):
            # Around each size at which a frame's header changes, and larger than a write.
            texts = ["ü" * (size // 2) for size in (1, 50, 100, 65_000, 65_536, 200_000)]
            pongs = [client.ping()]
            events = [{"event_type": "call.status", "data": {"id": "c1", "text": text}} for text in texts]
            publish(serving, acme.key("that publishes"), *events)
            pongs.append(client.ping())
            got: list[str] = []
            while len(got) < len(texts):
                said = json.loads(client.recv(30))
                got += [each["data"]["text"] for each in (said if isinstance(said, list) else [said])]
            assert got == texts
            assert all(pong.wait(30) for pong in pongs)
    assert client.close_code == 1000
