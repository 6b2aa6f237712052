"""An accepted connection: the effects of its session, its expiry and its end."""

# Long because each effect and each way to end changes the same outbox, subscriber and session.

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import assert_never

from django import db
from django.conf import settings
from django.utils import timezone

from events.database.threads import in_database_thread, until_database_answers
from events.domain.cursor import parse_cursor
from subscriptions.auth.authentication import identify
from subscriptions.auth.credentials import BadCredential
from subscriptions.connections.inbox import Inbox
from subscriptions.connections.recorder import ConnectionRecorder
from subscriptions.connections.runtime import Runtime
from subscriptions.delivery.gap_repair import LogReplaced
from subscriptions.delivery.outbox import Outbox, OutboxClosed
from subscriptions.delivery.replayer import LogPruned, Recovery
from subscriptions.delivery.subscriber import PLAIN, Subscriber, View
from subscriptions.delivery.transport import Transport
from subscriptions.models import AuditAction, AuditVerdict, customers_of
from subscriptions.presence.pending_changes import ConnectionStats
from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.effects import (
    Close,
    Effect,
    FindAgents,
    HeldTopic,
    Join,
    Leave,
    Pause,
    Record,
    Refilter,
    Send,
)
from subscriptions.protocol.frames import last_delivered_cursor, text_frame
from subscriptions.protocol.messages import (
    Action,
    Authenticate,
    Ping,
    Subscribe,
    ack_frame,
    close_reason,
    closing_frame,
    pong_frame,
)
from subscriptions.protocol.permissions import Identity
from subscriptions.protocol.session import Session

logger = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 1.0
"""How long a client may take to read what waits when its connection closes."""

ABORT_SECONDS = 10.0
"""How long a peer may take to answer the close before the connection is cut."""

FLOOD_ABORT_SECONDS = 2.0
"""The same for a client that floods the gateway, whose answer is not read."""

LONGEST_TIMER_SECONDS = 86400.0


class Connection:
    """An accepted connection. Belongs to one event loop."""

    def __init__(
        self,
        runtime: Runtime,
        transport: Transport,
        identity: Identity,
        recorder: ConnectionRecorder,
        *,
        batch: bool,
        on_flood: Callable[[], None],
        cloud_events: bool = False,
    ) -> None:
        """`on_flood` is called if the client sends too many messages again and again."""
        self.disconnect_code: int | None = None
        self.opened_at = timezone.now()
        self.connection_id = recorder.connection_id
        self.client_info = recorder.client_info
        self.transport_name = transport.name
        self._runtime = runtime
        self._transport = transport
        self._recorder = recorder
        self._on_flood = on_flood
        self._credential_id = identity.credential_id
        self._session = Session(identity, runtime.limits, runtime.resources)
        self._outbox = Outbox(
            transport,
            runtime.flusher,
            max_bytes=runtime.outbox_max_bytes,
            batch=batch,
            on_slow=self._too_slow,
        )
        self._cloud_events_of = settings.PUBLIC_URL if cloud_events else None
        self._subscriber = Subscriber(self._outbox, self.close)
        self._set_view()
        self._inbox = Inbox(
            act=self._act, ping_in=self._session.ping_in, pong=self._pong, hold=transport.hold_reading
        )
        self._closing: asyncio.Task[None] | None = None
        self._close_code: CloseCode | None = None
        self._abort_seconds = ABORT_SECONDS
        self._close_rule = "client-left"
        self._close_message = ""
        self._delivered_to = ""
        self._expiry: asyncio.TimerHandle | None = None
        runtime.hub.subscribers.add(self._subscriber)
        runtime.reauthorizer.watch(self)
        runtime.presence.opened(self)
        most = runtime.connections_per_credential
        self._is_turned_away = runtime.count_in(self._credential_id) > most
        if self._is_turned_away:
            message = f"This credential has all its {most} connections open already"
            recorder.turned_away(identity, CloseCode.TOO_MANY.name, message)
            self.close(CloseCode.TOO_MANY, message)
        else:
            recorder.opened(identity)
        if runtime.is_draining:
            self.close(CloseCode.RESTARTING, "The gateway restarts: connect again")
        self._watch_expiry()

    @property
    def identity(self) -> Identity:
        """The identity that the client last authenticated as."""
        return self._session.identity

    @property
    def topics(self) -> list[str]:
        """The subscribed topics, as the client wrote them."""
        return list(self._session.topics)

    def _set_view(self) -> None:
        """Show events as the identity may read them, from now on."""
        view = View(self.identity.masks_numbers, self._cloud_events_of)
        self._subscriber.view = PLAIN if view == PLAIN else view

    def stats(self) -> ConnectionStats:
        """The connection's current statistics."""
        outbox = self._outbox
        return ConnectionStats(
            outbox.sent,
            outbox.waiting,
            round(outbox.stalled_seconds()),
            self._runtime.hub.lag(self._subscriber),
        )

    async def identity_changed(self, identity: Identity) -> None:
        """Apply changed permissions of the same credential."""
        if self._closing is None:
            effects = self._session.permissions_changed(identity)
            self._set_view()
            self._recorder.identity = identity
            self._watch_expiry()
            await self._perform(effects)

    async def receive(self, text: str | None) -> None:
        """Take a frame of the client; `None` is a binary frame."""
        await self._inbox.put(text)

    async def subscribe(self, messages: Sequence[Subscribe]) -> None:
        """Subscribe to the topics that came with the request of an event stream."""
        agents = frozenset[str]().union(*map(self._session.unknown_agents, messages))
        customers = await until_database_answers(customers_of, agents) if agents else {}
        await self._perform(self._session.subscribe_together(messages, customers, time.monotonic()))

    async def _act(self, text: str | None) -> None:
        if self._closing is not None:
            return
        effects = self._session.receive(text, time.monotonic())
        try:
            await self._perform(effects)
        except Exception:
            logger.exception("A client's message could not be acted on")
            self.close(CloseCode.RESTARTING, "Something went wrong here: connect again with your cursor")

    def _pong(self, ping: Ping) -> None:
        self._answer(
            pong_frame(self._runtime.hub.cursor(self._subscriber) or None, ping.request_id, ping.warnings)
        )

    def _answer(self, frame: str) -> None:
        self._outbox.put_answer(text_frame(frame))

    async def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(frame):
                    self._answer(frame)
                case Record(entries):
                    await self._recorder.record_and_wait(entries)
                case Join():
                    await self._join(effect)
                case Refilter(topics):
                    self._runtime.hub.refilter(self._subscriber, topics)
                case Leave(topics, entries, ack):
                    cursor = self._runtime.hub.cursor(self._subscriber)
                    self._runtime.hub.detach(self._subscriber, topics)
                    self._runtime.summaries.detach(self._subscriber, topics)
                    if ack is not None:
                        self._answer(ack)
                    self._runtime.presence.changed(self)
                    await self._recorder.record_and_wait(entries, cursor)
                case Ping():
                    self._pong(effect)
                case FindAgents(agent_ids, message):
                    customers = await until_database_answers(customers_of, agent_ids)
                    await self._perform(self._session.subscribe(message, customers, time.monotonic()))
                case Authenticate():
                    await self._perform(await self._verify(effect))
                    self._watch_expiry()
                case Pause(seconds):
                    # Frames wait meanwhile, and soon the server does not read them: others are served first.
                    self._runtime.refused_messages += 1
                    await asyncio.sleep(seconds)
                case Close(code, reason):
                    if code is CloseCode.TOO_MANY:
                        self._runtime.refused_messages += 1
                        # Reading the rest of the flood would cost as much as the flood.
                        self._inbox.stop_reading()
                        self._abort_seconds = FLOOD_ABORT_SECONDS
                        self._on_flood()
                    self.close(code, reason)
                case _:
                    assert_never(effect)

    async def _verify(self, message: Authenticate) -> list[Effect]:
        try:
            identity = await in_database_thread(identify, message.token, self._recorder.client_info)
        except BadCredential as error:
            self._recorder.record_soon(
                AuditAction.AUTHENTICATE, AuditVerdict.REFUSED, rule=error.rule, detail=str(error)
            )
            return self._session.not_authenticated(message, str(error))
        except db.Error:
            return self._session.not_authenticated(message, "Credentials cannot be checked now: try again")
        effects = self._session.authenticated(message, identity)
        if self.identity is identity:
            self._set_view()
            self._runtime.reauthorizer.recheck(self)
            self._recorder.identity = identity
            self._recorder.record_soon(AuditAction.AUTHENTICATE, AuditVerdict.GRANTED)
            self._runtime.presence.changed(self)
        else:
            self._recorder.record_soon(
                AuditAction.AUTHENTICATE, AuditVerdict.REFUSED, rule="foreign-credential"
            )
        return effects

    async def _join(self, join: Join) -> None:
        hub, replayer = self._runtime.hub, self._runtime.replayer
        customer_ids = sorted({topic.customer_id for topic in join.topics})
        recovery = None
        while True:
            feeds = await hub.open(customer_ids)
            if join.since is not None:
                recovery = await replayer.recovery(feeds, parse_cursor(join.since))
            if hub.are_open(feeds):
                break
        # An error was sent already for topics that are no longer permitted.
        held = (self._session.topics.get(topic.text) for topic in join.topics)
        topics = [topic for topic in held if topic is not None]
        if self._closing is not None or not topics:
            return
        self._runtime.presence.changed(self)
        self._go_live(join, topics, recovery)
        self._recorder.live(feeds, recovery)
        try:
            await replayer.run(self._subscriber)
        except (OutboxClosed, LogReplaced):
            return  # The client has left, or reconnects.
        except LogPruned:
            self.close(CloseCode.RESTARTING, "Not all of what was missed is kept any more: connect again")

    def _go_live(self, join: Join, topics: Sequence[HeldTopic], recovery: Recovery | None) -> None:
        """Attach these topics and acknowledge them.

        Without an await between: the ack's cursor is where the topics become live.
        """
        hub, replayer = self._runtime.hub, self._runtime.replayer
        if recovery is not None and recovery.reason is None:
            replayer.begin(self._subscriber, topics, recovery.starts)
        else:
            hub.attach(self._subscriber, topics)
        self._answer(
            ack_frame(
                Action.SUBSCRIBE,
                [topic.text for topic in topics],
                request_id=join.request_id,
                cursor=hub.cursor(self._subscriber),
                recovered=None if recovery is None else recovery.reason is None,
                reason=None if recovery is None else recovery.reason,
                sent_filter=join.filter,
                warnings=join.warnings,
            )
        )
        self._runtime.summaries.attach(self._subscriber, topics)

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
            # At most a day: the timer runs by the monotonic clock, the expiry by the calendar.
            delay = min(left, LONGEST_TIMER_SECONDS)
            self._expiry = asyncio.get_running_loop().call_later(delay, self._watch_expiry)

    def _too_slow(self) -> None:
        self.close(CloseCode.TOO_SLOW, "More waits for you than a connection may hold: read faster")

    def close(self, code: CloseCode, message: str, *, rule: str = "") -> None:
        """Send the client the reason, and close; returns at once. Later calls have no effect.

        `rule` is for the audit log, if the name of the code is not specific enough.
        """
        if self._closing is None:
            self._close_code = code
            self._close_rule = rule or code.name
            self._close_message = message
            self._leave_hub()
            self._closing = asyncio.get_running_loop().create_task(self._close(code, message))

    async def _close(self, code: CloseCode, message: str) -> None:
        if code is CloseCode.REVOKED:
            # The client is not authorised for what waits any more.
            self._outbox.discard()
        if code is CloseCode.TOO_SLOW:
            # The client does not read what waits; the reason of the close is left for when it does.
            self._outbox.discard()
            self._transport.release()
        await self._outbox.finish(
            last_frame=text_frame(closing_frame(code, message)), timeout_seconds=LAST_WORDS_SECONDS
        )
        self._transport.release()
        asyncio.get_running_loop().call_later(self._abort_seconds, self._transport.abort)
        # Each server has its own exception for a peer that has left.
        with contextlib.suppress(Exception):
            await self._transport.close(int(code), close_reason(message))

    def ended(self) -> None:
        """Release everything that belongs to the connection, which has ended."""
        runtime = self._runtime
        if self._expiry is not None:
            self._expiry.cancel()
        self._inbox.close()
        self._leave_hub()
        runtime.reauthorizer.forget(self)
        runtime.presence.ended(self)
        self._outbox.close()
        runtime.count_out(self._credential_id, self.disconnect_code, self._close_rule)
        if self._is_turned_away:
            return  # Recorded already.
        self._recorder.closed(
            code=self.disconnect_code,
            rule=self._close_rule,
            message=self._close_message,
            cursor=last_delivered_cursor(self._delivered_to, self._outbox.unsent_events),
            topics=len(self._session.topics),
            sent=self._outbox.sent,
            seconds=(timezone.now() - self.opened_at).total_seconds(),
        )

    def _leave_hub(self) -> None:
        hub = self._runtime.hub
        if self._subscriber in hub.subscribers:
            self._delivered_to = hub.cursor(self._subscriber)
            if self._close_code in (CloseCode.TOO_SLOW, CloseCode.REVOKED):
                # What waits is about to be dropped.
                self._delivered_to = last_delivered_cursor(self._delivered_to, self._outbox.unsent_events)
            hub.leave(self._subscriber)
            self._runtime.summaries.leave(self._subscriber)
