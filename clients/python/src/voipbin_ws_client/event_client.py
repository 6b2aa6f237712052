"""EventClient: the public interface, which keeps a connection open and resumes it."""

# Long because a fifth of it is the documentation of the public interface.

from __future__ import annotations

import asyncio
import logging
import random as random_module
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from voipbin_ws_client.backoff import FIRST_SECONDS, MAX_AWAY_SECONDS, MAX_SECONDS, Backoff
from voipbin_ws_client.connection import Connection
from voipbin_ws_client.conversation import Conversation, Ending, Step
from voipbin_ws_client.credential import Credential, TokenProvider
from voipbin_ws_client.errors import ClientClosed, Forbidden, NotAGateway, ProtocolError, SubscriptionRefused
from voipbin_ws_client.inbox import Inbox
from voipbin_ws_client.pending_requests import Waiter
from voipbin_ws_client.positions import Positions, cursor_of, parse_cursor
from voipbin_ws_client.protocol import CloseCode
from voipbin_ws_client.states import Clock, State, StateChange
from voipbin_ws_client.transports.handshake import CredentialRefused, Unavailable
from voipbin_ws_client.transports.opening import TransportOpener
from voipbin_ws_client.transports.transport import Transport, TransportName
from voipbin_ws_client.updates import Item

logger = logging.getLogger(__name__)

HTTP_UNAUTHORIZED = 401


class EventClient:
    """A client that receives each event of its topics once, whatever happens to connections.

        async with EventClient(url, token=token, topics=["customer_id:…:call:*"]) as client:
            async for item in client:
                match item:
                    case Event(): …
                    case Gap(): …       # load the current state again
                    case Refusal(): …   # these topics are not, or no longer, subscribed

    Args:
        url: the gateway's address, such as wss://ws.example.com/v1.0/ws.
        token: the credential, or an async function that returns one; `None` if the URL contains it. The client sends
            it as a header, which servers do not log.
        topics: the initial topics; `subscribe` and `unsubscribe` change them.
        cursor: where to continue: the `cursor` of an earlier client, or of a state that was loaded over HTTP. Without
            a cursor the topics begin with the next event.
        batch: let the server send several waiting events in one frame.
        transport: `auto` uses a WebSocket, and server-sent events only where WebSockets are blocked; `websocket` and
            `sse` use only that.
        on_state: called with each change of state, which names the transport in use.
        max_waiting: the largest number of items that wait for a slow application. Beyond it the client stops reading.
            The server may then close the connection, and the client resumes from its cursor.
        idle_seconds: how long the server may be silent before the client sends a ping.
        answer_seconds: how long the server may take to answer the ping.

    Raises:
        ValueError: the URL, the cursor or the transport is not valid.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | TokenProvider | None = None,
        topics: Iterable[str] = (),
        cursor: str | None = None,
        batch: bool = True,
        transport: TransportName | str = TransportName.AUTO,
        on_state: Callable[[StateChange], None] | None = None,
        max_waiting: int = 1000,
        idle_seconds: float = 20.0,
        answer_seconds: float = 10.0,
        clock: Clock | None = None,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        positions = parse_cursor(cursor) if cursor else {}
        self.state = State.CONNECTING
        self._clock = clock or Clock()
        self._opener = TransportOpener(url, batch=batch, wanted=TransportName(transport), clock=self._clock)
        self._credential = Credential(token)
        self._conversation = Conversation(topics, Positions(positions))
        self._inbox = Inbox(max_waiting, lambda: self._conversation.has_waiters, positions)
        self._on_state = on_state
        self._idle_seconds = idle_seconds
        self._answer_seconds = answer_seconds
        self._backoff = Backoff(random)
        self._connection: Connection | None = None
        self._failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def cursor(self) -> str | None:
        """The position up to which the application has taken every item; `None` before the first.

        A later client can continue from it. With more than a hundred topics it does not move while they resume.
        """
        return cursor_of(self._inbox.positions)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that are subscribed, or will be once there is a connection."""
        return self._conversation.topics

    # --- For the application ---

    async def __aenter__(self) -> EventClient:
        self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> EventClient:
        return self

    async def __anext__(self) -> Item:
        """Return the next item, in order. Only one task at a time may wait for it.

        Raises:
            Terminated: the client does not connect again.
        """
        self._start()
        return await self._inbox.take()

    async def subscribe(self, *topics: str, filter: Mapping[str, Any] | None = None) -> None:  # noqa: A002
        """Add topics, and wait for the server's answer. They are live from its ack on.

        Of topics with a `filter` only events whose tags match are received, and with `"left": true` the first one with
        which a resource stops matching. Subscribing to a topic again replaces its filter.

        To know what happened before, load the current state after this method returns.

        Raises:
            SubscriptionRefused: the server refused some of the topics; the others are subscribed.
            Terminated: the client does not connect again.
            ClientClosed: the client was closed.
        """
        chosen = None if filter is None else dict(filter)
        await self._request(partial(self._conversation.subscribe, chosen=chosen), topics)

    async def unsubscribe(self, *topics: str) -> None:
        """Remove topics. Events that were received before may still follow.

        Raises:
            As `subscribe`.
        """
        await self._request(self._conversation.unsubscribe, topics)

    async def aclose(self) -> None:
        """Close the connection, and discard the items not taken; `cursor` is before them."""
        if self.state not in (State.CLOSED, State.FAILED):
            self._change_state(State.CLOSED)
        self._inbox.end(StopAsyncIteration())
        self._inbox.discard()
        self._end(ClientClosed())
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _request(
        self,
        send: Callable[[tuple[str, ...], Callable[[], None]], tuple[Waiter, Step]],
        topics: tuple[str, ...],
    ) -> None:
        if self._failure is not None:
            raise self._failure
        self._start()
        answered = asyncio.Event()
        waiter, step = send(topics, answered.set)
        self._inbox.recheck_limit()
        try:
            if self._connection is not None:
                await self._connection.perform(step)
            await answered.wait()
        except asyncio.CancelledError:
            step = self._conversation.withdraw(waiter)
            if self._connection is not None:
                self._connection.perform_soon(step)
            raise
        if waiter.refusals:
            raise SubscriptionRefused(waiter.refusals)
        if waiter.is_abandoned:
            raise self._failure or ClientClosed()

    # --- Connecting and reconnecting ---

    def _start(self) -> None:
        if self._task is None and self._failure is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="EventClient")

    async def _run(self) -> None:
        try:
            while True:
                pause, reason = await self._run_connection()
                self._change_state(State.RECONNECTING, retry_in=pause, reason=reason)
                await self._clock.sleep(pause)
        except Exception as error:
            # Not only Terminated: a defect of the client must reach the application as well.
            self._change_state(State.FAILED, reason=str(error))
            self._end(error)

    def _end(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
            self._inbox.end(error)
            self._conversation.client_ended()

    def _change_state(self, state: State, **details: Any) -> None:
        change = StateChange(self.state, state, **details)
        self.state = state
        if self._on_state is not None:
            try:
                self._on_state(change)
            except Exception:
                logger.exception("The handler of state changes failed")

    def _after_step(self) -> None:
        if self._conversation.is_ready and self.state in (State.CONNECTING, State.RECONNECTING):
            self._change_state(
                State.CONNECTED,
                recovered=self._conversation.recovered,
                transport=self._opener.choice.current,
            )

    async def _run_connection(self) -> tuple[float, str]:
        """Run one connection; return the pause in seconds before the next one, and the reason."""
        try:
            token = await self._credential.get(self._clock)
            transport = await self._opener.open(token, self._credential.accepted)
            ending = await self._run_transport(transport, token)
        except Unavailable as error:
            self._opener.choice.failed(was_open=False, is_blocked=error.is_blocked)
            if error.too_many:
                return self._backoff.after_too_many(), str(error)
            return self._backoff.after_failure(MAX_AWAY_SECONDS if error.is_away else MAX_SECONDS), str(error)
        except CredentialRefused as error:
            self._credential.renew("refused", str(error), HTTP_UNAUTHORIZED)
            return 0.0, str(error)
        except NotAGateway as error:
            if not self._opener.choice.has_no_stream():
                raise
            return self._backoff.after_failure(), str(error)
        return self._pause_after(ending), ending.reason

    async def _run_transport(self, transport: Transport, token: str | None) -> Ending:
        connection = self._connection = Connection(
            transport, self._conversation, self._inbox, self._clock, self._idle_seconds, self._answer_seconds
        )
        opened_at = self._clock.time()
        try:
            ending = await connection.run(self._after_step, self._opener.better_transport(token))
        finally:
            self._connection = None
            self._conversation.connection_lost()
            self._backoff.lasted(self._clock.time() - opened_at)
        if connection.has_received:
            self._opener.choice.worked()
        else:
            self._opener.choice.failed(was_open=True, is_blocked=False)
        return ending

    def _pause_after(self, ending: Ending) -> float:
        match ending.code:
            case CloseCode.PROTOCOL_ERROR:
                raise ProtocolError(ending.reason, CloseCode.PROTOCOL_ERROR)
            case CloseCode.REVOKED:
                raise Forbidden(ending.reason, CloseCode.REVOKED)
            case CloseCode.TOKEN_EXPIRED:
                self._credential.renew("expired", ending.reason, CloseCode.TOKEN_EXPIRED)
                return self._backoff.immediate(jitter=0.0)
            case _ if not ending.retry:
                raise Forbidden(ending.reason, ending.code or 0)
            case CloseCode.RESTARTING:
                return self._backoff.immediate(jitter=FIRST_SECONDS)
            case CloseCode.TOO_MANY:
                return self._backoff.after_too_many()
        return self._backoff.after_failure()
