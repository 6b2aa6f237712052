"""How a call went, concluded from its state and its places in queues.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from events.domain.call_state import FINAL_STATUSES
from events.domain.event import data_time
from events.domain.state import State

_TALKED_PHASES = frozenset({"talking", "left", "ended"})
_ANSWER_TIMES = ("tm_progressing", "tm_answer")
_UNANSWERED_STATUSES = FINAL_STATUSES - {"hangup"}


class Outcome(StrEnum):
    """How a call ended for its caller."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    VOICEMAIL = "voicemail"
    UNANSWERED = "unanswered"


class QueuePlace(NamedTuple):
    """A call's place in a queue: the queue's id and the place's state."""

    queue_id: str
    state: State


@dataclass(frozen=True, slots=True)
class CallResult:
    """How a call went.

    `outcome` is `None` while the call is live, and if its events do not say. `queue_ids` and `agent_ids` (of those who
    talked) are in their order; `wait_seconds` is the time in all queues, `None` if it was in none or still waits.
    """

    outcome: Outcome | None
    queue_ids: tuple[str, ...]
    agent_ids: tuple[str, ...]
    wait_seconds: float | None
    ended_at: str | None

    def as_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "queue_ids": list(self.queue_ids),
            "agent_ids": list(self.agent_ids),
            "wait_seconds": self.wait_seconds,
            "ended_at": self.ended_at,
        }


def result_of(call: State, places: Sequence[QueuePlace]) -> CallResult:
    """Return how a call went."""
    places = sorted(places, key=lambda place: place.state.since)
    states = [place.state for place in places]
    talked = _talked(call) or tuple(
        agent for state in states if _is_connected(state) for agent in state.agents
    )
    waits = [wait for state in states if (wait := _wait_seconds(state)) is not None]
    return CallResult(
        None if call.live else _outcome(call, states, talked),
        tuple(dict.fromkeys(place.queue_id for place in places)),
        tuple(dict.fromkeys(talked)),
        round(sum(waits), 3) if waits and len(waits) == len(states) else None,
        call.ended_at or None,
    )


def _outcome(call: State, places: Sequence[State], talked: Sequence[str]) -> Outcome | None:
    if any(state.data.get("reason") == "voicemail" for state in (call, *places)):
        return Outcome.VOICEMAIL
    if talked or any(map(_is_connected, places)):
        return Outcome.ANSWERED
    if places:
        return Outcome.ABANDONED
    if any(data_time(call.data.get(name)) for name in _ANSWER_TIMES):
        return Outcome.ANSWERED
    # Agents to whom the call was offered, and none of them talked.
    if call.agents or call.status in _UNANSWERED_STATUSES:
        return Outcome.UNANSWERED
    return None


def _talked(call: State) -> tuple[str, ...]:
    return tuple(agent for agent, (phase, _) in call.agents.items() if phase in _TALKED_PHASES)


def _is_connected(place: State) -> bool:
    return place.status == "connected"


def _wait_seconds(place: State) -> float | None:
    given = place.data.get("wait_time")
    if isinstance(given, int | float) and not isinstance(given, bool) and given >= 0:
        return float(given)
    joined = data_time(place.data.get("tm_join")) or data_time(place.since)
    end = place.status_since if _is_connected(place) else place.ended_at
    left = (data_time(place.data.get("tm_connect")) if _is_connected(place) else None) or data_time(end)
    if joined is None or left is None:
        return None
    return max(0.0, (left - joined).total_seconds())
