"""The audit log in the database: appending to its chain, verifying the chain, and removing what is too old."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from events.database.direct_sql import find_rows, insert_rows, update_rows
from subscriptions.audit.chain import End, Finding, Link, Verifier, pruning_detail, seal
from subscriptions.models import AuditAction, AuditChain, AuditRecord, AuditVerdict

CHAIN_ID = 1
ROWS_AT_ONCE = 1000
SEALED_FIELDS = (
    *("at", "action", "verdict", "topic", "rule", "detail", "customer_id", "agent_id"),
    *("credential", "address", "client", "connection_id", "cursor"),
)
"""All that a record says; a field that is added later belongs here, at the end."""


def append(records: Sequence[AuditRecord]) -> None:
    """Store these as the next links of the chain, in one transaction."""
    if not records:
        return
    with transaction.atomic():
        chain = _locked_chain()
        for record in records:
            chain.position += 1
            chain.digest = seal(chain.digest, chain.position, content_of(record))
            record.position, record.digest = chain.position, chain.digest
        insert_rows(records)
        update_rows([chain], changed=["position", "digest"])


def _locked_chain() -> AuditChain:
    found = find_rows(AuditChain, {"id": [CHAIN_ID]}, lock=True)
    if not found:
        # Another process may make it at this moment: whoever comes second locks the first one's.
        AuditChain.objects.bulk_create([AuditChain(pk=CHAIN_ID)], ignore_conflicts=True)
        found = find_rows(AuditChain, {"id": [CHAIN_ID]}, lock=True)
    return found[0]


def content_of(record: AuditRecord) -> tuple[str | None, ...]:
    """What a record is sealed over: the same before it is stored and when it is read, on every database."""
    return tuple(_canonical(getattr(record, name)) for name in SEALED_FIELDS)


def _canonical(value: Any) -> str | None:
    match value:
        case None:
            return None
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
        case uuid.UUID():
            return str(value)
    return str(value)


def has_valid_seal(record: AuditRecord) -> bool:
    """Whether a record of the chain fits its seal and the record before it, as far as that is kept."""
    if record.position is None:
        return False
    before = AuditRecord.objects.filter(pk__lt=record.pk).order_by("-pk").first()
    floor, _ = chain_ends()
    if before is None:
        end = floor
    elif before.position == record.position - 1:
        end = End(record.position - 1, before.digest)
    else:
        return False
    return seal(end.digest, record.position, content_of(record)) == record.digest


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found: `count` records from after `floor` up to `head`, and the first of `damaged` findings."""

    count: int
    floor: End
    head: End
    damaged: int
    findings: Sequence[Finding]
    is_noted_head: bool | None
    """Whether the head that was noted outside is still in the chain; none where none was given or it was pruned."""


def verify(noted: End | None = None) -> Verification:
    """Read the whole audit log and check its chain, beside gateways that write on."""
    while True:
        before = chain_ends()
        verification = _verify(before[0], noted)
        # What a pruning removed meanwhile is not missing.
        if not verification.findings or chain_ends()[0] == before[0]:
            return verification


def chain_ends() -> tuple[End, End]:
    """The chain's floor and its head, as the gateway keeps them."""
    chain = AuditChain.objects.filter(pk=CHAIN_ID).first() or AuditChain()
    return End(chain.floor_position, chain.floor_digest), End(chain.position, chain.digest)


def _verify(floor: End, noted: End | None) -> Verification:
    verifier = Verifier(floor)
    last_id, pruned = 0, ""
    is_noted = None if noted is None or noted.position <= floor.position else False
    while True:
        # The head first: all records up to it can be read then, and nothing but later ones besides.
        head = chain_ends()[1]
        rows = list(AuditRecord.objects.filter(pk__gt=last_id).order_by("pk")[:ROWS_AT_ONCE])
        if not rows:
            break
        for row in rows:
            verifier.take(Link(row.pk, row.position, row.digest, content_of(row)))
            if noted is not None and (row.position, row.digest) == (noted.position, noted.digest):
                is_noted = True
            if row.action == AuditAction.PRUNE:
                pruned = row.detail
        last_id = rows[-1].pk
    verifier.finish(head)
    if floor.position and pruned != pruning_detail(floor):
        verifier.find_unrecorded_pruning(floor)
    return Verification(verifier.count, floor, verifier.end, verifier.damaged, verifier.findings, is_noted)


class BrokenChain(Exception):
    """What was to be removed is not as it was written; nothing of it was removed."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def prune(before: dt.datetime) -> int:
    """Remove the records from before this moment, but never the last one; returns how many.

    The chain goes on from the last that was removed, and a record says so.

    Raises:
        BrokenChain: there is damage among them, whose traces would go with them.
    """
    removed = 0
    while count := _prune_batch(before):
        removed += count
    return removed


def _prune_batch(before: dt.datetime) -> int:
    with transaction.atomic():
        chain = _locked_chain()
        rows = list(AuditRecord.objects.order_by("pk")[: ROWS_AT_ONCE + 1])
        verifier = Verifier(End(chain.floor_position, chain.floor_digest))
        old: list[int] = []
        for row in rows[:-1]:
            # In the order of the chain: a clock that was wrong once makes no hole in it.
            if row.at >= before:
                break
            verifier.take(Link(row.pk, row.position, row.digest, content_of(row)))
            if verifier.findings:
                raise BrokenChain(verifier.findings[0])
            old.append(row.pk)
        if not old:
            return 0
        AuditRecord.objects.filter(pk__lte=old[-1]).delete()
        chain.floor_position, chain.floor_digest = verifier.end.position, verifier.end.digest
        chain.save(update_fields=["floor_position", "floor_digest"])
        append(
            [
                AuditRecord(
                    action=AuditAction.PRUNE,
                    verdict=AuditVerdict.ENDED,
                    rule="retention",
                    detail=pruning_detail(verifier.end),
                    connection_id=uuid.uuid4(),
                )
            ]
        )
        return len(old)
