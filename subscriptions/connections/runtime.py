"""The parts of a server process that exist once: hub, audit writer, count of connections.

daphne has no lifespan events, so the first connection or request starts the runtime, in the event loop that serves it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter

from django.conf import settings

from events.announcements.announcer import announcer
from events.counters import stored_events
from events.domain.topics import known_resources
from subscriptions.audit.writer import AuditWriter
from subscriptions.connections.audit_rounds import AuditRounds
from subscriptions.connections.reauthorization import Reauthorizer
from subscriptions.delivery.hub import Hub
from subscriptions.delivery.outbox import Flusher
from subscriptions.delivery.replayer import Replayer
from subscriptions.delivery.summary_sender import SummarySender
from subscriptions.presence.heartbeat import Presence
from subscriptions.presence.lease_tasks import inferred_ends
from subscriptions.presence.presence_policy import presence_rounds
from subscriptions.presence.process_status import ProcessState, Rate, troubles
from subscriptions.presence.target_watch import queue_targets
from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.limits import Limits

DRAIN_SPREAD_SECONDS = 2.0
"""Over this time a stopping process closes its connections, so that clients do not reconnect all at once."""

KNOWN_CLOSE_CODES = frozenset(CloseCode) | {1000, 1001, 1005, 1006, 1007, 1009, 1011, 1012}
"""Ours, and those of RFC 6455 that occur. Each other code that clients send would be one more metric."""

DRAIN_PAUSE_SECONDS = 0.02
DRAIN_TIMEOUT_SECONDS = 5.0


class Runtime:
    """The parts of a server process. Belongs to one event loop."""

    def __init__(self) -> None:
        self.reauthorizer = Reauthorizer(check_seconds=settings.CHECK_INTERVAL_SECONDS)
        self.presence = Presence(beat_seconds=2 * settings.CHECK_INTERVAL_SECONDS, state=self.state)
        self.lease_tasks = [
            queue_targets(2 * settings.CHECK_INTERVAL_SECONDS),
            presence_rounds(settings.CHECK_INTERVAL_SECONDS),
        ]
        if settings.EVENTS_CALL_SILENCE:
            self.lease_tasks.append(inferred_ends(settings.EVENTS_CALL_SILENCE))
        self.flusher = Flusher()
        self.hub = Hub(
            self.flusher,
            check_seconds=settings.CHECK_INTERVAL_SECONDS,
            max_stalled_seconds=settings.OUTBOX_MAX_SECONDS,
            on_access_changed=self.reauthorizer.notify,
        )
        self.summaries = SummarySender(self.hub)
        self.replayer = Replayer(
            self.hub, max_events=settings.REPLAY_MAX_EVENTS, at_once=settings.REPLAYS_AT_ONCE
        )
        now = asyncio.get_running_loop().time()
        self._events = Rate(lambda: stored_events.counts().get((), 0), now)
        self._deliveries = Rate(lambda: self.hub.deliveries + self.replayer.deliveries, now)
        self.audit = AuditWriter()
        self.audit_rounds = AuditRounds(self.audit)
        self.is_draining = False
        self.outbox_max_bytes = settings.OUTBOX_MAX_BYTES
        self.connections_per_credential = settings.CONNECTIONS_PER_CREDENTIAL
        self.opened = 0
        self.refused_messages = 0
        self.ended: Counter[tuple[str, str]] = Counter()
        self._connections: Counter[str] = Counter()
        self.all_left = asyncio.Event()
        self.all_left.set()
        self.resources = known_resources(settings.EVENTS_EXTRA_RESOURCES)
        self.limits = Limits(
            message_max_bytes=settings.MESSAGE_MAX_BYTES,
            message_max_topics=settings.MESSAGE_MAX_TOPICS,
            connection_max_topics=settings.CONNECTION_MAX_TOPICS,
            subscribe_burst=settings.SUBSCRIBE_BURST,
            subscribe_per_second=settings.SUBSCRIBE_PER_SECOND,
            message_burst=settings.MESSAGE_BURST,
            messages_per_second=settings.MESSAGES_PER_SECOND,
            refused_messages_max=settings.REFUSED_MESSAGES_MAX,
            unreadable_messages_max=settings.UNREADABLE_MESSAGES_MAX,
        )

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return self._connections.total()

    def state(self) -> ProcessState:
        """The state of this process, for the operators' pages."""
        now = asyncio.get_running_loop().time()
        late_events, late_seconds = self.hub.missing
        return ProcessState(
            events_a_minute=round(self._events.a_minute(now), 1),
            deliveries_a_minute=round(self._deliveries.a_minute(now), 1),
            late_events=late_events,
            late_seconds=round(late_seconds, 1),
            silent_seconds=round(self.hub.layer.silence_seconds, 1) if self.hub.layer.is_silent else 0.0,
            audit_waiting=self.audit.waiting,
            audit_lost=self.audit.lost,
            is_draining=self.is_draining,
            troubles=tuple(troubles.lately(time.time())),
        )

    def count_in(self, credential_id: str) -> int:
        """Count a new connection of this credential; returns how many it has."""
        self.opened += 1
        self._connections[credential_id] += 1
        self.all_left.clear()
        return self._connections[credential_id]

    def count_out(self, credential_id: str, close_code: int | None, rule: str) -> None:
        """Count the end of a connection of this credential."""
        self.ended[(str(close_code) if close_code in KNOWN_CLOSE_CODES else "other", rule)] += 1
        self._connections[credential_id] -= 1
        if self._connections[credential_id] <= 0:
            del self._connections[credential_id]
        if not self._connections:
            self.all_left.set()

    def start(self) -> None:
        """Start all tasks. Called in the event loop."""
        announcer.attach(asyncio.get_running_loop())
        self.hub.start()
        self.reauthorizer.start()
        self.presence.start()
        for task in self.lease_tasks:
            task.start()
        self.audit_rounds.start()

    async def stop(self) -> None:
        """Close all connections, store the rest of the audit log, and end all tasks."""
        self.is_draining = True
        subscribers = list(self.hub.subscribers)
        pause = min(DRAIN_SPREAD_SECONDS / max(len(subscribers), 1), DRAIN_PAUSE_SECONDS)
        for subscriber in subscribers:
            subscriber.close(CloseCode.RESTARTING, "The gateway restarts: connect again with your cursor")
            await asyncio.sleep(pause)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_TIMEOUT_SECONDS):
                await self.all_left.wait()
        self.audit.record_repeats(now=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_TIMEOUT_SECONDS):
                await self.audit.flush()
        for task in self.lease_tasks:
            await task.stop()
        await self.audit_rounds.stop()
        await self.reauthorizer.stop()
        await self.presence.stop()
        await self.summaries.stop()
        await self.hub.stop()
        announcer.detach()


_runtimes: dict[asyncio.AbstractEventLoop, Runtime] = {}


def runtime() -> Runtime:
    """The runtime of the running event loop; its first use starts it."""
    loop = asyncio.get_running_loop()
    found = _runtimes.get(loop)
    if found is None:
        for other in [other for other in _runtimes if other.is_closed()]:
            del _runtimes[other]
        found = _runtimes[loop] = Runtime()
        found.start()
    return found
