"""The records of one connection, in the audit log and in the process's own log."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping, Sequence

import structlog

from events.domain.cursor import Position, join_positions
from subscriptions.audit.writer import AuditWriter
from subscriptions.auth.client_info import MAX_TOPIC_CHARACTERS, ClientInfo, storable
from subscriptions.connections.handshake import Refusal
from subscriptions.delivery.feed import Feed
from subscriptions.delivery.replayer import Recovery
from subscriptions.delivery.subscriber import Subscriber
from subscriptions.models import AuditAction, AuditRecord, AuditVerdict
from subscriptions.protocol.effects import AuditEntry
from subscriptions.protocol.permissions import Identity

logger = structlog.stdlib.get_logger(__name__)

MAX_DETAIL_CHARACTERS = 300

_HOST = socket.gethostname()[:100]


class ConnectionRecorder:
    """Records one connection in the audit log, and its start and end in the process's log.

    `identity` is `None` until the handshake has found it.
    """

    def __init__(self, audit: AuditWriter, connection_id: uuid.UUID, client_info: ClientInfo) -> None:
        self.identity: Identity | None = None
        self.connection_id = connection_id
        self.client_info = client_info
        self._audit = audit

    def record_soon(
        self, action: str, verdict: str, *, rule: str = "", detail: str = "", cursor: str = ""
    ) -> None:
        """Record one entry of the whole connection; returns before it is stored."""
        self._audit.record_soon([self._record(action, verdict, "", rule, detail, cursor)])

    async def record_and_wait(self, entries: Sequence[AuditEntry], cursor: str = "") -> None:
        """Record these topics; returns when the records are committed.

        `cursor` is where the topics ended: their events were sent up to it.
        """
        await self._audit.record_and_wait(
            [
                self._record(
                    each.action, each.verdict, each.topic, each.rule, each.detail, cursor, each.count
                )
                for each in entries
            ]
        )

    def opened(self, identity: Identity) -> None:
        """Record that the handshake was accepted, and by which process."""
        self.identity = identity
        process = f"{_HOST}, process {os.getpid()}"
        self.record_soon(AuditAction.CONNECT, AuditVerdict.GRANTED, detail=process)
        logger.info("connection opened", **self._identity_fields())

    def refused(self, refusal: Refusal) -> None:
        """Record that the handshake was refused."""
        self.identity = refusal.holder
        self.record_soon(AuditAction.REFUSE, AuditVerdict.REFUSED, rule=refusal.rule, detail=refusal.message)
        logger.info("connection refused", status=refusal.status, rule=refusal.rule, **self._identity_fields())

    def turned_away(self, identity: Identity, rule: str, message: str) -> None:
        """Record that a connection was accepted only to be closed with the reason."""
        self.identity = identity
        self.record_soon(AuditAction.REFUSE, AuditVerdict.REFUSED, rule=rule, detail=message)
        logger.info("connection turned away", rule=rule, **self._identity_fields())

    def live(self, feeds: Mapping[str, Feed[Subscriber]], recovery: Recovery | None) -> None:
        """Record the cursor after which the topics that were just granted deliver events.

        `feeds` are those of the topics' customers.
        """
        starts = recovery.starts if recovery is not None else {}
        cursor = join_positions(
            Position(feed.epoch, starts.get(customer_id, feed.position))
            for customer_id, feed in sorted(feeds.items())
        )
        rule, detail = "from-now", ""
        if recovery is not None:
            rule, detail = "recovered" if recovery.reason is None else "not-recovered", recovery.reason or ""
        self.record_soon(AuditAction.LIVE, AuditVerdict.GRANTED, rule=rule, detail=detail, cursor=cursor)

    def closed(
        self,
        *,
        code: int | None,
        rule: str,
        message: str,
        cursor: str,
        topics: int,
        sent: int,
        seconds: float,
    ) -> None:
        """Record the end of the connection.

        `code` is the close code that the server reports, `None` for an event stream, `message` what the client was sent
        with it, `cursor` how far its events were delivered, and `sent` their number.
        """
        end = "the response ended" if code is None else f"close code {code}"
        detail = f"{end}: {message}" if message else end
        self.record_soon(AuditAction.DISCONNECT, AuditVerdict.ENDED, rule=rule, detail=detail, cursor=cursor)
        logger.info(
            "connection closed",
            code=code,
            reason=rule,
            topics=topics,
            sent=sent,
            seconds=round(seconds, 1),
            **self._identity_fields(),
        )

    def _identity_fields(self) -> dict[str, str | None]:
        identity = self.identity
        fields: dict[str, str | None] = {
            "connection_id": str(self.connection_id),
            "address": self.client_info.address,
            "client": self.client_info.client,
        }
        if identity is not None:
            fields |= {
                "customer": identity.customer_id,
                "agent": identity.agent_id,
                "credential": identity.credential_id,
            }
        return fields

    def _record(
        self, action: str, verdict: str, topic: str, rule: str, detail: str, cursor: str, count: int = 1
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
            address=self.client_info.address,
            client=self.client_info.client,
            connection_id=self.connection_id,
            cursor=cursor,
            count=count,
        )
