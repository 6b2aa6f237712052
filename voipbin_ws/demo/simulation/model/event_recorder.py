"""What happened in a simulated centre: events in order, with times, ids and keys that follow from the seed."""

from __future__ import annotations

import heapq
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from events.domain.event import format_timestamp

KEY_PREFIX: Final = "simulate-"
"""How the idempotency key of every simulated event begins."""


@dataclass(frozen=True, slots=True)
class SimulatedEvent:
    """One event to publish. `key` is its idempotency key: the same however often it is sent."""

    at: datetime
    event_type: str
    data: Mapping[str, Any]
    agent_ids: tuple[str, ...]
    key: str

    def item(self) -> dict[str, Any]:
        """As `POST /v1.0/events` takes it."""
        item: dict[str, Any] = {
            "event_type": self.event_type,
            "customer_id": self.data["customer_id"],
            "data": self.data,
            "timestamp": format_timestamp(self.at),
            "idempotency_key": self.key,
        }
        return item | {"agent_ids": list(self.agent_ids)} if self.agent_ids else item


class Timer:
    """Something that will be done, unless it is cancelled first."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], object]) -> None:
        self.action: Callable[[], object] | None = action

    def cancel(self) -> None:
        self.action = None


class EventRecorder:
    """The story so far, and what the tellers share: the time, the random and fresh ids.

    The same seed makes the same story; ids and keys follow from the seed and from `start`, so that the same story
    told later is about other calls.
    """

    def __init__(self, customer_id: str, seed: str, start: datetime) -> None:
        self.customer_id = customer_id
        self.random = random.Random(f"{seed} {customer_id}")
        self.seconds = 0.0
        """Since the story began."""
        self._start = start
        self._numbers = count()
        self._due: list[tuple[float, int, Timer]] = []
        self._run_name = f"{seed} {customer_id} {start.isoformat()}"
        self._ids = random.Random(self._run_name)
        self._run = self.new_id()
        self._recorded = 0
        self._pending: list[SimulatedEvent] = []

    # --- Time ---

    def run(self, until: float) -> None:
        """Do all that is due up to `until`, and be there."""
        while (at := self.next_at()) is not None and at <= until:
            timer = heapq.heappop(self._due)[2]
            self.seconds = at
            action, timer.action = timer.action, None
            if action is not None:
                action()
        self.seconds = max(self.seconds, until)

    def next_at(self) -> float | None:
        """When something is due next; none when nothing is."""
        while self._due and self._due[0][2].action is None:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def after(self, seconds: float, action: Callable[[], object]) -> Timer:
        """Have `action` done in `seconds`; of two that are due at once the earlier asked for comes first."""
        timer = Timer(action)
        heapq.heappush(self._due, (self.seconds + max(seconds, 0.0), next(self._numbers), timer))
        return timer

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.seconds)

    def stamp(self) -> str:
        """Now, as it stands in events."""
        return format_timestamp(self.now())

    # --- Chance ---

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    def between(self, least: float, most: float) -> float:
        return self.random.uniform(least, most)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def draw(self, span: tuple[float, float, float]) -> float:
        """Seconds from a profile's span."""
        return self.random.triangular(*span)

    # --- Events ---

    def record(self, event_type: str, data: Mapping[str, Any], agent_ids: tuple[str, ...] = ()) -> None:
        """Add an event that happens now. The customer's id stands in the data of each."""
        self._recorded += 1
        data = {"customer_id": self.customer_id, **data}
        key = f"{KEY_PREFIX}{self._run}-{self._recorded}"
        self._pending.append(SimulatedEvent(self.now(), event_type, data, agent_ids, key))

    def take(self) -> list[SimulatedEvent]:
        """What was told since this was last asked."""
        events, self._pending = self._pending, []
        return events
