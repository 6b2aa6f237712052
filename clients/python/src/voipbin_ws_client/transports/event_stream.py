"""Server-sent events as a transport (GET /v1.0/sse)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx

from voipbin_ws_client.states import Clock
from voipbin_ws_client.transports.handshake import (
    CONNECT_SECONDS,
    Answer,
    Unavailable,
    headers_with,
    http_url,
    refusal,
)
from voipbin_ws_client.transports.stream_messages import NotResumed, StreamMessages
from voipbin_ws_client.transports.stream_parser import COMMENT, Message, StreamParser
from voipbin_ws_client.transports.transport import TransportClosed
from voipbin_ws_client.updates import read_frames

WEBSOCKET_PATH = "/ws"
STREAM_PATH = "/sse"

MAX_WAITING = 64
"""Texts that wait for the client; beyond it the stream is not read, and the server notices a slow client."""

EVENT = '{"event_type"'
"""How the gateway's frames of events begin: they need no translation."""

_NOT_SENT = frozenset({"batch", "topics", "since"})


def stream_url(url: str) -> str | None:
    """Return the address of the event stream beside a WebSocket.

    `None` if the path of the WebSocket does not end with /ws.
    """
    parts = urlsplit(http_url(url))
    if not parts.path.endswith(WEBSOCKET_PATH):
        return None
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in _NOT_SENT]
    path = parts.path.removesuffix(WEBSOCKET_PATH) + STREAM_PATH
    return urlunsplit(parts._replace(path=path, query=urlencode(query)))


class EventStream:
    """An event stream as a `Transport`.

    It opens with the first subscription, and again with each later one, and continues after the last message. `url` is
    the result of `stream_url`; `on_accepted` is called each time the gateway has accepted the credential.
    """

    def __init__(self, url: str, token: str | None, clock: Clock, on_accepted: Callable[[], None]) -> None:
        self._url = url
        self._token = token
        self._clock = clock
        self._on_accepted = on_accepted
        self._messages = StreamMessages()
        self._texts: asyncio.Queue[str | None] = asyncio.Queue(MAX_WAITING)
        self._failure: Exception | None = None
        self._reading: asyncio.Task[None] | None = None

    async def receive(self) -> str:
        """Return the next text."""
        while self._failure is None or not self._texts.empty():
            if (text := await self._texts.get()) is not None:
                return text
        raise self._failure

    async def send(self, text: str) -> None:
        """Take a message; the stream opens again with it."""
        for frame in self._messages.send(json.loads(text)):
            await self._texts.put(json.dumps(frame))
        previous = self._reading
        if previous is not None:
            previous.cancel()
        self._reading = asyncio.get_running_loop().create_task(self._read_after(previous), name="EventStream")

    async def close(self) -> None:
        """End the stream."""
        self.abort()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)

    def abort(self) -> None:
        """End the stream at once."""
        if self._reading is not None:
            self._reading.cancel()
        self._end(TransportClosed())

    def _end(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
            if not self._texts.full():
                # Wakes a waiting `receive`; with a full queue there is none.
                self._texts.put_nowait(None)

    async def _read_after(self, previous: asyncio.Task[None] | None) -> None:
        if previous is not None:
            await asyncio.gather(previous, return_exceptions=True)
        if not (query := self._messages.query):
            return
        try:
            await self._read(query)
        except NotResumed as error:
            self._end(TransportClosed(reason=str(error)))
        except Exception as error:
            self._end(error)

    async def _read(self, query: list[tuple[str, str]]) -> None:
        """Read one stream to its end.

        Raises:
            TransportClosed: the server has ended the stream, or it was lost.
            Unavailable, CredentialRefused, Terminated: the gateway refuses the stream.
            NotResumed: it does not continue where the stream before it ended.
        """
        separator = "&" if "?" in self._url else "?"
        async with self._open(f"{self._url}{separator}{urlencode(query)}") as response:
            if response.status_code != httpx.codes.OK:
                await self._refused(Answer.of(response.status_code, response.headers, await response.aread()))
                return
            self._on_accepted()
            parser = StreamParser()
            try:
                async for content in response.aiter_raw():
                    for message in parser.feed(content):
                        await self._take(message)
            except httpx.HTTPError:
                pass
        raise TransportClosed

    async def _take(self, message: Message) -> None:
        if message.data.startswith(EVENT):
            await self._texts.put(message.data)
        else:
            for frame in read_frames(message.data):
                for each in self._messages.receive(frame):
                    await self._texts.put(json.dumps(each))
            if message.data == COMMENT:
                await self._texts.put(COMMENT)
        # Only now: a change of topics while the client has no room discards this message.
        self._messages.position = message.id or self._messages.position

    async def _refused(self, answer: Answer) -> None:
        """Handle an answer that is no stream: refusals of all topics, or of the stream itself.

        Raises:
            Unavailable, CredentialRefused, Terminated: the gateway refuses the stream.
        """
        if not answer.refusals:
            raise refusal(answer)
        for frame in answer.refusals:
            for each in self._messages.receive(frame):
                await self._texts.put(json.dumps(each))

    @asynccontextmanager
    async def _open(self, address: str) -> AsyncIterator[httpx.Response]:
        headers = {**headers_with(self._token), "Accept": "text/event-stream"}
        # `Connection` notices a silent server: it sends a ping, and then aborts the transport.
        async with httpx.AsyncClient(timeout=httpx.Timeout(CONNECT_SECONDS, read=None)) as http:
            request = http.build_request("GET", address, headers=headers)
            try:
                response = await self._clock.within(CONNECT_SECONDS, http.send(request, stream=True))
            except asyncio.TimeoutError:
                raise Unavailable("The server does not answer", is_away=True) from None
            except httpx.HTTPError as error:
                raise Unavailable(str(error) or type(error).__name__, is_away=True) from None
            try:
                yield response
            finally:
                await response.aclose()
