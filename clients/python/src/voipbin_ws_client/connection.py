"""One open transport: performs the steps of the conversation and detects a silent server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace

from voipbin_ws_client.conversation import Conversation, Ending, Step
from voipbin_ws_client.inbox import Inbox
from voipbin_ws_client.protocol import CloseCode
from voipbin_ws_client.states import Clock
from voipbin_ws_client.transports.transport import Transport, TransportClosed
from voipbin_ws_client.updates import Frame, read_frames

FULL_INBOX_SECONDS = 1.0
"""Interval of the checks for silence while a full inbox stops reading."""


@dataclass(eq=False)
class Connection:
    """An open transport.

    After `idle_seconds` without a frame the client sends a ping. If no frame arrives within `answer_seconds` after it,
    the client closes the connection.
    """

    _transport: Transport
    _conversation: Conversation
    _inbox: Inbox
    _clock: Clock
    _idle_seconds: float
    _answer_seconds: float
    has_received: bool = False
    """Whether any frame has arrived."""
    _is_silent: bool = False
    _is_replaced: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._received_at = self._clock.time()

    async def run(self, on_step: Callable[[], None], better_transport: Coroutine[None, None, bool]) -> Ending:
        """Receive frames until the connection ends; call `on_step` after each of them.

        The connection ends as well when `better_transport` returns `True`.
        """
        self._spawn(self._watch_for_silence())
        self._spawn(self._leave_for(better_transport))
        try:
            await self.perform(self._conversation.connection_opened())
            on_step()
            while True:
                text = await self._transport.receive()
                self._received_at = self._clock.time()
                for frame in read_frames(text):
                    self.has_received = True
                    await self.perform(self._conversation.receive(frame))
                    on_step()
        except TransportClosed as closed:
            return self._ending(closed)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._transport.close()

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
        with contextlib.suppress(TransportClosed):
            await self._transport.send(json.dumps(message))

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
                    self._transport.abort()
                    return

    async def _leave_for(self, better_transport: Coroutine[None, None, bool]) -> None:
        if await better_transport:
            self._is_replaced = True
            self._transport.abort()

    def _ending(self, closed: TransportClosed) -> Ending:
        if self._is_replaced:
            return Ending("A WebSocket works again", CloseCode.RESTARTING)
        if self._is_silent:
            return Ending("The server does not answer")
        if (announced_end := self._conversation.announced_end) is not None:
            return (
                announced_end if announced_end.code is not None else replace(announced_end, code=closed.code)
            )
        if closed.code is None:
            return Ending(closed.reason or "The connection was lost")
        return Ending(closed.reason or f"The server closed with code {closed.code}", closed.code)
