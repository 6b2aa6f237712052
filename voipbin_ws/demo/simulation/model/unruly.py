"""An unruly platform: events late, twice, shuffled, in other words, or not at all."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from voipbin_ws.demo.simulation.model.event_recorder import SimulatedEvent

LATEST_SECONDS: Final = 8.0
"""The longest delay of an event: events within it may arrive in any order."""

LATE, TWICE, LOST, UNNAMED = 0.4, 0.1, 0.05, 0.5
"""Shares of events that come late or twice, of ends that never come, and of ends that name no agent."""

CLOCKS: Final[Mapping[str, float]] = {"call": 0.0, "queue": 2.5, "conference": -3.0, "agent": 1.5}
"""Seconds by which the clock of the service that publishes a resource is fast."""

ENDS: Final = frozenset(
    {
        "call.ended",
        "queue.left",
        "conference.left",
        "conference.ended",
        "recording.completed",
        "activeflow.completed",
    }
)

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "direction": {"inbound": "incoming", "outbound": "outgoing"},
    "status": {"answered": "progressing"},
    "previous_status": {"answered": "progressing"},
}
"""The platform's words for those of the published API."""

REDELIVERED: Final = frozenset({"call", "queue", "agent", "activeflow"})
"""The resources whose events may come twice under one key.

The others may be published as a webhook and then as an event, which the gateway refuses under one key.
"""

_AGENTS: Final = ("agent_id", "agent_name")


class UnrulyPlatform:
    """Delays, repeats, reorders, renames and drops the events of a contact centre.

    The same seed and events yield the same events in the same order, however time is cut.
    """

    def __init__(self, seed: str) -> None:
        self._random = random.Random(f"unruly {seed}")
        self._numbers = count()
        self._underway: list[tuple[datetime, int, SimulatedEvent]] = []
        self._lost_calls: set[str] = set()

    def pass_on(self, events: Iterable[SimulatedEvent], until: datetime) -> list[SimulatedEvent]:
        """Take the next events; return those that arrive up to `until`, in that order."""
        for event in events:
            for arrives, each in self._arrivals(event):
                heapq.heappush(self._underway, (arrives, next(self._numbers), each))
        arrived = []
        while self._underway and self._underway[0][0] <= until:
            arrived.append(heapq.heappop(self._underway)[2])
        return arrived

    def next_at(self) -> datetime | None:
        """Return when the next event under way arrives, or `None` if none is."""
        return self._underway[0][0] if self._underway else None

    def close(self, events: Iterable[SimulatedEvent] = ()) -> list[SimulatedEvent]:
        """Take the last events; return all that are under way."""
        longest = timedelta(seconds=LATEST_SECONDS)
        events = list(events)
        last = max((each.at for each in events), default=None)
        arrived = self.pass_on(events, last + longest) if last is not None else []
        return arrived + [heapq.heappop(self._underway)[2] for _ in range(len(self._underway))]

    def _arrivals(self, event: SimulatedEvent) -> Iterator[tuple[datetime, SimulatedEvent]]:
        # Drawn for every event alike, so that each share is independent of the others.
        late, twice, lost, unnamed = (self._random.random() for _ in range(4))
        delays = [self._random.uniform(0, LATEST_SECONDS) for _ in range(2)]
        if self._is_lost(event, lost < LOST):
            return
        changed = self._changed(event, unnamed < UNNAMED)
        yield event.at + timedelta(seconds=delays[0] if late < LATE else 0), changed
        if twice < TWICE:
            # Half of them as a redelivery under the same key, half as a second event.
            is_redelivery = twice < TWICE / 2 and event.event_type.partition(".")[0] in REDELIVERED
            again = changed if is_redelivery else replace(changed, key=f"{changed.key}-again")
            yield event.at + timedelta(seconds=delays[1]), again

    def _is_lost(self, event: SimulatedEvent, draw: bool) -> bool:
        """Whether the event never comes: some ends, and with a call's end also its final status."""
        if event.event_type == "call.status" and event.data["status"] == "hangup":
            if draw:
                self._lost_calls.add(event.data["id"])
            return draw
        if event.event_type == "call.ended":
            return event.data["id"] in self._lost_calls
        return event.event_type in ENDS and draw

    def _changed(self, event: SimulatedEvent, is_unnamed: bool) -> SimulatedEvent:
        resource = event.event_type.partition(".")[0]
        data: dict[str, Any] = {
            name: WORDS.get(name, {}).get(value, value)
            if resource == "call" and isinstance(value, str)
            else value
            for name, value in event.data.items()
        }
        agent_ids = event.agent_ids
        if is_unnamed and (event.event_type in ENDS or data.get("status") == "hangup"):
            data, agent_ids = {name: value for name, value in data.items() if name not in _AGENTS}, ()
        skew = timedelta(seconds=CLOCKS.get(resource, 0.0))
        return replace(event, at=event.at + skew, data=data, agent_ids=agent_ids)
