"""The audit log's chain: each record sealed with a digest over itself and the one before, and what is wrong with it.

Sans-I/O.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_FINDINGS = 20
"""Findings that are kept; the others are counted."""


def seal(previous: str, position: int, content: Sequence[str | None]) -> str:
    """The digest of a record: SHA-256, in hex, over the digest before it, its place in the chain and its content."""
    sealed = json.dumps([previous, position, *content], separators=(",", ":"))
    return hashlib.sha256(sealed.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Link:
    """A stored record. `position` is none where it has no place in the chain."""

    id: int
    position: int | None
    digest: str
    content: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class End:
    """One end of the chain: the place and the digest of a record, or of none before the first."""

    position: int
    digest: str

    def __str__(self) -> str:
        return f"{self.position}:{self.digest}"


class Damage(StrEnum):
    """What was done to the log."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where the log is not as it was written. `positions` are the first and last place, `id` the row's."""

    damage: Damage
    positions: tuple[int, int] | None
    id: int | None
    message: str


class Verifier:
    """Follows the chain from `floor`, the last record that was removed as too old; links come in the order of rows."""

    def __init__(self, floor: End) -> None:
        self.damaged = 0
        self.findings: list[Finding] = []
        self.end = floor
        self.count = 0
        self._before = floor
        self._last_id: int | None = None
        self._last_fits = True

    def take(self, link: Link) -> None:
        """Look at the next record."""
        self.count += 1
        position = link.position
        if position is None:
            self._find(
                Damage.INSERTED, None, link.id, f"Record {link.id} is no link of the chain: it was inserted"
            )
            return
        if position <= self.end.position:
            self._take_duplicate(link, position)
            return
        missing = self.end.position + 1, position - 1
        if missing[0] <= missing[1]:
            self._find(
                Damage.REMOVED, missing, None, f"{_records(*missing)} removed, before record {link.id}"
            )
            # What it was sealed with is gone, so it cannot be checked itself.
            self._accept(link, position, fits=True)
            return
        fits = seal(self.end.digest, position, link.content) == link.digest
        if not fits:
            message = f"Record {link.id} (number {position}) was changed, or the seal of the one before it"
            self._find(Damage.CHANGED, (position, position), link.id, message)
        self._accept(link, position, fits=fits)

    def _take_duplicate(self, link: Link, position: int) -> None:
        """A second record of one number: the one that does not fit is the one that was inserted."""
        is_genuine = (
            position == self.end.position
            and not self._last_fits
            and seal(self._before.digest, position, link.content) == link.digest
        )
        inserted = self._last_id if is_genuine else link.id
        if is_genuine:
            self.damaged -= 1
            del self.findings[self.damaged :]
            self.end = End(position, link.digest)
            self._last_id, self._last_fits = link.id, True
        self._find(
            Damage.INSERTED,
            (position, position),
            inserted,
            f"Record {inserted} was inserted: number {position} is another record's",
        )

    def _accept(self, link: Link, position: int, *, fits: bool) -> None:
        self._before, self.end = self.end, End(position, link.digest)
        self._last_id, self._last_fits = link.id, fits

    def finish(self, head: End) -> None:
        """Compare with where the gateway says that the chain ends."""
        if head.position > self.end.position:
            missing = self.end.position + 1, head.position
            self._find(Damage.REMOVED, missing, None, f"{_records(*missing)} removed, at the end")
        elif head.position < self.end.position:
            added = head.position + 1, self.end.position
            self._find(
                Damage.INSERTED, added, self._last_id, f"{_records(*added)} appended, past the chain's end"
            )
        elif head.digest != self.end.digest:
            self._find(
                Damage.CHANGED,
                (head.position, head.position),
                self._last_id,
                f"Record {self._last_id} (number {head.position}), the last one, is not what the chain ends with",
            )

    def find_unrecorded_pruning(self, floor: End) -> None:
        """Note that the chain begins after `floor`, and that no record says so."""
        message = f"{_records(1, floor.position)} removed, and not by manage.py prune_audit"
        self._find(Damage.REMOVED, (1, floor.position), None, message)

    def _find(self, damage: Damage, positions: tuple[int, int] | None, row: int | None, message: str) -> None:
        self.damaged += 1
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(damage, positions, row, message))


def _records(first: int, last: int) -> str:
    if first == last:
        return f"The record with number {first} was"
    return f"The records with numbers {first} to {last} were"


def pruning_detail(floor: End) -> str:
    """What the record of a pruning says, so that a floor that nobody recorded shows."""
    return f"all up to number {floor}"
