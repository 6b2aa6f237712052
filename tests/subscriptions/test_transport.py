"""Clients that stop reading, on each real server: bounded in memory, closed with 4408, and no harm to others.

What is under the ASGI interface of each server (a producer on Twisted's transport, uvicorn's `writable`) is no promise
of theirs: these tests notice when an upgrade takes it away.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from subscriptions.transport import Transport
from tests.journeys.cast import Company, company, settle
from tests.journeys.conversation import Closed, Conversation, publish
from tests.machinery.gateway import Gateway
from tests.machinery.gateways import Gateways
from tests.machinery.waiting import wait_until

OUTBOX_BYTES = 2**21
EVENT = {"event_type": "call.status", "data": {"id": "c1", "text": "x" * 20_000}}
REQUESTS, EVENTS_IN_REQUEST = 20, 25
SMALL_BUFFER = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),)
SILENT_CLIENTS = 15
UNBOUNDED = SILENT_CLIENTS * REQUESTS * EVENTS_IN_REQUEST * 20_000
"""Bytes that the silent clients would cost a server that keeps everything for them."""


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def serving(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> Gateway:
    """A gateway with the smallest outboxes that may be."""
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
    """Bytes of memory that the server holds."""
    for line in Path(f"/proc/{gateway.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no such process")


def rest_of(client: Conversation) -> tuple[list[dict[str, Any]], int]:
    """All frames up to the end, and the code of the close; 1006 where the connection was cut."""
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
    """More than an outbox, the server and the kernel together hold for one client; returns the cursors."""
    found: list[str] = []
    for _ in range(REQUESTS):
        receipts = publish(gateway, acme.key("that publishes"), *[EVENT] * EVENTS_IN_REQUEST)
        found += [receipt["cursor"] for receipt in receipts]
    return found


@pytest.fixture
def good(serving: Gateway, acme: Company) -> GoodReader:
    return GoodReader(subscribed(serving, acme))


def test_a_client_that_reads_on_is_told_that_it_was_too_slow(
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
    # It comes back with its cursor, and has lost nothing.
    with Conversation(serving, acme.key("of the customer")) as again:
        ack = again.subscribe(f"customer_id:{acme.id}:*:*", since=got[-1])
        assert ack["recovered"] is True
        assert [frame["cursor"] for frame in again.until(expected[-1])] == expected[len(got) :]


def test_clients_that_never_read_cost_bounded_memory_and_harm_nobody(
    serving: Gateway, acme: Company, good: GoodReader
) -> None:
    # What publishing itself costs is paid before anything is measured.
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


# --- What the servers give ---


async def test_under_an_unknown_server_sending_just_sends() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    transport = Transport(send)
    await transport.send_text("x")
    transport.release()
    transport.abort()
    assert sent == [{"type": "websocket.send", "text": "x"}]


class TwistedTransport:
    """As Twisted's: one producer at a time, and the HTTP channel's is still there."""

    def __init__(self) -> None:
        self.producer: Any = "the HTTP channel"
        self.aborted = False

    def unregisterProducer(self) -> None:  # noqa: N802
        self.producer = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        assert self.producer is None, "Twisted raises here"
        assert streaming
        self.producer = producer

    def abortConnection(self) -> None:  # noqa: N802
        self.aborted = True


class TwistedProtocol:
    def __init__(self) -> None:
        self.transport = TwistedTransport()


async def test_under_daphne_sending_waits_while_twisted_says_so() -> None:
    protocol = TwistedProtocol()
    sent: list[Any] = []

    async def handle_reply(protocol: TwistedProtocol, message: Any) -> None:
        sent.append(message["text"])

    transport = Transport(partial(handle_reply, protocol))
    producer = protocol.transport.producer
    await asyncio.wait_for(transport.send_text("1"), 5)
    producer.pauseProducing()
    waiting = asyncio.ensure_future(transport.send_text("2"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sent == ["1", "2"]
    assert not waiting.done()
    producer.resumeProducing()
    await asyncio.wait_for(waiting, 5)
    # A lost connection must not leave anybody waiting.
    producer.pauseProducing()
    waiting = asyncio.ensure_future(transport.send_text("3"))
    await asyncio.sleep(0)
    producer.stopProducing()
    await asyncio.wait_for(waiting, 5)


class UvicornProtocol:
    """As uvicorn's: its `send` waits while the transport is full."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.writable = asyncio.Event()

    async def send(self, message: Any) -> None:
        await self.writable.wait()
        self.sent.append(message["text"])


async def test_under_uvicorn_a_released_transport_never_waits() -> None:
    protocol = UvicornProtocol()
    transport = Transport(protocol.send)
    sending = asyncio.ensure_future(transport.send_text("held back"))
    await asyncio.sleep(0)
    assert protocol.sent == []
    transport.release()
    await asyncio.wait_for(sending, 5)
    await asyncio.wait_for(transport.send_text("the last"), 5)
    assert protocol.sent == ["held back", "the last"]


async def test_a_released_transport_never_waits_and_an_aborted_one_is_cut() -> None:
    protocol = TwistedProtocol()

    async def handle_reply(protocol: TwistedProtocol, message: Any) -> None: ...

    transport = Transport(partial(handle_reply, protocol))
    protocol.transport.producer.pauseProducing()
    transport.release()
    transport.release()
    assert protocol.transport.producer is None, "Twisted would wait for it before it closes"
    await asyncio.wait_for(transport.send_text("x"), 5)
    transport.abort()
    assert protocol.transport.aborted
