"""The server's own transport under an ASGI `send`: waiting until a peer reads, and cutting it off when it never does.

ASGI has no word for either. uvicorn's `send` waits by itself; daphne's never does, and buffers without bound for a peer
that stops reading, so there a producer on Twisted's transport tells when to wait. Under another server neither is known
and the outbox's own limits are what is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

AsgiSend = Callable[[Mapping[str, Any]], Awaitable[None]]


class Transport:
    """One socket's transport."""

    def __init__(self, send: AsgiSend) -> None:
        self.send = send
        self._protocol = _protocol_of(send)
        self._flow = _TwistedFlow.on(self._protocol)

    async def send_text(self, text: str) -> None:
        """Hand a text frame to the server, and wait while the peer does not read what it was sent before."""
        await self.send({"type": "websocket.send", "text": text})
        if self._flow is not None and not self._flow.writable.is_set():
            await self._flow.writable.wait()

    def hold_reading(self, hold: bool) -> None:
        """Read nothing more from the peer, or go on. uvicorn does so by itself, while a message is acted on."""
        if self._flow is not None:
            self._flow.hold_reading(hold)

    def release(self) -> None:
        """Write without waiting from now on: what comes is the last."""
        if self._flow is not None:
            self._flow.release()
        writable = getattr(self._protocol, "writable", None)
        if isinstance(writable, asyncio.Event):
            writable.set()  # uvicorn's own: its next send would wait for the peer to read.

    def abort(self) -> None:
        """Drop the connection at once, with whatever it has not read."""
        self.release()
        transport = getattr(self._protocol, "transport", None)
        abort = getattr(transport, "abortConnection", None) or getattr(transport, "abort", None)
        if abort is not None:
            abort()


def _protocol_of(send: AsgiSend) -> Any:
    """The server's protocol object behind its `send`: daphne binds it as an argument, uvicorn as the method's self."""
    if isinstance(send, partial) and send.args:
        return send.args[0]
    return getattr(send, "__self__", None)


class _TwistedFlow:
    """A Twisted push producer that only remembers whether the transport wants more."""

    def __init__(self, transport: Any) -> None:
        self.writable = asyncio.Event()
        self.writable.set()
        self._transport: Any = transport

    @classmethod
    def on(cls, protocol: Any) -> _TwistedFlow | None:
        transport: Any = getattr(protocol, "transport", None)
        if not hasattr(transport, "registerProducer"):
            return None
        flow = cls(transport)
        # The HTTP channel that the socket was upgraded from is still registered there.
        transport.unregisterProducer()
        transport.registerProducer(flow, True)
        return flow

    def hold_reading(self, hold: bool) -> None:
        if self._transport is not None:
            if hold:
                self._transport.pauseProducing()
            else:
                self._transport.resumeProducing()

    def release(self) -> None:
        if self._transport is not None:
            # A transport with a paused producer would wait for it before it closes.
            self._transport.unregisterProducer()
            self._transport = None
        self.writable.set()

    # Twisted's IPushProducer.

    def pauseProducing(self) -> None:  # noqa: N802
        self.writable.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self.writable.set()

    def stopProducing(self) -> None:  # noqa: N802
        self._transport = None
        self.writable.set()
