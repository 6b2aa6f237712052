"""A fold as JSON, from which another process goes on instead of reading the whole day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from events.summary.agent_times import AgentTimes
from events.summary.counts import Counts
from events.summary.fold import SummaryFold
from events.summary.profile import CustomerProfile
from events.summary.queue_line import Moment, QueueLine

VERSION = 1
"""Grows when the rules of the figures change: a fold of other rules is not taken over."""

_COUNTS = ("answered", "in_time", "abandoned", "short_abandoned", "wait_seconds", "handled", "handle_seconds")


def dump(fold: SummaryFold) -> dict[str, Any]:
    """Return the fold for JSON."""
    return {
        "version": VERSION,
        "counted_by": fold.profile.counting(),
        "bucket": fold.bucket,
        "lines": {queue_id: _dump_line(line) for queue_id, line in fold.lines.items()},
        "agents": {each: [times.status, times.since, times.seconds] for each, times in fold.agents.items()},
        "available": fold.available,
        "left": [[*each, at] for each, at in fold.left.items()],
    }


def load(stored: Mapping[str, Any], profile: CustomerProfile) -> SummaryFold | None:
    """Return the fold that was stored; `None` if it counted by other rules or targets."""
    if stored.get("version") != VERSION or stored["counted_by"] != profile.counting():
        return None
    fold = SummaryFold(profile)
    fold.bucket = stored["bucket"]
    for queue_id, line in stored["lines"].items():
        fold.lines[queue_id] = _load_line(line, profile, queue_id)
        for call_id in (*line["waiting"], *line["talking"]):
            fold.queues_of.setdefault(call_id, set()).add(queue_id)
    for agent_id, (status, since, seconds) in stored["agents"].items():
        fold.agents[agent_id] = AgentTimes(
            status, since, {int(start): each for start, each in seconds.items()}
        )
    fold.available = {int(start): count for start, count in stored["available"].items()}
    fold.left = {(queue_id, call_id): at for queue_id, call_id, at in stored["left"]}
    return fold


def _dump_line(line: QueueLine) -> dict[str, Any]:
    return {
        "waiting": line.waiting,
        "talking": line.talking,
        "buckets": {start: [getattr(each, name) for name in _COUNTS] for start, each in line.buckets.items()},
        "moments": line.moments,
        "breached_since": line.breached_since,
    }


def _load_line(stored: Mapping[str, Any], profile: CustomerProfile, queue_id: str) -> QueueLine:
    return QueueLine(
        profile.targets_of(queue_id),
        stored["waiting"],
        stored["talking"],
        {int(start): Counts(*values) for start, values in stored["buckets"].items()},
        {int(start): Moment(*values) for start, values in stored["moments"].items()},
        stored["breached_since"],
    )
