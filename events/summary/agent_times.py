"""The status of an agent, and how long the agent was occupied or free in the last hour."""

from __future__ import annotations

from dataclasses import dataclass, field

from events.summary.counts import BUCKET_SECONDS, bucket_of, hour_before

KINDS = ("available", "busy", "away", "offline")

_OCCUPIED, _FREE = 0, 1
_COUNTED = {"busy": _OCCUPIED, "available": _FREE}


def kind_of(status: str) -> str:
    """Return the kind of a status. Platforms have more words for "away"."""
    if status == "available":
        return "available"
    if status in ("busy", "ringing"):
        return "busy"
    return "offline" if status in ("", "offline") else "away"


@dataclass(slots=True)
class AgentTimes:
    """An agent's status, since when, and the seconds occupied and free by bucket."""

    status: str
    since: float
    seconds: dict[int, list[float]] = field(default_factory=dict)

    def change(self, status: str, at: float) -> None:
        """Change the status."""
        if status == self.status:
            return
        self._add(self.seconds, at)
        self.status, self.since = status, at
        oldest = hour_before(at) - BUCKET_SECONDS
        for start in [each for each in self.seconds if each < oldest]:
            del self.seconds[start]

    def last_hour(self, now: float) -> tuple[float, float]:
        """Return the seconds occupied and free in the last hour."""
        first = hour_before(now)
        present: dict[int, list[float]] = {}
        self._add(present, now)
        parts = [
            pair
            for times in (self.seconds, present)
            for start, pair in times.items()
            if first <= start <= now
        ]
        return sum(pair[_OCCUPIED] for pair in parts), sum(pair[_FREE] for pair in parts)

    def _add(self, seconds: dict[int, list[float]], until: float) -> None:
        """Add the time in the present status, as far as it can be within the last hour."""
        index = _COUNTED.get(kind_of(self.status))
        if index is None:
            return
        begin = max(self.since, hour_before(until) - BUCKET_SECONDS)
        while begin < until:
            start = bucket_of(begin)
            end = min(until, start + BUCKET_SECONDS)
            seconds.setdefault(start, [0.0, 0.0])[index] += end - begin
            begin = end
