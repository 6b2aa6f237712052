"""Clients that flood a gateway until their process ends: one process for each kind of flood."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from benchmarks import event, wire

PAUSE_SECONDS = 0.05
"""Before a connection that was cut is opened again."""

STATIC_FILE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
"""The largest file that is served without a credential."""


@dataclass(frozen=True)
class Target:
    """A gateway's port, and the credentials of the customer that floods it."""

    port: int
    token: str
    publishing_secret: str

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def request(self, method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
        """Build a request."""
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self.address}",
            f"Content-Length: {len(body)}",
            *headers,
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


Attack = Callable[[Target, int], Awaitable[None]]
"""One client of a flood, by its number; it is started again whenever it ends."""


async def _request(target: Target, request: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    try:
        writer.write(request)
        await writer.drain()
        await reader.readline()
    finally:
        writer.close()


_numbers = itertools.count()


async def log_in(target: Target, _: int) -> None:
    """Try a wrong password, each time from another address and for another name."""
    number = next(_numbers)
    body = json.dumps({"username": f"stranger{number}", "password": "a guess"}).encode()
    address = f"X-Forwarded-For: 198.51.{number // 250 % 250}.{number % 250 + 1}"
    await _request(
        target, target.request("POST", "/auth/login", body, "Content-Type: application/json", address)
    )


async def handshake(target: Target, _: int) -> None:
    """Open a WebSocket with a key that does not exist."""
    await _request(target, wire.handshake(target.address, f"/v1.0/ws?accesskey=vb_{next(_numbers):032d}"))


async def _messages(target: Target, message: dict[str, object]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)

    async def read() -> None:
        with suppress(OSError):
            while await reader.read(2**16):
                pass

    try:
        writer.write(wire.handshake(target.address, f"/v1.0/ws?token={target.token}"))
        await reader.readuntil(b"\r\n\r\n")
        frame = wire.frame(json.dumps(message).encode())
        reading = asyncio.create_task(read())
        while not reading.done():
            writer.write(frame)
            await writer.drain()
            await asyncio.sleep(0)
    finally:
        writer.close()


async def subscribe(target: Target, number: int) -> None:
    """Subscribe to a hundred topics of another customer in each message."""
    topics = [f"customer_id:{event.CALLS[0]}:call:{number}-{topic}" for topic in range(100)]
    await _messages(target, {"type": "subscribe", "topics": topics})


async def ping(target: Target, _: int) -> None:
    """Send pings without a pause."""
    await _messages(target, {"type": "ping"})


async def large_post(target: Target, number: int) -> None:
    """Publish lists of nearly ten megabytes."""
    drafts = [event.draft(number, filling="x" * 240_000) for _ in range(38)]
    headers = (f"Authorization: Bearer {target.publishing_secret}", "Content-Type: application/json")
    await _request(target, target.request("POST", "/v1.0/events", json.dumps(drafts).encode(), *headers))


async def slow_request(target: Target, number: int) -> None:
    """Send half of a header block, or half of a body, and then nothing."""
    whole = target.request("POST", "/v1.0/events" if number % 4 else "/nothing", b"{" + b" " * 1000)
    half = whole[:40] if number % 2 else whole[:-500]
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    try:
        writer.write(half)
        while await reader.read(2**16):
            pass
    finally:
        writer.close()


async def slow_reader(target: Target, _: int) -> None:
    """Request a large file four times, and read nothing."""
    _reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=1)
    try:
        writer.write(target.request("GET", STATIC_FILE) * 4)
        # The transport stops reading at twice its limit, and notices only then that it was cut.
        await asyncio.sleep(60)
    finally:
        writer.transport.abort()


FLOODS: dict[str, tuple[Attack, int]] = {
    "log-ins with wrong passwords": (log_in, 50),
    "handshakes with unknown keys": (handshake, 20),
    "subscribes to 100 topics of others": (subscribe, 4),
    "pings": (ping, 4),
    "lists of 9 MB": (large_post, 4),
    "half-sent requests": (slow_request, 400),
    "readers of nothing": (slow_reader, 40),
}
"""The attacks by name, each with the number of its clients."""


async def _for_ever(attack: Attack, target: Target, number: int) -> None:
    while True:
        try:
            await attack(target, number)
        except (OSError, EOFError):
            await asyncio.sleep(PAUSE_SECONDS)


async def _flood(name: str, target: Target) -> None:
    attack, clients = FLOODS[name]
    await asyncio.gather(*(_for_ever(attack, target, number) for number in range(clients)))


def flood(name: str, target: Target) -> None:
    """Flood until the process is ended. The client that measures has precedence on the same core."""
    os.nice(10)
    asyncio.run(_flood(name, target))
