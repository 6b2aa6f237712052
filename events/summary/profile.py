"""The profile of a customer, by which its figures are counted: time zone, queues, targets.

It is what operators configure; everything else follows from the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets of a queue: seconds, and the share of callers in per cent."""

    target_seconds: int = 20
    target_percent: int = 80
    wait_alarm_seconds: int = 60
    short_abandon_seconds: int = 5
    wrap_up_seconds: int = 0


@dataclass(frozen=True, slots=True)
class QueueProfile:
    """A queue: its name, its targets, and the ids of the agents who serve it."""

    name: str
    targets: Targets
    agent_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomerProfile:
    """A customer: its time zone, its default targets, its queues, and its agents.

    `agents` are statuses by id, which count until the log has one.
    """

    time_zone: tzinfo = UTC
    targets: Targets = Targets()
    queues: Mapping[str, QueueProfile] = field(default_factory=dict)
    agents: Mapping[str, str] = field(default_factory=dict)

    def targets_of(self, queue_id: str) -> Targets:
        """Return the targets of a queue; of an unknown one, the customer's."""
        queue = self.queues.get(queue_id)
        return self.targets if queue is None else queue.targets

    def counting(self) -> list[Any]:
        """Return what figures are counted by, as JSON.

        Those of another profile with the same hold for this one.
        """
        own = {
            queue_id: _counting(queue.targets)
            for queue_id, queue in sorted(self.queues.items())
            if _counting(queue.targets) != _counting(self.targets)
        }
        return [str(self.time_zone), _counting(self.targets), own]

    def midnight(self, now: float) -> float:
        """Return when the customer's day began, in seconds since 1970, as `now`."""
        local = datetime.fromtimestamp(now, self.time_zone)
        # Where clocks skip midnight, the offset before it leads to the moment at which they do.
        return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp()


def _counting(targets: Targets) -> list[int]:
    return [targets.target_seconds, targets.short_abandon_seconds]
