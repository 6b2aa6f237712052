"""The changes of one process's connections that are not stored in the database yet.

Sans-I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K")


class ConnectionStats(NamedTuple):
    """Numbers of one connection, stored as a JSON array.

    `stalled_seconds` is how long the client has read nothing of the queued bytes, or the connection has lagged;
    `lag_events` are events of its logs that are not queued yet.
    """

    sent_events: int = 0
    queued_bytes: int = 0
    stalled_seconds: int = 0
    lag_events: int = 0


NO_STATS = ConnectionStats()


@dataclass(frozen=True, slots=True)
class Changes(Generic[K]):
    """Keys of the connections to write and to delete."""

    written: frozenset[K]
    deleted: frozenset[K]

    def __bool__(self) -> bool:
        return bool(self.written or self.deleted)


class PendingChanges(Generic[K]):
    """Open connections by a key, and which of them are dirty.

    A write that failed may have been stored all the same, so its rows are deleted later in any case.
    """

    def __init__(self) -> None:
        self._open: set[K] = set()
        self._dirty: set[K] = set()
        self._maybe_stored: set[K] = set()

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, key: K) -> None:
        """Add a connection."""
        self._open.add(key)
        self._dirty.add(key)

    def changed(self, key: K) -> None:
        """Mark a connection as dirty."""
        if key in self._open:
            self._dirty.add(key)

    def closed(self, key: K) -> None:
        """Remove a connection."""
        self._open.discard(key)
        self._dirty.discard(key)

    @property
    def is_dirty(self) -> bool:
        """Whether connections are left to be written."""
        return bool(self._dirty)

    def take(self, most: int) -> Changes[K]:
        """Return at most `most` keys to write and to delete; call `stored` or `failed` with them."""
        written = frozenset(islice(self._dirty, most))
        changes = Changes(written, frozenset(islice(self._maybe_stored - self._open, most)))
        self._dirty -= written
        # Before the outcome is known: a failed commit may have succeeded.
        self._maybe_stored |= changes.written
        return changes

    def stored(self, changes: Changes[K]) -> None:
        """Confirm that the changes are stored."""
        self._maybe_stored -= changes.deleted

    def failed(self, changes: Changes[K]) -> None:
        """Mark the changes as dirty again: they may not be stored."""
        self._dirty |= changes.written & self._open

    def reset(self) -> None:
        """Mark everything as dirty: the database has no rows of this process any more."""
        self._dirty = set(self._open)
        self._maybe_stored.clear()
