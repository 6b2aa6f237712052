"""Opening the transport that is chosen, and finding out whether another one works."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from voipbin_ws_client.errors import Terminated
from voipbin_ws_client.states import Clock
from voipbin_ws_client.transports.choice import SOCKET_RETRY_SECONDS, TransportChoice
from voipbin_ws_client.transports.event_stream import EventStream, stream_url
from voipbin_ws_client.transports.handshake import CredentialRefused, Unavailable, connect_url, open_socket
from voipbin_ws_client.transports.transport import Transport, TransportClosed, TransportName

PONG_SECONDS = 10.0


class TransportOpener:
    """Opens transports to one gateway, as `choice` decides.

    Raises:
        ValueError: the URL is no WebSocket address, or has no event stream although `wanted` is SSE.
    """

    def __init__(self, url: str, *, batch: bool, wanted: TransportName, clock: Clock) -> None:
        self._url = connect_url(url, batch=batch)
        self._stream_url = stream_url(url)
        if self._stream_url is None:
            if wanted is TransportName.SSE:
                raise ValueError(f"{url!r} has no event stream beside it: the path must end with /ws")
            wanted = TransportName.WEBSOCKET
        self._clock = clock
        self.choice = TransportChoice(wanted)

    async def open(self, token: str | None, on_accepted: Callable[[], None]) -> Transport:
        """Open a transport. `on_accepted` is called once the gateway has accepted the credential.

        Raises:
            As `open_socket`.
        """
        if self.choice.tries_socket_first:
            self.choice.socket_tried(works=await self._socket_works(token))
        if self.choice.current is TransportName.SSE and self._stream_url is not None:
            return EventStream(self._stream_url, token, self._clock, on_accepted)
        socket = await open_socket(self._url, token, self._clock)
        on_accepted()
        return socket

    async def better_transport(self, token: str | None) -> bool:
        """Return `True` as soon as a WebSocket works that was blocked; else `False`, at once.

        A WebSocket is tried beside the event stream every `SOCKET_RETRY_SECONDS`.
        """
        if not self.choice.is_automatic or self.choice.current is not TransportName.SSE:
            return False
        while self.choice.current is TransportName.SSE:
            await self._clock.sleep(SOCKET_RETRY_SECONDS)
            self.choice.socket_tried(works=await self._socket_works(token))
        return True

    async def _socket_works(self, token: str | None) -> bool:
        try:
            socket = await open_socket(self._url, token, self._clock)
        except (Unavailable, CredentialRefused, Terminated):
            return False
        try:
            await socket.send(json.dumps({"type": "ping"}))
            await self._clock.within(PONG_SECONDS, socket.receive())
        except (TransportClosed, asyncio.TimeoutError):
            return False
        finally:
            await socket.close()
        return True
