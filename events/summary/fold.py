"""The fold of a summary: from the events of the log in their order to the figures of now.

What an event did to its resource is what the fold of states stored with it; here are only counts and times.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from events.domain.event import data_time
from events.domain.resource_state import ends_members, member_of
from events.summary.agent_times import KINDS, AgentTimes, kind_of
from events.summary.counts import BUCKET_SECONDS, bucket_of, hour_before
from events.summary.profile import CustomerProfile
from events.summary.queue_line import QueueLine
from events.summary.summary_event import SummaryEvent

BREACHED, CLEARED = "sla.breached", "sla.cleared"


class SummaryFold:
    """The summary of one customer after the events that were applied."""

    def __init__(self, profile: CustomerProfile) -> None:
        self.profile = profile
        self.lines: dict[str, QueueLine] = {}
        self.agents: dict[str, AgentTimes] = {}
        self.queues_of: dict[str, set[str]] = {}
        # Calls that have left a queue in the last hour: their leaving may be published again.
        self.left: dict[tuple[str, str], float] = {}
        # The figures of all queues are computed for the same moment.
        self._hours: dict[str, tuple[float, float]] = {}
        self._hours_at = 0.0
        self.bucket = 0
        self.available: dict[int, int] = {}

    def apply(self, event: SummaryEvent) -> None:
        """Apply the next event of the log."""
        self._hours_at = 0.0
        if (bucket := bucket_of(event.at)) > self.bucket:
            self._note_moments(bucket)
        match event.resource:
            case "queue":
                self._apply_to_queue(event)
            case "call":
                if event.ended:
                    self._end_call(event)
            case "agent":
                self._apply_to_agent(event)
            case _:
                self._apply_to_target(event)

    def restore_place(
        self, queue_id: str, call_id: str, joined_at: float, connected_at: float | None
    ) -> None:
        """Take over a call that is in a queue since before the first event."""
        line = self._line(queue_id)
        if connected_at is None:
            line.join(call_id, joined_at)
        else:
            line.talking[call_id] = connected_at
        self.queues_of.setdefault(call_id, set()).add(queue_id)

    def restore_agent(self, agent_id: str, status: str, since: float) -> None:
        """Take over the status of an agent that has not changed since the first event."""
        self.agents.setdefault(agent_id, AgentTimes(status, since))

    def restore_breach(self, queue_id: str, since: float) -> None:
        """Take over that a queue misses its target, since before the first event."""
        self._line(queue_id).breached_since = since

    def _line(self, queue_id: str) -> QueueLine:
        line = self.lines.get(queue_id)
        if line is None:
            line = self.lines[queue_id] = QueueLine(self.profile.targets_of(queue_id))
        return line

    def _note_moments(self, bucket: int) -> None:
        """Note what was going on when the buckets up to this one began, and forget the day before."""
        first = max(self.bucket + BUCKET_SECONDS, bucket - 86_400) if self.bucket else bucket
        available = self.available_agents()
        for start in range(first, bucket + 1, BUCKET_SECONDS):
            self.available[start] = available
            for line in self.lines.values():
                line.moments[start] = line.moment(start)
        self.bucket = bucket
        oldest = self._oldest_kept(bucket)
        for line in self.lines.values():
            line.forget_before(oldest)
        for start in [each for each in self.available if each < oldest]:
            del self.available[start]
        self.left = {each: at for each, at in self.left.items() if at >= hour_before(bucket)}

    def begun_since(self, now: float) -> range:
        """Return when the buckets began in which there was no event yet."""
        return range(self.bucket + BUCKET_SECONDS, int(now) + 1, BUCKET_SECONDS) if self.bucket else range(0)

    def _oldest_kept(self, now: float) -> int:
        """Return the first bucket of the day, or of the last hour if that is earlier."""
        return min(hour_before(now), bucket_of(self.profile.midnight(now)))

    def _apply_to_queue(self, event: SummaryEvent) -> None:
        queue_id, data = event.resource_id, event.data
        call_id = member_of("queue", data)
        line = self._line(queue_id)
        if not call_id:
            if ends_members(event.event_type, ""):
                for each in (*line.waiting, *line.talking):
                    self._leave(queue_id, each, event.at, gave_up=False)
            return
        if event.ended:
            reason = data.get("reason")
            gave_up = isinstance(reason, str) and reason.startswith("abandon")
            waited = _seconds(data.get("wait_time"))
            if gave_up and not line.has(call_id) and (queue_id, call_id) not in self.left:
                # Only its end is known: it counts if that says how long it was.
                if waited is None and (joined_at := _time(data.get("tm_join"))) is not None:
                    waited = max(0.0, event.at - joined_at)
                if waited is not None:
                    line.join(call_id, event.at - waited)
            self._leave(queue_id, call_id, event.at, gave_up=gave_up, waited=waited)
            return
        # Events of an earlier version have no tags.
        status = event.status or event.event_type.partition(".")[2]
        joined_at = _time(data.get("tm_join"))
        self.queues_of.setdefault(call_id, set()).add(queue_id)
        if status == "connected":
            if joined_at is not None and call_id not in line.talking:
                line.join(call_id, joined_at)
            line.connect(call_id, event.at, _seconds(data.get("wait_time")))
            return
        if call_id in line.talking:
            # The call came back: its waiting time starts again.
            line.leave(call_id, event.at, gave_up=False)
        if joined_at is not None or call_id not in line.waiting:
            line.join(call_id, event.at if joined_at is None else joined_at)

    def _end_call(self, event: SummaryEvent) -> None:
        """End the call's places: a caller who hung up gave up, one who fell silent did not."""
        for queue_id in tuple(self.queues_of.get(event.resource_id, ())):
            gave_up = event.data.get("inferred") is not True
            self._leave(queue_id, event.resource_id, event.at, gave_up=gave_up)

    def _leave(
        self, queue_id: str, call_id: str, at: float, *, gave_up: bool, waited: float | None = None
    ) -> None:
        self._line(queue_id).leave(call_id, at, gave_up=gave_up, waited=waited)
        self.left[queue_id, call_id] = at
        queues = self.queues_of.get(call_id, set())
        queues.discard(queue_id)
        if not queues:
            self.queues_of.pop(call_id, None)

    def _apply_to_agent(self, event: SummaryEvent) -> None:
        if event.ended:
            self.agents.pop(event.resource_id, None)
            return
        if not event.status:
            return
        agent = self.agents.get(event.resource_id)
        if agent is None:
            # Not the profile's status, which can be the new one.
            before = event.status_before or ""
            # Since when is not known; longer than the last hour makes no difference.
            agent = self.agents[event.resource_id] = AgentTimes(before, 0.0 if before else event.at)
        agent.change(event.status, event.at)

    def _apply_to_target(self, event: SummaryEvent) -> None:
        if event.event_type == BREACHED:
            self._line(event.resource_id).breached_since = event.at
        elif event.event_type == CLEARED:  # A platform may publish other actions.
            self._line(event.resource_id).breached_since = None

    def statuses(self) -> Mapping[str, str]:
        """Return the status of each agent."""
        return {**self.profile.agents, **{each: times.status for each, times in self.agents.items()}}

    def occupied_and_free(self, agent_ids: Iterable[str], now: float) -> tuple[float, float]:
        """Return the seconds that these agents were occupied and free in the last hour."""
        if self._hours_at != now:
            self._hours_at, self._hours = now, {}
        occupied = free = 0.0
        for each in agent_ids:
            if (times := self._hours.get(each)) is None and each in self.agents:
                times = self._hours[each] = self.agents[each].last_hour(now)
            if times is not None:
                occupied, free = occupied + times[0], free + times[1]
        return occupied, free

    def available_agents(self) -> int:
        """Count the available agents by the log alone, for the buckets.

        With the profile's statuses, which are of now, a bucket would differ whenever the log is folded again.
        """
        return sum(kind_of(times.status) == "available" for times in self.agents.values())

    def count_agents(self, agent_ids: Iterable[str] | None = None) -> dict[str, int]:
        """Count these agents, or all, by the kind of their status."""
        counts = dict.fromkeys(KINDS, 0)
        statuses = self.statuses()
        for each in statuses if agent_ids is None else agent_ids:
            counts[kind_of(statuses.get(each, ""))] += 1
        return counts


def _seconds(value: Any) -> float | None:
    """Return the seconds that a publisher sent, `None` if it sent none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if value >= 0 and math.isfinite(value) else None


def _time(value: Any) -> float | None:
    moment = data_time(value)
    return None if moment is None else moment.timestamp()
