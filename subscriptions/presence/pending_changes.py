"""What the database is still to be told of one process's connections: who came, went or changed since.

Sans-I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K")


class ConnectionStats(NamedTuple):
    """Of one connection: events sent, bytes waiting, seconds for which its client has taken nothing of them or it has
    been behind, and events of the logs that it hears and that are not even waiting yet."""

    sent_events: int = 0
    queued_bytes: int = 0
    stalled_seconds: int = 0
    lag_events: int = 0


NO_STATS = ConnectionStats()


@dataclass(frozen=True, slots=True)
class Changes(Generic[K]):
    """What is to be written and what to be deleted."""

    written: frozenset[K]
    deleted: frozenset[K]

    def __bool__(self) -> bool:
        return bool(self.written or self.deleted)


class PendingChanges(Generic[K]):
    """The connections of one process, by a key. The database may get to know what is said to be untold, or not."""

    def __init__(self) -> None:
        self._open: set[K] = set()
        self._dirty: set[K] = set()
        self._maybe_stored: set[K] = set()

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, key: K) -> None:
        """It has come."""
        self._open.add(key)
        self._dirty.add(key)

    def changed(self, key: K) -> None:
        """Something of it that is stored is different now."""
        if key in self._open:
            self._dirty.add(key)

    def closed(self, key: K) -> None:
        """It has gone."""
        self._open.discard(key)
        self._dirty.discard(key)

    @property
    def is_dirty(self) -> bool:
        """Whether there is more than was taken."""
        return bool(self._dirty)

    def take(self, most: int) -> Changes[K]:
        """What is to be told now, at most so many of each; `told` or `failed` says what became of it."""
        written = frozenset(islice(self._dirty, most))
        changes = Changes(written, frozenset(islice(self._maybe_stored - self._open, most)))
        self._dirty -= written
        # Also where telling fails: it may have come through all the same.
        self._maybe_stored |= changes.written
        return changes

    def stored(self, changes: Changes[K]) -> None:
        """It is stored."""
        self._maybe_stored -= changes.deleted

    def failed(self, changes: Changes[K]) -> None:
        """It may not be stored: it is to be told again."""
        self._dirty |= changes.written & self._open

    def reset(self) -> None:
        """The database has nothing of this process any more: everything is to be told again."""
        self._dirty = set(self._open)
        self._maybe_stored.clear()
