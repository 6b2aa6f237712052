"""One open WebSocket: performs the steps of the conversation and detects a silent server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from voipbin_ws_client.conversation import Conversation, Ending, Step
from voipbin_ws_client.inbox import Inbox
from voipbin_ws_client.states import Clock
from voipbin_ws_client.updates import Frame, read_frames

logger = logging.getLogger(__name__)

FULL_INBOX_SECONDS = 1.0
"""Interval of the checks for silence while a full inbox stops reading."""


@dataclass(eq=False)
class Connection:
    """An open WebSocket.

    After `idle_seconds` without a frame the client sends a ping. If no frame arrives within `answer_seconds` after it,
    the client closes the connection.
    """

    _socket: ClientConnection
    _conversation: Conversation
    _inbox: Inbox
    _clock: Clock
    _idle_seconds: float
    _answer_seconds: float
    _is_silent: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._received_at = self._clock.time()

    async def run(self, on_step: Callable[[], None]) -> Ending:
        """Receive frames until the connection ends; call `on_step` after each of them."""
        self._spawn(self._watch_for_silence())
        try:
            await self.perform(self._conversation.connection_opened())
            on_step()
            while True:
                text = await self._socket.recv()
                self._received_at = self._clock.time()
                if isinstance(text, bytes):
                    logger.warning("A binary frame is ignored")
                    continue
                for frame in read_frames(text):
                    await self.perform(self._conversation.receive(frame))
                    on_step()
        except ConnectionClosed as closed:
            return self._ending(closed)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._socket.close()

    async def perform(self, step: Step) -> None:
        """Send the messages of a step and put its entries into the inbox.

        A lost connection is no error: the next connection sends the messages that are still needed.
        """
        for message in step.messages:
            await self._send(message)
        if step.later is not None:
            self._spawn(self._send_later(*step.later))
        for entry in step.entries:
            await self._inbox.put(entry)
            # Waiting for room in the inbox is not silence of the server.
            self._received_at = self._clock.time()

    def perform_soon(self, step: Step) -> None:
        """Perform a step in a task of its own."""
        self._spawn(self.perform(step))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, message: Frame) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(json.dumps(message))

    async def _send_later(self, seconds: float, message: Frame) -> None:
        await self._clock.sleep(seconds)
        await self._send(message)

    async def _watch_for_silence(self) -> None:
        """Ping a silent server, and abort the connection if it stays silent."""
        while True:
            silent_seconds = self._clock.time() - self._received_at
            if silent_seconds < self._idle_seconds:
                await self._clock.sleep(self._idle_seconds - silent_seconds)
            elif self._inbox.is_full:
                await self._clock.sleep(FULL_INBOX_SECONDS)
            else:
                pinged_at = self._clock.time()
                # A server that reads nothing would hold up the send itself.
                self._spawn(self._send({"type": "ping"}))
                await self._clock.sleep(self._answer_seconds)
                if self._received_at < pinged_at:
                    self._is_silent = True
                    self._socket.transport.abort()
                    return

    def _ending(self, closed: ConnectionClosed) -> Ending:
        if self._is_silent:
            return Ending("The server does not answer")
        code = closed.rcvd.code if closed.rcvd is not None else None
        if (announced_end := self._conversation.announced_end) is not None:
            return announced_end if announced_end.code is not None else replace(announced_end, code=code)
        if closed.rcvd is None:
            return Ending("The connection was lost")
        return Ending(closed.rcvd.reason or f"The server closed with code {code}", code)
