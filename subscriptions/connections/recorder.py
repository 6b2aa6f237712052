"""What the audit log gets to hear of one connection: each record with who it is, from where, and by what credential."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping, Sequence

from events.domain.cursor import Position, join_positions
from subscriptions.audit.writer import AuditWriter
from subscriptions.auth.client_info import ClientInfo, storable
from subscriptions.delivery.feed import Feed
from subscriptions.delivery.replayer import Recovery
from subscriptions.delivery.subscriber import Subscriber
from subscriptions.models import AuditAction, AuditRecord, AuditVerdict
from subscriptions.protocol.effects import AuditEntry
from subscriptions.protocol.permissions import Identity

MAX_TOPIC_CHARACTERS = 260
MAX_DETAIL_CHARACTERS = 300

_HOST = socket.gethostname()[:100]


class ConnectionRecorder:
    """Writes the records of one connection; `identity` is none until the handshake has found it."""

    def __init__(self, audit: AuditWriter, connection_id: uuid.UUID, caller: ClientInfo) -> None:
        self.identity: Identity | None = None
        self.connection_id = connection_id
        self.caller = caller
        self._audit = audit

    def note(self, action: str, verdict: str, *, rule: str = "", detail: str = "", cursor: str = "") -> None:
        """Record something of the whole connection, soon."""
        self._audit.record_soon([self._record(action, verdict, "", rule, detail, cursor)])

    async def stored(self, entries: Sequence[AuditEntry], cursor: str = "") -> None:
        """Record these topics, heard up to `cursor` where they ended; returns when they are committed."""
        await self._audit.record_and_wait(
            [
                self._record(each.action, each.verdict, each.topic, each.rule, each.detail, cursor)
                for each in entries
            ]
        )

    def note_connect(self) -> None:
        """Record that the connection was accepted, and which process holds it."""
        process = f"{_HOST}, process {os.getpid()}"
        self.note(AuditAction.CONNECT, AuditVerdict.GRANTED, detail=process)

    def note_live(self, feeds: Mapping[str, Feed[Subscriber]], recovery: Recovery | None) -> None:
        """Record from which cursor on the topics that were just granted are heard. These are their customers' feeds."""
        starts = recovery.starts if recovery is not None else {}
        cursor = join_positions(
            Position(feed.epoch, starts.get(customer_id, feed.position))
            for customer_id, feed in sorted(feeds.items())
        )
        rule, detail = "from-now", ""
        if recovery is not None:
            rule, detail = "recovered" if recovery.reason is None else "not-recovered", recovery.reason or ""
        self.note(AuditAction.LIVE, AuditVerdict.GRANTED, rule=rule, detail=detail, cursor=cursor)

    def _record(
        self, action: str, verdict: str, topic: str, rule: str, detail: str, cursor: str
    ) -> AuditRecord:
        identity = self.identity
        return AuditRecord(
            action=action,
            verdict=verdict,
            topic=storable(topic, MAX_TOPIC_CHARACTERS),
            rule=rule,
            detail=storable(detail, MAX_DETAIL_CHARACTERS),
            customer_id=identity.customer_id if identity else None,
            agent_id=identity.agent_id if identity else None,
            credential=storable(identity.credential, 60) if identity else "",
            address=self.caller.address,
            client=self.caller.client,
            connection_id=self.connection_id,
            cursor=cursor,
        )
