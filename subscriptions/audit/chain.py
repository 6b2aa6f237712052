"""The chain of the audit log, which shows what was changed, removed or inserted.

Sans-I/O.

Each record is sealed with a digest over its content and the digest of the record before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_FINDINGS = 20
"""Findings that are kept; further ones are only counted."""


def seal(previous: str, position: int, content: Sequence[str | None]) -> str:
    """Return a record's digest: SHA-256 in hex over the previous digest, position and content."""
    sealed = json.dumps([previous, position, *content], separators=(",", ":"))
    return hashlib.sha256(sealed.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Link:
    """A stored record; `position` is `None` if the record is not part of the chain."""

    id: int
    position: int | None
    digest: str
    content: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class End:
    """One end of the chain: the position and digest of a record, or 0 and FIRST_DIGEST."""

    position: int
    digest: str

    def __str__(self) -> str:
        return f"{self.position}:{self.digest}"


class Damage(StrEnum):
    """The kind of a manipulation."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"


@dataclass(frozen=True, slots=True)
class Finding:
    """A manipulated place of the log: first and last position, and the id of the row."""

    damage: Damage
    positions: tuple[int, int] | None
    id: int | None
    message: str


class Verifier:
    """Verifies the chain from `floor` on, the last record that was pruned.

    Links are taken in the order of their rows.
    """

    def __init__(self, floor: End) -> None:
        self.damaged = 0
        self.findings: list[Finding] = []
        self.end = floor
        self.count = 0
        self._before = floor
        self._last_id: int | None = None
        self._last_fits = True

    def take(self, link: Link) -> None:
        """Verify the next record."""
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
            # The digest that it was sealed with is missing, so the record itself cannot be verified.
            self._accept(link, position, fits=True)
            return
        fits = seal(self.end.digest, position, link.content) == link.digest
        if not fits:
            message = f"Record {link.id} (number {position}) was changed, or the seal of the one before it"
            self._find(Damage.CHANGED, (position, position), link.id, message)
        self._accept(link, position, fits=fits)

    def _take_duplicate(self, link: Link, position: int) -> None:
        """Find out which of two records with the same position was inserted."""
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
        """Compare the last record with the head of the chain as the gateway stored it."""
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
        """Add the finding that the log was pruned up to `floor` without a record of it."""
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
    """Return the detail of the record of a pruning, by which a forged floor is found."""
    return f"all up to number {floor}"
