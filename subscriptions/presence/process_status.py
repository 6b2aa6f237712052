"""The status of one process: rates, lag, queues, and its last warnings.

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
    """A logged warning or error; `at` is in seconds since 1970."""

    at: float
    level: str
    words: str


class Troubles:
    """The last warnings and errors. Thread-safe."""

    def __init__(self) -> None:
        self._last: deque[Trouble] = deque(maxlen=TROUBLES_KEPT)

    def note(self, at: float, level: str, text: str) -> None:
        """Add an entry; the text must not contain credentials."""
        self._last.append(Trouble(at, level, text[:MAX_TROUBLE_CHARACTERS]))

    def lately(self, now: float) -> list[Trouble]:
        """Return the entries of the last hour, oldest first."""
        return [trouble for trouble in list(self._last) if now - trouble.at < TROUBLES_SECONDS]


troubles = Troubles()
"""The entries of this process."""


class Rate:
    """The growth of a counter per minute. `count` returns its present value.

    Times are in seconds of a monotonic clock.
    """

    def __init__(self, count: Callable[[], int], now: float) -> None:
        self._count = count
        self._samples: deque[tuple[float, int]] = deque([(now, count())])

    def a_minute(self, now: float) -> float:
        """Return the growth over the last minute, or the mean since the last call if longer."""
        count = self._count()
        self._samples.append((now, count))
        while len(self._samples) > 2 and now - self._samples[1][0] >= WINDOW_SECONDS:
            self._samples.popleft()
        since, before = self._samples[0]
        return (count - before) * WINDOW_SECONDS / max(WINDOW_SECONDS, now - since)


@dataclass(frozen=True, slots=True)
class ProcessState:
    """The status of one process; what an older version does not store has its default."""

    lease_seconds: float = 0.0
    events_a_minute: float = 0.0
    deliveries_a_minute: float = 0.0
    late_events: int = 0
    late_seconds: float = 0.0
    silent_seconds: float = 0.0
    """How long no announcement has arrived through the channel layer; 0 while it works."""
    audit_waiting: int = 0
    audit_lost: int = 0
    is_draining: bool = False
    troubles: tuple[Trouble, ...] = ()

    def as_json(self) -> str:
        """Encode the status for `from_json`."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> ProcessState:
        """Decode a status that any version has stored; unknown fields are ignored."""
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
