"""The heartbeat, which keeps this process and its connections listed in the database.

Each beat renews the process's lease and stores what has changed. The rows of a process whose lease has ended are not
shown, and other processes delete them. After an outage of the database the next beat stores all changes.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from django.db import Error as DatabaseTrouble

from events.database.background_task import BackgroundTask
from events.database.threads import in_database_thread
from subscriptions.auth.client_info import MAX_TOPIC_CHARACTERS, ClientInfo, storable
from subscriptions.auth.credentials import key_behind
from subscriptions.auth.customer_quotas import fullest_storage
from subscriptions.models import LiveConnection
from subscriptions.presence.customer_connections import count_live, customer_connections
from subscriptions.presence.open_files import OpenFilesWarning
from subscriptions.presence.pending_changes import NO_STATS, ConnectionStats, PendingChanges
from subscriptions.presence.process_status import ProcessState
from subscriptions.presence.registry import ProcessEntry, Report, sweep
from subscriptions.protocol.permissions import Identity

logger = logging.getLogger(__name__)

BEATS_IN_A_LEASE = 3
GRACE_SECONDS = 1.0
"""Added to the lease."""

MIN_PAUSE_SECONDS = 1.0
"""Time between two beats if connections open and close all the time."""

STOP_SECONDS = 2.0
"""How long a stopping process tries to delete its rows."""

SWEEP_BEATS = 10
"""Beats between two deletions of what crashed processes left behind, and looks at stored data."""

MAX_ROWS = 1000
"""Rows of one beat: after an outage, the rows of all connections would delay publishers."""

SLICE = 200
"""Connections that are read, in about 1 ms, before the event loop gets a turn."""

TOPICS_STORED = 200
"""Topics per connection; their total number is stored as well."""


class Connection(Protocol):
    """An open connection, as operators see it."""

    @property
    def connection_id(self) -> uuid.UUID: ...

    @property
    def identity(self) -> Identity: ...

    @property
    def client_info(self) -> ClientInfo: ...

    @property
    def transport_name(self) -> str: ...

    @property
    def opened_at(self) -> datetime: ...

    @property
    def topics(self) -> Sequence[str]: ...

    def stats(self) -> ConnectionStats: ...


class Presence:
    """The heartbeat of one process, every `beat_seconds`; `state` returns its status.

    Each beat commits a write, so it also shows whether the database takes any: `write_problem` names the error of the
    last beat, or is "". Await `has_beaten` first. `fullest_storage` is the share of its quota that the fullest customer
    had stored a few beats ago.
    """

    def __init__(self, *, beat_seconds: float, state: Callable[[], ProcessState] = ProcessState) -> None:
        self._beat_seconds = beat_seconds
        self._state = state
        self._lease_seconds = beat_seconds * BEATS_IN_A_LEASE + GRACE_SECONDS
        self._entry = ProcessEntry(timedelta(seconds=self._lease_seconds))
        self._connections: dict[uuid.UUID, Connection] = {}
        self._pending: PendingChanges[uuid.UUID] = PendingChanges()
        self._wake = asyncio.Event()
        self._stats_at = 0.0
        self._lagging_since: dict[uuid.UUID, float] = {}
        self._beats = 0
        self._open_files = OpenFilesWarning()
        self.has_beaten = asyncio.Event()
        self.write_problem = ""
        self.fullest_storage = 0.0
        self._task = BackgroundTask(self._run)

    def start(self) -> None:
        """Start the heartbeat in the running event loop."""
        self._task.start()

    async def stop(self) -> None:
        """Stop the heartbeat and delete the rows of this process."""
        if problem := await self._task.stop(self._entry.delete, STOP_SECONDS):
            logger.warning("This process stays listed until its lease ends: %s", problem)

    def opened(self, connection: Connection) -> None:
        """List a new connection."""
        self._connections[connection.connection_id] = connection
        self._pending.opened(connection.connection_id)
        self._wake.set()

    def changed(self, connection: Connection) -> None:
        """Store a connection again whose topics or identity have changed."""
        self._pending.changed(connection.connection_id)
        self._wake.set()

    def count(self, transport_name: str) -> int:
        """Return the number of open connections on a transport."""
        return sum(each.transport_name == transport_name for each in self._connections.values())

    def ended(self, connection: Connection) -> None:
        """Remove a connection from the list."""
        self._connections.pop(connection.connection_id, None)
        self._lagging_since.pop(connection.connection_id, None)
        self._pending.closed(connection.connection_id)
        self._wake.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._beat_seconds
            try:
                await self._beat()
            except DatabaseTrouble as error:
                if not self.write_problem:
                    logger.warning("The database takes no writes, such as of live connections: %s", error)
                self.write_problem = _name_of(error)
            except Exception:
                logger.exception("A heartbeat failed; the next one follows")
            else:
                self.write_problem = ""
            self.has_beaten.set()
            self._open_files.check(loop.time())
            await asyncio.sleep(min(MIN_PAUSE_SECONDS, self._beat_seconds))
            try:
                async with asyncio.timeout_at(due):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _beat(self) -> None:
        self._wake.clear()
        changes = self._pending.take(MAX_ROWS)
        try:
            report = Report(
                await self._rows(changes.written),
                changes.deleted,
                await self._stats(),
                len(self._pending),
                replace(self._state(), lease_seconds=self._lease_seconds).as_json(),
            )
            is_known = await in_database_thread(self._entry.save, report)
        except BaseException:
            self._pending.failed(changes)
            raise
        if not is_known:
            # Another process deleted the rows after the lease: this one was suspended, or the database was away.
            self._pending.reset()
            self._wake.set()
            return
        self._pending.stored(changes)
        if self._pending.is_dirty:
            self._wake.set()
        if outdated := customer_connections.take_outdated():
            elsewhere = await in_database_thread(count_live, outdated, except_process=self._entry.process_id)
            customer_connections.learn(outdated, elsewhere)
        self._beats += 1
        if self._beats % SWEEP_BEATS == 1:
            await in_database_thread(sweep)
            self.fullest_storage = await in_database_thread(fullest_storage)

    async def _rows(self, connection_ids: Iterable[uuid.UUID]) -> list[LiveConnection]:
        rows = []
        for number, connection_id in enumerate(connection_ids, 1):
            if connection := self._connections.get(connection_id):
                rows.append(self._row(connection))
            if number % SLICE == 0:
                await asyncio.sleep(0)
        return rows

    def _row(self, connection: Connection) -> LiveConnection:
        identity, topics = connection.identity, connection.topics
        return LiveConnection(
            id=connection.connection_id,
            process_id=self._entry.process_id,
            customer_id=uuid.UUID(identity.customer_id),
            agent_id=uuid.UUID(identity.agent_id) if identity.agent_id else None,
            key_id=key_behind(identity),
            credential=storable(identity.credential, 60),
            is_platform_staff=identity.is_platform_staff,
            address=connection.client_info.address,
            client=connection.client_info.client,
            transport=connection.transport_name,
            topics="\n".join(storable(topic, MAX_TOPIC_CHARACTERS) for topic in topics[:TOPICS_STORED]),
            topic_count=len(topics),
            opened_at=connection.opened_at,
        )

    async def _stats(self) -> dict[str, ConnectionStats] | None:
        """Return the stats of connections that have any, or `None` between two regular beats."""
        now = asyncio.get_running_loop().time()
        if now - self._stats_at < self._beat_seconds * 0.9:
            return None
        self._stats_at = now
        stats: dict[str, ConnectionStats] = {}
        for number, connection in enumerate(list(self._connections.values()), 1):
            found = self._with_lag_seconds(connection, connection.stats(), now)
            if found != NO_STATS:
                stats[connection.connection_id.hex] = found
            if number % SLICE == 0:
                await asyncio.sleep(0)
        return stats

    def _with_lag_seconds(
        self, connection: Connection, stats: ConnectionStats, now: float
    ) -> ConnectionStats:
        """Add for how long the connection has lagged, which only successive beats show."""
        if not stats.lag_events:
            self._lagging_since.pop(connection.connection_id, None)
            return stats
        since = self._lagging_since.setdefault(connection.connection_id, now)
        return stats._replace(stalled_seconds=max(stats.stalled_seconds, round(now - since)))


def _name_of(error: DatabaseTrouble) -> str:
    """Return the driver's name of an error; its text can name users and addresses."""
    cause = error.__cause__ or error
    return str(getattr(cause, "sqlite_errorname", type(cause).__name__))
