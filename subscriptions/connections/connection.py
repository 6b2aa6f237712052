"""An accepted connection: carrying out what its session decides, its expiry, and its end."""

# Long because one connection's whole life is understood together.

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from uuid import UUID

from django.db import Error as DatabaseTrouble
from django.utils import timezone

from events.database.threads import in_database_thread, until_database_answers
from events.domain.cursor import parse_cursor
from subscriptions.auth.authentication import identify
from subscriptions.auth.client_info import ClientInfo
from subscriptions.auth.credentials import BadCredential
from subscriptions.connections import connection_log
from subscriptions.connections.inbox import Inbox
from subscriptions.connections.recorder import ConnectionRecorder
from subscriptions.connections.runtime import runtime
from subscriptions.delivery.hub import LogReplaced
from subscriptions.delivery.outbox import Outbox, OutboxClosed
from subscriptions.delivery.replayer import LogPruned
from subscriptions.delivery.subscriber import Subscriber
from subscriptions.delivery.transport import Transport
from subscriptions.models import AuditAction, AuditVerdict, customers_of
from subscriptions.presence.pending_changes import ConnectionStats
from subscriptions.protocol.delivered import delivered
from subscriptions.protocol.effects import (
    Close,
    Effect,
    FindAgents,
    Join,
    Leave,
    Record,
    Send,
    SendPong,
    Verify,
)
from subscriptions.protocol.frames import text_frame
from subscriptions.protocol.messages import (
    Action,
    Authenticate,
    CloseCode,
    Ping,
    ack_frame,
    close_reason,
    closing_frame,
    pong_frame,
)
from subscriptions.protocol.permissions import Identity
from subscriptions.protocol.session import Session

logger = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 1.0
"""How long a closing socket may take to read what waits for it."""

ABORT_SECONDS = 10.0
"""How long a peer may take to answer our close before the connection is cut."""

LONGEST_TIMER_SECONDS = 86400.0


class Connection:
    """An accepted connection: its session, its outbox, its place in the hub."""

    def __init__(
        self, transport: Transport, identity: Identity, recorder: ConnectionRecorder, *, batch: bool
    ) -> None:
        self.disconnect_code: int | None = None
        self.opened_at = timezone.now()
        self._process = process = runtime()
        self._transport = transport
        self._recorder = recorder
        self._credential_id = identity.credential_id
        self._session = Session(identity, process.limits, process.resources, time.monotonic())
        self._outbox = Outbox(
            transport,
            process.flusher,
            max_bytes=process.outbox_max_bytes,
            batch=batch,
            on_slow=self._too_slow,
        )
        self._listener = Subscriber(self._outbox, self.close)
        self._inbox = Inbox(
            act=self._act, ping_in=self._session.ping_in, pong=self._pong, hold=transport.hold_reading
        )
        self._closing: asyncio.Task[None] | None = None
        self._close_code: CloseCode | None = None
        self._close_rule = "client-left"
        self._close_message = ""
        self._heard_to = ""
        self._expiry: asyncio.TimerHandle | None = None
        process.hub.listeners.add(self._listener)
        process.renewer.watch(self)
        process.presence.opened(self)
        recorder.note_connect()
        connection_log.opened(recorder)
        if process.count_in(self._credential_id) > process.connections_per_credential:
            most = process.connections_per_credential
            self.close(CloseCode.TOO_MANY, f"This credential has all its {most} connections open already")
        if process.is_draining:
            self.close(CloseCode.RESTARTING, "The gateway restarts: connect again")
        self._watch_expiry()

    @property
    def identity(self) -> Identity:
        """Who speaks on it."""
        return self._session.identity

    @property
    def connection_id(self) -> UUID:
        """By which the audit log and the operators' pages call it."""
        return self._recorder.connection_id

    @property
    def client_info(self) -> ClientInfo:
        """Where it comes from."""
        return self._recorder.caller

    @property
    def topics(self) -> list[str]:
        """What it holds, as the client wrote it."""
        return list(self._session.topics)

    def stats(self) -> ConnectionStats:
        """How it does, in numbers."""
        outbox = self._outbox
        return ConnectionStats(
            outbox.sent,
            outbox.waiting,
            round(outbox.stuck_for()),
            self._process.hub.behind(self._listener),
        )

    async def identity_changed(self, identity: Identity) -> None:
        """Go on as this identity: the same credential, to which something else is permitted now."""
        if self._closing is None:
            effects = self._session.permissions_changed(identity)
            self._recorder.identity = identity
            self._watch_expiry()
            await self._perform(effects)

    async def receive(self, text: str | None) -> None:
        """Take a frame of the client; none is a binary one."""
        await self._inbox.put(text)

    async def _act(self, text: str | None) -> None:
        if self._closing is not None:
            return
        session = self._session
        effects = session.receive_binary() if text is None else session.receive(text, time.monotonic())
        try:
            await self._perform(effects)
        except Exception:
            logger.exception("A client's message could not be acted on")
            self.close(CloseCode.RESTARTING, "Something went wrong here: connect again with your cursor")

    def _pong(self, ping: Ping | SendPong) -> None:
        self._answer(pong_frame(self._process.hub.cursor(self._listener) or None, ping.request_id))

    def _answer(self, frame: str) -> None:
        self._outbox.put_answer(text_frame(frame))

    async def _perform(self, effects: list[Effect]) -> None:
        left_at = ""
        for effect in effects:
            match effect:
                case Send(frame):
                    self._answer(frame)
                case Record(entries):
                    await self._recorder.stored(entries, left_at)
                case Join():
                    await self._join(effect)
                case Leave(topics):
                    left_at = self._process.hub.cursor(self._listener)
                    self._process.hub.detach(self._listener, topics)
                    self._process.presence.changed(self)
                case SendPong():
                    self._pong(effect)
                case FindAgents(agent_ids, message):
                    customers = await until_database_answers(customers_of, agent_ids)
                    await self._perform(self._session.subscribe(message, customers, time.monotonic()))
                case Verify(message):
                    await self._perform(await self._verify(message))
                    self._watch_expiry()
                case Close(code, reason):
                    self.close(code, reason)

    async def _verify(self, message: Authenticate) -> list[Effect]:
        try:
            identity = await in_database_thread(identify, message.token, self._recorder.caller)
        except BadCredential as error:
            self._recorder.note(
                AuditAction.AUTHENTICATE, AuditVerdict.REFUSED, rule=error.rule, detail=str(error)
            )
            return self._session.not_authenticated(message, str(error))
        except DatabaseTrouble:
            return self._session.not_authenticated(message, "Credentials cannot be checked now: try again")
        effects = self._session.authenticated(message, identity)
        if self.identity is identity:
            self._recorder.identity = identity
            self._recorder.note(AuditAction.AUTHENTICATE, AuditVerdict.GRANTED)
            self._process.presence.changed(self)
        else:
            self._recorder.note(AuditAction.AUTHENTICATE, AuditVerdict.REFUSED, rule="foreign-credential")
        return effects

    async def _join(self, join: Join) -> None:
        hub, resumer = self._process.hub, self._process.resumer
        customer_ids = sorted({topic.customer_id for topic in join.topics})
        recovery = None
        while True:
            feeds = await hub.open(customer_ids)
            if join.since is not None:
                recovery = await resumer.recovery(feeds, parse_cursor(join.since))
            if hub.are_open(feeds):
                break
        # What is no longer permitted by now was told by an error already.
        topics = [topic for topic in join.topics if self._session.topics.get(topic.text) is topic]
        if self._closing is not None or not topics:
            return
        self._process.presence.changed(self)
        # From here to the acknowledgement nothing may be awaited, or the topics would not be live from its cursor on.
        if recovery is not None and recovery.reason is None:
            resumer.begin(self._listener, topics, recovery.starts)
        else:
            hub.attach(self._listener, topics)
        self._answer(
            ack_frame(
                Action.SUBSCRIBE,
                [topic.text for topic in topics],
                request_id=join.request_id,
                cursor=hub.cursor(self._listener),
                recovered=None if recovery is None else recovery.reason is None,
                reason=None if recovery is None else recovery.reason,
            )
        )
        self._recorder.note_live(feeds, recovery)
        try:
            await resumer.run(self._listener)
        except (OutboxClosed, LogReplaced):
            return  # The client is gone, or told to come back.
        except LogPruned:
            self.close(CloseCode.RESTARTING, "Not all of what was missed is kept any more: connect again")

    # --- The end ---

    def _watch_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        expires_at = self.identity.expires_at
        if expires_at is None or self._closing is not None:
            return
        left = expires_at - time.time()
        if left <= 0:
            self.close(CloseCode.TOKEN_EXPIRED, "The credential has expired: connect again with a new one")
        else:
            # Looked at anew at least daily: a timer is of the steady clock, an expiry of the calendar's.
            delay = min(left, LONGEST_TIMER_SECONDS)
            self._expiry = asyncio.get_running_loop().call_later(delay, self._watch_expiry)

    def _too_slow(self) -> None:
        self.close(CloseCode.TOO_SLOW, "More waits for you than a connection may hold: read faster")

    def close(self, code: CloseCode, message: str, *, rule: str = "") -> None:
        """Tell the client why, and close; returns at once. Only the first reason counts.

        `rule` is for the audit log, where the code's name does not say enough.
        """
        if self._closing is None:
            self._close_code = code
            self._close_rule = rule or code.name
            self._close_message = message
            self._leave_hub()
            self._closing = asyncio.get_running_loop().create_task(self._close(code, message))

    async def _close(self, code: CloseCode, message: str) -> None:
        if code is CloseCode.REVOKED:
            # What waits is not for its eyes any more.
            self._outbox.discard()
        if code is CloseCode.TOO_SLOW:
            # It will not read what waits for it; it can still be told why it is closed, should it ever read on.
            self._outbox.discard()
            self._transport.release()
        await self._outbox.finish(
            last_frame=text_frame(closing_frame(code, message)), timeout_seconds=LAST_WORDS_SECONDS
        )
        self._transport.release()
        asyncio.get_running_loop().call_later(ABORT_SECONDS, self._transport.abort)
        # Each server says in its own way that the peer has left meanwhile.
        with contextlib.suppress(Exception):
            await self._transport.close(int(code), close_reason(message))

    def ended(self) -> None:
        """The connection is over: leave nothing behind."""
        process = self._process
        if self._expiry is not None:
            self._expiry.cancel()
        self._inbox.close()
        self._leave_hub()
        process.renewer.forget(self)
        process.presence.ended(self)
        self._outbox.close()
        process.count_out(self._credential_id, self.disconnect_code, self._close_rule)
        told = f": {self._close_message}" if self._close_message else ""
        self._recorder.note(
            AuditAction.DISCONNECT,
            AuditVerdict.ENDED,
            rule=self._close_rule,
            detail=f"close code {self.disconnect_code}{told}",
            cursor=delivered(self._heard_to, self._outbox.unsent_events),
        )

        connection_log.closed(
            self._recorder,
            code=self.disconnect_code,
            reason=self._close_rule,
            topics=len(self._session.topics),
            sent=self._outbox.sent,
            seconds=(timezone.now() - self.opened_at).total_seconds(),
        )

    def _leave_hub(self) -> None:
        hub = self._process.hub
        if self._listener in hub.listeners:
            self._heard_to = hub.cursor(self._listener)
            if self._close_code in (CloseCode.TOO_SLOW, CloseCode.REVOKED):
                # What waits is about to be forgotten.
                self._heard_to = delivered(self._heard_to, self._outbox.unsent_events)
            hub.leave(self._listener)
