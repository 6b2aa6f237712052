"""The path of frames to one client: written to the server's connection, or sent over ASGI.

ASGI does not report whether a peer reads what it is sent, and builds a frame anew for every connection. A server that
offers `ReadyFrames` in its scope takes complete frames as bytes, and reports when it can take no more of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from subscriptions.protocol.frames import payloads_in

AsgiSend = Callable[[Mapping[str, Any]], Awaitable[None]]

WEBSOCKET = "websocket"

READY_FRAMES = "voipbin_ws.ready_frames"
"""The key of a server's `ReadyFrames` among the extensions of its scope."""


class FrameWriter(Protocol):
    """Writes frames to one peer. Belongs to the server's event loop."""

    on_writable: Callable[[], None]
    """Called each time that more may be written."""

    def write(self, frames: bytes) -> bool:
        """Send complete frames; they are dropped after the end of the connection.

        Returns whether more may be written now, without waiting for `on_writable`.
        """

    def hold_reading(self, hold: bool) -> None:
        """Stop reading from the peer, or resume."""

    def release(self) -> None:
        """Accept all further writes, whatever the peer reads: the last frames follow."""

    def abort(self) -> None:
        """Drop the connection at once, with everything that the peer has not read."""


class ReadyFrames(FrameWriter, Protocol):
    """A server's connection that takes complete frames, and keeps those that are not sent."""

    def begin(self) -> None:
        """End the handshake: from here on frames are written."""


class Transport(FrameWriter, Protocol):
    """The path of one connection's frames."""

    name: str
    """What operators see: `websocket` or `sse`."""

    on_lost: Callable[[], None]
    """Called when nothing can be sent any more and the server does not report it."""

    def stop(self) -> None:
        """Send nothing more of what was written and has not left."""

    async def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""


def nothing() -> None:
    """The callback before another one is set."""


def transport_of(scope: Mapping[str, Any], send: AsgiSend) -> Transport:
    """The fastest transport that the server of this scope offers."""
    ready = (scope.get("extensions") or {}).get(READY_FRAMES)
    return AsgiTransport(send) if ready is None else ReadyTransport(ready, send)


class ReadyTransport:
    """The transport on a server that takes complete frames."""

    name = WEBSOCKET

    def __init__(self, ready: ReadyFrames, send: AsgiSend) -> None:
        self.on_lost = nothing
        ready.begin()
        # The server's own methods: `write` is called more often than anything else.
        self.write, self.release, self.abort = ready.write, ready.release, ready.abort
        self.hold_reading = ready.hold_reading
        self._ready = ready
        self._send = send

    @property
    def on_writable(self) -> Callable[[], None]:
        return self._ready.on_writable

    @on_writable.setter
    def on_writable(self, call: Callable[[], None]) -> None:
        self._ready.on_writable = call

    def stop(self) -> None:
        """Do nothing: the server already has what was written."""

    async def close(self, code: int, reason: str) -> None:
        await self._send({"type": "websocket.close", "code": code, "reason": reason})


class AsgiTransport:
    """The transport on any other server: the text of each frame is sent over ASGI."""

    name = WEBSOCKET

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
            # Each server has its own exception for a peer that has left.
            self.on_lost()
        else:
            self._sending = None
            self.on_writable()

    def stop(self) -> None:
        if self._sending is not None:
            self._sending.cancel()

    async def close(self, code: int, reason: str) -> None:
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    # ASGI has no message for these three: the server reads on, and has limits and time-outs of its own.

    def hold_reading(self, hold: bool) -> None: ...

    def release(self) -> None: ...

    def abort(self) -> None: ...
