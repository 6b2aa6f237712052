"""Which refusals of WebSockets are repeats, and the record that stands for them."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from subscriptions.audit.repeats import Repeat, Repeats
from subscriptions.models import NO_CONNECTION, AuditAction, AuditRecord, AuditVerdict
from subscriptions.protocol.limits import network_of

MAX_KINDS = 20
"""Refusals with records of their own, of one credential and address, and of these for one customer, by rule."""


class Refused(NamedTuple):
    """What refusals with one record have in common; `network` is that of the address."""

    action: str
    rule: str
    customer_id: uuid.UUID | str | None
    agent_id: uuid.UUID | str | None = None
    credential: str = ""
    network: str = ""
    connection_id: uuid.UUID = NO_CONNECTION
    topic: str = ""


Refusals = Repeats[Refused, AuditRecord]


def refusals() -> Refusals:
    """Return the empty aggregation of a process."""
    return Repeats(_wider, max_kinds=MAX_KINDS)


def kind_of(record: AuditRecord) -> Refused | None:
    """Return the kind of a refusal; `None` for a record of anything else."""
    if record.verdict != AuditVerdict.REFUSED:
        return None
    wide = Refused(
        record.action,
        record.rule,
        record.customer_id,
        record.agent_id,
        record.credential,
        network_of(record.address),
    )
    if record.action == AuditAction.REFUSE:
        return wide  # Each handshake would be a connection of its own.
    return wide._replace(connection_id=record.connection_id, topic=record.topic)


def _wider(kind: Refused) -> Refused | None:
    if kind.connection_id != NO_CONNECTION:
        return kind._replace(connection_id=NO_CONNECTION, topic="")
    if kind.network or kind.credential or kind.agent_id:
        return Refused(kind.action, kind.rule, kind.customer_id)
    return None


def record_of(repeat: Repeat[Refused, AuditRecord]) -> AuditRecord:
    """Return the record of repeated refusals, with the connection of the last one."""
    kind, last = repeat.kind, repeat.sample
    is_wide = not kind.topic and bool(last.topic)
    return AuditRecord(
        action=kind.action,
        verdict=AuditVerdict.REFUSED,
        topic=kind.topic,
        rule=kind.rule,
        detail=f"The last one: {last.topic}"[:300] if is_wide else last.detail,
        customer_id=kind.customer_id,
        agent_id=kind.agent_id,
        credential=kind.credential,
        address=last.address if kind.network else "",
        client=last.client if kind.network else "",
        connection_id=last.connection_id,
        count=repeat.count,
    )
