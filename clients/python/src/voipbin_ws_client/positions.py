"""How far a client has heard its logs: where it goes on after a break, and what it was given before.

Sans-I/O. A connection of one customer has one log, platform staff may hear several; each log numbers its
events. An event's cursor names its own log alone, so the newest number of each is kept. The cursor of an ack or a
pong is complete: it has every log that the connection hears, up to where all of it has been sent.

Topics are resumed in chunks, and the server replays one chunk after the other. A later chunk's replay goes back to
where the first one began; so while not all chunks are acknowledged the positions stay, and what is delivered
meanwhile is remembered. Should the connection break then, all is resumed from the old positions, and what was
remembered is not delivered again. With one chunk, of up to a hundred topics, the positions alone do all that.
"""

from __future__ import annotations

from collections.abc import Mapping

from events.domain.cursor import Position, join_positions


class _Numbers:
    """Numbers of one log, let go all together once the position has passed the highest."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()
        self.highest = -1

    def __contains__(self, seq: int) -> bool:
        return seq in self._numbers

    def add(self, seq: int) -> None:
        self._numbers.add(seq)
        self.highest = max(self.highest, seq)

    def update(self, other: _Numbers) -> None:
        self._numbers |= other._numbers
        self.highest = max(self.highest, other.highest)


class Progress:
    """Positions by epoch, and the numbers above them that were delivered all the same."""

    def __init__(self, positions: Mapping[str, int]) -> None:
        self._positions = dict(positions)
        self._delivered: dict[str, _Numbers] = {}
        self._before: dict[str, _Numbers] = {}
        self._starts: dict[str, int] = {}

    @property
    def cursor(self) -> str | None:
        """From where to go on; none where nothing was heard yet."""
        return join_positions(Position(*each) for each in sorted(self._positions.items())) or None

    def begin(self) -> None:
        """A new connection: what was delivered until now is not to be delivered again."""
        for epoch, numbers in self._delivered.items():
            self._before.setdefault(epoch, _Numbers()).update(numbers)
        self._delivered = {}
        for epoch, seq in self._positions.items():
            self._passed(epoch, seq)
        self._starts = dict(self._positions)

    def is_repetition(self, positions: Mapping[str, int]) -> bool:
        """Whether an event was delivered on an earlier connection already.

        What one connection sends twice is a broken promise of the server and none of this: it is not hidden.
        """
        return any(
            seq <= self._starts.get(epoch, -1) or seq in self._before.get(epoch, ())
            for epoch, seq in positions.items()
        )

    def delivered(self, positions: Mapping[str, int], *, resuming: bool) -> None:
        """An event was delivered; while `resuming`, others before it may still come."""
        for epoch, seq in positions.items():
            if resuming:
                self._delivered.setdefault(epoch, _Numbers()).add(seq)
            else:
                self._positions[epoch] = seq
                self._passed(epoch, seq)

    def complete(self, positions: Mapping[str, int]) -> None:
        """Everything up to this complete cursor was delivered."""
        self._positions = dict(positions)

    def not_recovered(self, positions: Mapping[str, int]) -> None:
        """The server could not resume, and these are live from here on. Where a log has gone backwards, its old
        numbers mean nothing: the new events that bear them were never delivered."""
        for epoch, seq in positions.items():
            if seq < self._starts.get(epoch, -1):
                for remembered in (self._starts, self._before, self._delivered):
                    remembered.pop(epoch, None)

    def _passed(self, epoch: str, seq: int) -> None:
        if (before := self._before.get(epoch)) is not None and seq >= before.highest:
            del self._before[epoch]
