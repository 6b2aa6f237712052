"""The audit log in the database: appending to its chain, verifying and pruning it."""

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
"""The sealed content of a record."""
LATER_FIELDS = {"changes": "", "count": 1}
"""Fields that were added later, sealed only with another value than this.

So older records, and those of an older version that runs during an upgrade, keep their seals.
"""


def append(records: Sequence[AuditRecord]) -> None:
    """Store the records as the next links of the chain, in one transaction.

    Repeat it with the same objects after an outage: records whose commit was not answered are not stored twice.
    """
    if not records:
        return
    with transaction.atomic():
        chain = _locked_chain()
        if _is_stored(records[0]):
            return
        for record in records:
            chain.position += 1
            chain.digest = seal(chain.digest, chain.position, content_of(record))
            record.position, record.digest = chain.position, chain.digest
        insert_rows(records)
        update_rows([chain], changed=["position", "digest"])


def _is_stored(record: AuditRecord) -> bool:
    """Return whether an earlier `append` stored the record.

    Its digest is that of one place in the chain.
    """
    return bool(record.digest) and bool(
        find_rows(AuditRecord, {"connection_id": [record.connection_id], "digest": [record.digest]})
    )


def seal_unsealed() -> int:
    """Seal the records that a version without seals wrote during an upgrade.

    They have no place in the chain, and become its last links in their order. One more record says how many. Returns
    their number.
    """
    if not AuditRecord.objects.filter(position=None).exists():
        return 0
    with transaction.atomic():
        # Two processes may start at once: the second one finds nothing.
        _locked_chain()
        rows = list(AuditRecord.objects.filter(position=None).order_by("pk"))
        AuditRecord.objects.filter(pk__in=[row.pk for row in rows]).delete()
        for row in rows:
            row.pk, row.digest = None, ""
        if rows:
            detail = f"{len(rows)} records before this one came without a seal"
            append([*rows, _own_record(AuditAction.SEAL, "unsealed", detail)])
    return len(rows)


def _own_record(action: AuditAction, rule: str, detail: str) -> AuditRecord:
    return AuditRecord(
        action=action, verdict=AuditVerdict.ENDED, rule=rule, detail=detail, connection_id=uuid.uuid4()
    )


def _locked_chain() -> AuditChain:
    found = find_rows(AuditChain, {"id": [CHAIN_ID]}, lock=True)
    if not found:
        # Another process may create the row at the same moment: both lock the first one.
        AuditChain.objects.bulk_create([AuditChain(pk=CHAIN_ID)], ignore_conflicts=True)
        found = find_rows(AuditChain, {"id": [CHAIN_ID]}, lock=True)
    return found[0]


def content_of(record: AuditRecord) -> tuple[str | None, ...]:
    """Return the sealed content, the same before storing and after reading."""
    later = [name for name, absent in LATER_FIELDS.items() if getattr(record, name) != absent]
    content = [canonical(getattr(record, name)) for name in SEALED_FIELDS]
    return (*content, *(f"{name}={canonical(getattr(record, name))}" for name in later))


def canonical(value: Any) -> str | None:
    """Return the text of a field, the same on every database; `None` for `None`."""
    match value:
        case None:
            return None
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return str(value)


def has_valid_seal(record: AuditRecord) -> bool:
    """Return whether the record's digest matches its content and the record before it."""
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
    """The result: `count` records between `floor` and `head`, the first of `damaged` findings."""

    count: int
    floor: End
    head: End
    damaged: int
    findings: Sequence[Finding]
    is_noted_head: bool | None
    """Whether the head that was noted earlier is in the chain; `None` if not given or pruned."""


def verify(noted: End | None = None) -> Verification:
    """Verify the whole audit log, while gateways may append to it."""
    while True:
        before = chain_ends()
        verification = _verify(before[0], noted)
        # Repeated if the log was pruned meanwhile: those records are not missing.
        if not verification.findings or chain_ends()[0] == before[0]:
            return verification


def chain_ends() -> tuple[End, End]:
    """Return the floor and the head of the chain as the gateway stored them."""
    chain = AuditChain.objects.filter(pk=CHAIN_ID).first() or AuditChain()
    return End(chain.floor_position, chain.floor_digest), End(chain.position, chain.digest)


def _verify(floor: End, noted: End | None) -> Verification:
    verifier = Verifier(floor)
    last_id, pruned = 0, ""
    is_noted = None if noted is None or noted.position <= floor.position else False
    while True:
        # The head is read first, so that all records up to it can be read afterwards.
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
    """Records to prune were manipulated; the batch with them was not removed."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def prune(before: dt.datetime) -> int:
    """Remove the records from before this time but never the last one; return their number.

    The last removed record becomes the floor of the chain, which is recorded as well.

    Raises:
        BrokenChain: One of the records was manipulated, and pruning would remove the evidence.
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
            # The order of the chain counts: a wrong clock must not leave a gap.
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
        append([_own_record(AuditAction.PRUNE, "retention", pruning_detail(verifier.end))])
        return len(old)
