"""Virtual time: what is due when, done in that order, as fast as it is asked for."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class Timer:
    """Something that will be done, unless it is cancelled first."""

    __slots__ = ("_action",)

    def __init__(self, action: Callable[[], object]) -> None:
        self._action: Callable[[], object] | None = action

    @property
    def waiting(self) -> bool:
        return self._action is not None

    def cancel(self) -> None:
        self._action = None

    def fire(self) -> None:
        action, self._action = self._action, None
        if action is not None:
            action()


class Timeline:
    """`now` is in seconds since the story began."""

    def __init__(self) -> None:
        self.now = 0.0
        self._numbers = count()
        self._due: list[tuple[float, int, Timer]] = []

    def after(self, seconds: float, action: Callable[[], object]) -> Timer:
        """Have `action` done in `seconds`; of two that are due at once the earlier asked for comes first."""
        timer = Timer(action)
        heapq.heappush(self._due, (self.now + max(seconds, 0.0), next(self._numbers), timer))
        return timer

    def next_at(self) -> float | None:
        """When something is due next; none when nothing is."""
        while self._due and not self._due[0][2].waiting:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def run(self, until: float) -> None:
        """Do all that is due up to `until`, and be there."""
        while (at := self.next_at()) is not None and at <= until:
            timer = heapq.heappop(self._due)[2]
            self.now = at
            timer.fire()
        self.now = max(self.now, until)
