"""EventClient: a connection that comes back by itself and goes on where it was."""

# Long because a fifth of it is what a caller has to know.

from __future__ import annotations

import asyncio
import logging
import random as random_module
from collections.abc import Callable, Iterable

from voipbin_ws_client.backoff import FIRST_SECONDS, Backoff
from voipbin_ws_client.connection import Connection
from voipbin_ws_client.conversation import Conversation, Ending, Step
from voipbin_ws_client.credential import Credential, TokenProvider
from voipbin_ws_client.errors import ClientClosed, Forbidden, ProtocolError, SubscriptionRefused
from voipbin_ws_client.handshake import CredentialRefused, Unavailable, connect_url, open_socket
from voipbin_ws_client.inbox import Inbox
from voipbin_ws_client.pending_requests import Waiter
from voipbin_ws_client.positions import Positions, cursor_of, parse_cursor
from voipbin_ws_client.protocol import CloseCode
from voipbin_ws_client.states import Clock, State, StateChange
from voipbin_ws_client.updates import Item

logger = logging.getLogger(__name__)

HTTP_UNAUTHORIZED = 401


class EventClient:
    """Hears events of topics, through lost connections and restarts of the server, each once.

        async with EventClient(url, token=token, topics=["customer_id:…:call:*"]) as client:
            async for item in client:
                match item:
                    case Event(): …
                    case Gap(): …       # load the present state anew
                    case Refusal(): …   # these topics are not heard (any more)

    Args:
        url: the gateway's address, such as wss://ws.example.com/v1.0/ws.
        token: the credential, or an async function that gives one. It is sent as a header, where no log shows it.
            None where the URL has it.
        topics: what to subscribe to from the start. More can come and go by `subscribe` and `unsubscribe`.
        cursor: go on after this one: a former client's `cursor`, or that of a state that was loaded.
            Without, the topics are heard from now on.
        batch: let the server put several events into one frame when many wait.
        on_state: called at each change of state.
        max_waiting: events that may wait here for a slow caller. Beyond, nothing more is read, and the server will
            in the end close the connection; then the client goes on with its cursor.
        idle_seconds: how long nothing may come before the client asks whether the server is still there.
        answer_seconds: how long the server may take to answer that.

    Raises:
        ValueError: the URL or the cursor is none.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | TokenProvider | None = None,
        topics: Iterable[str] = (),
        cursor: str | None = None,
        batch: bool = True,
        on_state: Callable[[StateChange], None] | None = None,
        max_waiting: int = 1000,
        idle_seconds: float = 20.0,
        answer_seconds: float = 10.0,
        clock: Clock | None = None,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        positions = parse_cursor(cursor) if cursor else {}
        self.state = State.CONNECTING
        self._url = connect_url(url, batch=batch)
        self._credential = Credential(token)
        self._conversation = Conversation(topics, Positions(positions))
        self._inbox = Inbox(max_waiting, lambda: self._conversation.has_waiters, positions)
        self._on_state = on_state
        self._idle_seconds = idle_seconds
        self._answer_seconds = answer_seconds
        self._clock = clock or Clock()
        self._backoff = Backoff(random)
        self._connection: Connection | None = None
        self._failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def cursor(self) -> str | None:
        """Up to where the caller has taken everything: keep it, and a later client goes on after the last item.

        With more than a hundred topics it stands still while they are being resumed.
        """
        return cursor_of(self._inbox.positions)

    @property
    def topics(self) -> tuple[str, ...]:
        """What is subscribed, or will be as soon as there is a connection."""
        return self._conversation.topics

    # --- For the caller ---

    async def __aenter__(self) -> EventClient:
        self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> EventClient:
        return self

    async def __anext__(self) -> Item:
        """The next item, in order. One task at a time may ask.

        Raises:
            Terminated: the client has given up.
        """
        self._start()
        return await self._inbox.take()

    async def subscribe(self, *topics: str) -> None:
        """Hear these topics too, from the server's acknowledgement on, which is waited for.

        What is missing before that is the present state: load it after this returns.

        Raises:
            SubscriptionRefused: the server refused some; the others are held.
            Terminated: the client has given up.
            ClientClosed: the client was closed.
        """
        await self._request(self._conversation.subscribe, topics)

    async def unsubscribe(self, *topics: str) -> None:
        """Hear these topics no more. Events that were received before may still come.

        Raises: as `subscribe`.
        """
        await self._request(self._conversation.unsubscribe, topics)

    async def aclose(self) -> None:
        """Close the connection and end. What was received and not taken is forgotten, and not in `cursor`."""
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

    # --- Its life ---

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
            # Not only what is known to be for good: an error of ours must reach the caller as well.
            self._change_state(State.FAILED, reason=str(error))
            self._end(error)

    def _end(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
            self._inbox.end(error)
            self._conversation.client_ended()

    def _change_state(
        self,
        state: State,
        *,
        retry_in: float | None = None,
        reason: str | None = None,
        recovered: bool | None = None,
    ) -> None:
        change = StateChange(self.state, state, retry_in, reason, recovered)
        self.state = state
        if self._on_state is not None:
            try:
                self._on_state(change)
            except Exception:
                logger.exception("The handler of state changes failed")

    def _check_ready(self) -> None:
        if self._conversation.is_ready and self.state in (State.CONNECTING, State.RECONNECTING):
            self._change_state(State.CONNECTED, recovered=self._conversation.recovered)

    async def _run_connection(self) -> tuple[float, str]:
        """One connection, from the handshake to its end; returns when to connect again, and why."""
        try:
            socket = await open_socket(self._url, await self._credential.get())
        except Unavailable as error:
            return self._backoff.after_too_many() if error.too_many else self._backoff.after_failure(), str(
                error
            )
        except CredentialRefused as error:
            self._credential.renew("refused", str(error), HTTP_UNAUTHORIZED)
            return 0.0, str(error)
        self._credential.accepted()
        self._connection = Connection(
            socket, self._conversation, self._inbox, self._clock, self._idle_seconds, self._answer_seconds
        )
        opened_at = self._clock.time()
        try:
            ending = await self._connection.run(self._check_ready)
        finally:
            self._connection = None
            self._conversation.connection_lost()
        self._backoff.lasted(self._clock.time() - opened_at)
        return self._pause_after(ending), ending.reason

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
