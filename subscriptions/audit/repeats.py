"""Aggregation of repeats, so that a flood of refusals does not flood the audit log.

Sans-I/O.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

WINDOW_SECONDS = 60.0

K = TypeVar("K", bound=Hashable)
S = TypeVar("S")


@dataclass(slots=True)
class Repeat(Generic[K, S]):
    """How often a kind was repeated, and the last repeat."""

    kind: K
    count: int
    sample: S


class Repeats(Generic[K, S]):
    """What was repeated in one process.

    The first of a kind is recorded at once, its repeats once a minute. `wider` returns a more general kind, or
    `None` for the most general one. Within a minute at most `max_kinds` kinds of each more general kind are counted
    separately; further ones are counted together, as that kind.
    """

    def __init__(self, wider: Callable[[K], K | None], *, max_kinds: int) -> None:
        self._wider = wider
        self._max_kinds = max_kinds
        self._began_at = 0.0
        self._repeats: dict[K, Repeat[K, S]] = {}
        self._places: set[K] = set()
        self._kinds_of: Counter[K] = Counter()

    def add(self, kind: K, sample: S, now: float, count: int = 1) -> bool:
        """Count what happened; return whether it has to be recorded at once. `now` is in seconds."""
        if not self._repeats:
            self._began_at = now
        counted_as = self._counted_as(kind)
        found = self._repeats.get(counted_as)
        if found is None:
            found = self._repeats[counted_as] = Repeat(counted_as, 0, sample)
            if counted_as == kind:
                return True
        found.count += count
        found.sample = sample
        return False

    def _counted_as(self, kind: K) -> K:
        """Return the kind, or the wider one that has no place for it."""
        if kind in self._places:
            return kind
        if (wider := self._wider(kind)) is not None:
            if (place := self._counted_as(wider)) != wider:
                return place
            if self._kinds_of[wider] >= self._max_kinds:
                return wider
            self._kinds_of[wider] += 1
        self._places.add(kind)
        return kind

    def due(self, now: float) -> bool:
        """Return whether the window has ended."""
        return bool(self._repeats) and now >= self._began_at + WINDOW_SECONDS

    def take(self) -> list[Repeat[K, S]]:
        """Return the repeats that are not recorded yet, and begin a new window."""
        repeats, self._repeats = self._repeats, {}
        self._places.clear()
        self._kinds_of.clear()
        return [each for each in repeats.values() if each.count]

    def put_back(self, repeats: Sequence[Repeat[K, S]], now: float) -> None:
        """Count repeats again that could not be recorded."""
        if repeats and not self._repeats:
            self._began_at = now
        for each in repeats:
            found = self._repeats.setdefault(each.kind, Repeat(each.kind, 0, each.sample))
            found.count += each.count
