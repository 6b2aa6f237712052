"""How one process does, as it tells operators with each beat: rates, what is late, what waits, and what went wrong.

Sans-I/O.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields

WINDOW_SECONDS = 60.0
TROUBLES_KEPT = 20
TROUBLES_SECONDS = 3600.0
MAX_TROUBLE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that was logged as a warning or worse, at a time in seconds since 1970."""

    at: float
    level: str
    words: str


class Troubles:
    """The last of them, from any thread."""

    def __init__(self) -> None:
        self._last: deque[Trouble] = deque(maxlen=TROUBLES_KEPT)

    def note(self, at: float, level: str, words: str) -> None:
        """Add one; the words must have no credential."""
        self._last.append(Trouble(at, level, words[:MAX_TROUBLE_CHARACTERS]))

    def lately(self, now: float) -> list[Trouble]:
        """Those of the last hour, the oldest first."""
        return [trouble for trouble in list(self._last) if now - trouble.at < TROUBLES_SECONDS]


troubles = Troubles()
"""Those of this process."""


class Rate:
    """How much a count has grown in the last minute; `count` says what it is now.

    Times are in seconds of any steady clock.
    """

    def __init__(self, count: Callable[[], int], now: float) -> None:
        self._count = count
        self._samples: deque[tuple[float, int]] = deque([(now, count())])

    def a_minute(self, now: float) -> float:
        """By what was seen at earlier calls; after a longer time without any it is the mean of that time."""
        count = self._count()
        self._samples.append((now, count))
        while len(self._samples) > 2 and now - self._samples[1][0] >= WINDOW_SECONDS:
            self._samples.popleft()
        since, before = self._samples[0]
        return (count - before) * WINDOW_SECONDS / max(WINDOW_SECONDS, now - since)


@dataclass(frozen=True, slots=True)
class ProcessState:
    """The numbers of one process; times in seconds. What an older version does not tell is as if all were well."""

    lease_seconds: float = 0.0
    events_a_minute: float = 0.0
    deliveries_a_minute: float = 0.0
    late_events: int = 0
    late_seconds: float = 0.0
    silent_seconds: float = 0.0
    """For how long the channel layer has been silent; 0 while it is heard."""
    audit_waiting: int = 0
    audit_lost: int = 0
    is_draining: bool = False
    troubles: tuple[Trouble, ...] = ()

    def as_json(self) -> str:
        """Text for `from_json`."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> ProcessState:
        """What this version knows of what any version stored."""
        stored = json.loads(text)
        known = {field.name for field in fields(cls)}
        stored["troubles"] = _troubles(stored.get("troubles", ()))
        return cls(**{name: value for name, value in stored.items() if name in known})


def _troubles(stored: Iterable[dict[str, object]]) -> tuple[Trouble, ...]:
    return tuple(
        Trouble(float(str(each["at"])), str(each["level"]), str(each["words"]))
        for each in stored
        if each.keys() >= {"at", "level", "words"}
    )
