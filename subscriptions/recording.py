"""What the audit log gets to hear of one connection: each record with who it is, from where, and by what credential."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from subscriptions.access import Identity
from subscriptions.audit import AuditWriter
from subscriptions.caller import Caller, storable
from subscriptions.effects import AuditEntry
from subscriptions.models import AuditRecord

MAX_TOPIC_CHARACTERS = 260
MAX_DETAIL_CHARACTERS = 300


class ConnectionRecorder:
    """Writes the records of one connection; `identity` is none until the handshake has found it."""

    def __init__(self, audit: AuditWriter, connection_id: uuid.UUID, caller: Caller) -> None:
        self.identity: Identity | None = None
        self.connection_id = connection_id
        self.caller = caller
        self._audit = audit

    def note(self, action: str, verdict: str, *, rule: str = "", detail: str = "") -> None:
        """Record something of the whole connection, soon."""
        self._audit.note([self._record(action, verdict, "", rule, detail)])

    async def stored(self, entries: Sequence[AuditEntry]) -> None:
        """Record these topics; returns when they are committed."""
        await self._audit.stored(
            [self._record(each.action, each.verdict, each.topic, each.rule, each.detail) for each in entries]
        )

    def _record(self, action: str, verdict: str, topic: str, rule: str, detail: str) -> AuditRecord:
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
        )
