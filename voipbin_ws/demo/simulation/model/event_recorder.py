"""Virtual time, randomness and recorded events of one simulated contact centre."""

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
"""Prefix of the idempotency key of every simulated event."""


@dataclass(frozen=True, slots=True)
class SimulatedEvent:
    """One event to publish. `key` is its idempotency key, the same for each attempt."""

    at: datetime
    event_type: str
    data: Mapping[str, Any]
    agent_ids: tuple[str, ...]
    key: str

    def item(self) -> dict[str, Any]:
        """Return the event as an item of the body of `POST /v1.0/events`."""
        item: dict[str, Any] = {
            "event_type": self.event_type,
            "customer_id": self.data["customer_id"],
            "data": self.data,
            "timestamp": format_timestamp(self.at),
            "idempotency_key": self.key,
        }
        return item | {"agent_ids": list(self.agent_ids)} if self.agent_ids else item


class Timer:
    """A scheduled action. `action` is `None` once it ran or was cancelled."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], object]) -> None:
        self.action: Callable[[], object] | None = action

    def cancel(self) -> None:
        self.action = None


class EventRecorder:
    """The clock, the schedule, the random numbers and the events of one contact centre.

    The same seed yields the same events. Ids and keys follow from the seed and `start`, so that a later run of the same
    seed is about other calls.
    """

    def __init__(self, customer_id: str, seed: str, start: datetime) -> None:
        self.customer_id = customer_id
        self.random = random.Random(f"{seed} {customer_id}")
        self.seconds = 0.0
        """Virtual time, in seconds since the start."""
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
        """Run all actions due up to `until` seconds, and set the clock to it."""
        while self._due and self._due[0][0] <= until:
            at, _, timer = heapq.heappop(self._due)
            if (action := timer.action) is not None:
                self.seconds, timer.action = at, None
                action()
        self.seconds = max(self.seconds, until)

    def next_at(self) -> float | None:
        """Return the time of the next action in seconds, or `None` if none is scheduled."""
        while self._due and self._due[0][2].action is None:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def after(self, seconds: float, action: Callable[[], object]) -> Timer:
        """Schedule `action` in `seconds`; of two due at once the first scheduled runs first."""
        timer = Timer(action)
        heapq.heappush(self._due, (self.seconds + max(seconds, 0.0), next(self._numbers), timer))
        return timer

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.seconds)

    def stamp(self) -> str:
        """Return the current time as events carry it."""
        return format_timestamp(self.now())

    # --- Chance ---

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    def between(self, least: float, most: float) -> float:
        return self.random.uniform(least, most)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def draw(self, span: tuple[float, float, float]) -> float:
        """Return a random number of seconds from a profile's span."""
        return self.random.triangular(*span)

    # --- Events ---

    def record(self, event_type: str, data: Mapping[str, Any], agent_ids: tuple[str, ...] = ()) -> None:
        """Record an event at the current time, with the customer's id in its data."""
        self._recorded += 1
        data = {"customer_id": self.customer_id, **data}
        key = f"{KEY_PREFIX}{self._run}-{self._recorded}"
        self._pending.append(SimulatedEvent(self.now(), event_type, data, agent_ids, key))

    def take(self) -> list[SimulatedEvent]:
        """Return the events recorded since the last call."""
        events, self._pending = self._pending, []
        return events
