"""What happened in a simulated centre: events in order, with times, ids and keys that follow from the seed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from events.domain.event import format_timestamp
from voipbin_ws.demo.simulation.model.timeline import Timeline, Timer

KEY_MARK: Final = "simulate-"
"""How the idempotency key of every simulated event begins."""


@dataclass(frozen=True, slots=True)
class Happening:
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


class Chronicle:
    """The story so far, and what the tellers share: the time, the random and fresh ids.

    The same seed makes the same story; ids and keys follow from the seed and from `start`, so that the same story
    told later is about other calls.
    """

    def __init__(self, customer_id: str, seed: str, start: datetime) -> None:
        self.customer_id = customer_id
        self.random = random.Random(f"{seed} {customer_id}")
        self.timeline = Timeline()
        self._start = start
        self._telling = f"{seed} {customer_id} {start.isoformat()}"
        self._ids = random.Random(self._telling)
        self._run = self.new_id()
        self._told = 0
        self._untaken: list[Happening] = []

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.timeline.now)

    def stamp(self) -> str:
        """Now, as it stands in events."""
        return format_timestamp(self.now())

    def after(self, seconds: float, action: Callable[[], object]) -> Timer:
        return self.timeline.after(seconds, action)

    def between(self, least: float, most: float) -> float:
        return self.random.uniform(least, most)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def tell(self, event_type: str, data: Mapping[str, Any], agent_ids: tuple[str, ...] = ()) -> None:
        """Add an event that happens now. The customer's id stands in the data of each."""
        self._told += 1
        data = {"customer_id": self.customer_id, **data}
        key = f"{KEY_MARK}{self._run}-{self._told}"
        self._untaken.append(Happening(self.now(), event_type, data, agent_ids, key))

    def take(self) -> list[Happening]:
        """What was told since this was last asked."""
        taken, self._untaken = self._untaken, []
        return taken
