"""The queue of a publisher: calls in order, taken in batches.

Sans-I/O.
"""

from __future__ import annotations

import json
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from voipbin_ws_client.errors import ClientError

F = TypeVar("F")

MAX_EVENTS = 1000
"""The gateway's limit for one request."""

MAX_BATCH_CHARACTERS = 512 * 1024
"""The size from which no further call joins a batch: a larger one would only be stored later."""


class QueueFull(ClientError):
    """The queue has no room for these events.

    The gateway does not take as many as are published. Nothing of the call was queued: publish again later, or less.
    """

    def __init__(self, waiting: int, most: int) -> None:
        super().__init__(f"{waiting} events wait for the gateway, of at most {most}")
        self.waiting = waiting
        self.most = most


@dataclass(frozen=True, slots=True, eq=False)
class Call(Generic[F]):
    """The events of one call as JSON, stored together, and the future of its result."""

    events: Sequence[str]
    future: F

    @property
    def characters(self) -> int:
        """The size of the events."""
        return sum(map(len, self.events))


def encode_events(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Encode events, each with an idempotency key, so that an attempt can be repeated.

    Raises:
        ValueError: there are too many or none, or one of them is no JSON.
    """
    if not 0 < len(events) <= MAX_EVENTS:
        raise ValueError(f"1 to {MAX_EVENTS} events are stored together, not {len(events)}")
    keyed = [
        event if event.get("idempotency_key") else {**event, "idempotency_key": str(uuid.uuid4())}
        for event in events
    ]
    return [json.dumps(event, allow_nan=False) for event in keyed]


class Batches(Generic[F]):
    """The calls that are not stored yet, at most `most` events."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting = 0
        """The number of events."""
        self._calls: deque[Call[F]] = deque()
        self._max_calls = MAX_EVENTS

    def add(self, call: Call[F]) -> None:
        """Add a call.

        Raises:
            QueueFull: there is no room for its events.
        """
        if self.waiting + len(call.events) > self.most:
            raise QueueFull(self.waiting, self.most)
        self._calls.append(call)
        self.waiting += len(call.events)

    def next(self) -> list[Call[F]]:
        """Return the calls of the next batch, which stay in the queue; at least one if any waits."""
        batch: list[Call[F]] = []
        events = characters = 0
        for call in self._calls:
            events += len(call.events)
            if batch and (
                len(batch) >= self._max_calls or events > MAX_EVENTS or characters > MAX_BATCH_CHARACTERS
            ):
                break
            batch.append(call)
            characters += call.characters
        return batch

    def remove(self, calls: Sequence[Call[F]]) -> None:
        """Remove calls that are stored or refused."""
        for call in calls:
            self._calls.remove(call)
            self.waiting -= len(call.events)
        self._max_calls = min(MAX_EVENTS, self._max_calls * 2)

    def split(self, batch: Sequence[Call[F]]) -> None:
        """Put at most half as many calls as this batch has into the next one."""
        self._max_calls = max(1, len(batch) // 2)

    def clear(self) -> list[Call[F]]:
        """Remove and return all calls."""
        calls, self.waiting = list(self._calls), 0
        self._calls.clear()
        return calls
