"""The way of ready frames to one socket: straight into the server's connection where the server lets us, or by ASGI.

ASGI knows nothing of whether a peer reads what it is sent, and makes a frame anew for every socket. A server that
offers `ReadyFrames` in its scope takes bytes that are frames already, and tells when it wants no more of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from subscriptions.protocol.frames import payloads_in

AsgiSend = Callable[[Mapping[str, Any]], Awaitable[None]]

READY_FRAMES = "voipbin_ws.ready_frames"
"""The name under which a server's scope has its `ReadyFrames`, among the extensions."""


class ReadyFrames(Protocol):
    """A server's connection, as it takes ready frames. Everything happens in the server's event loop.

    `on_writable` is called each time that more may be written again.
    """

    on_writable: Callable[[], None]

    def begin(self) -> None:
        """The handshake is over: from here on frames are written."""

    def write(self, frames: bytes) -> bool:
        """Send whole frames; they are kept for a peer that does not read, and dropped after the connection's end.

        Returns whether the peer reads what it is sent, so that more may be written now.
        """

    def hold_reading(self, hold: bool) -> None:
        """Read nothing more from the peer, or go on."""

    def release(self) -> None:
        """Let more be written from now on, whatever the peer reads: what comes is the last."""

    def abort(self) -> None:
        """Drop the connection at once, with whatever the peer has not read."""


class Transport(Protocol):
    """One socket's way out. `on_lost` is called when nothing can be sent any more and nobody else will say so."""

    on_lost: Callable[[], None]
    on_writable: Callable[[], None]

    def write(self, frames: bytes) -> bool:
        """Send whole frames. Returns whether more may be written before `on_writable` is called."""

    def stop(self) -> None:
        """Send nothing more of what was written and has not left."""

    async def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""

    def hold_reading(self, hold: bool) -> None:
        """Read nothing more from the peer, or go on."""

    def release(self) -> None:
        """Let more be written from now on, whatever the peer reads: what comes is the last."""

    def abort(self) -> None:
        """Drop the connection at once, with whatever the peer has not read."""


def nothing() -> None:
    """What is called before somebody wants to be."""


def transport_of(scope: Mapping[str, Any], send: AsgiSend) -> Transport:
    """The best way there is to this socket."""
    ready = (scope.get("extensions") or {}).get(READY_FRAMES)
    return AsgiTransport(send) if ready is None else ReadyTransport(ready, send)


class ReadyTransport:
    """Under a server that takes ready frames."""

    def __init__(self, ready: ReadyFrames, send: AsgiSend) -> None:
        self.on_lost = nothing
        ready.begin()
        # Nothing between an outbox and its server: it is the most frequent call of all.
        self.write = ready.write
        self._ready = ready
        self._send = send

    @property
    def on_writable(self) -> Callable[[], None]:
        return self._ready.on_writable

    @on_writable.setter
    def on_writable(self, call: Callable[[], None]) -> None:
        self._ready.on_writable = call

    def stop(self) -> None:
        """What was written is the server's already."""

    def hold_reading(self, hold: bool) -> None:
        self._ready.hold_reading(hold)

    def release(self) -> None:
        self._ready.release()

    def abort(self) -> None:
        self._ready.abort()

    async def close(self, code: int, reason: str) -> None:
        await self._send({"type": "websocket.close", "code": code, "reason": reason})


class AsgiTransport:
    """Under any other server: each frame is opened again and sent as text; a `send` that takes time is waited for."""

    def __init__(self, send: AsgiSend) -> None:
        self.on_lost = nothing
        self.on_writable = nothing
        self._send = send
        self._sending: asyncio.Task[None] | None = None

    def write(self, frames: bytes) -> bool:
        self._sending = asyncio.get_running_loop().create_task(self._send_all(frames))
        return False

    async def _send_all(self, frames: bytes) -> None:
        try:
            for payload in payloads_in(frames):
                await self._send({"type": "websocket.send", "text": payload.decode()})
        except Exception:
            # Each server has its own exception for a peer that is gone.
            self.on_lost()
        else:
            self._sending = None
            self.on_writable()

    def stop(self) -> None:
        if self._sending is not None:
            self._sending.cancel()

    async def close(self, code: int, reason: str) -> None:
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    def hold_reading(self, hold: bool) -> None:
        """There is no word for it: the server reads on."""

    def release(self) -> None:
        """There is no word for it: the server decides."""

    def abort(self) -> None:
        """There is no word for it: the server has its own time-outs."""
