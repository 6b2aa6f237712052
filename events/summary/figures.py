"""The figures of a summary for JSON: of one queue, and of all queues together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from events.domain.event import format_timestamp
from events.summary.counts import Counts, percent
from events.summary.fold import SummaryFold
from events.summary.profile import Targets
from events.summary.queue_line import Moment, QueueLine

TARGET_NAMES = ("target_seconds", "target_percent", "wait_alarm_seconds", "short_abandon_seconds")


def total_figures(fold: SummaryFold, now: float, *, since: float | None = None) -> dict[str, Any]:
    """Return the figures of all queues and agents.

    Their buckets begin at `since` or later, without it at the customer's midnight. Times are in seconds since 1970.
    """
    lines = list(fold.lines.values())
    together = QueueLine(fold.profile.targets, buckets={}, moments={})
    for line in lines:
        for start, counts in line.buckets.items():
            together.buckets.setdefault(start, Counts()).add(counts)
        for start, moment in _moments(fold, line, now).items():
            known = together.moments.get(start, Moment(0, 0.0, 0))
            together.moments[start] = Moment(
                known.waiting + moment.waiting,
                max(known.longest_wait_seconds, moment.longest_wait_seconds),
                known.talking + moment.talking,
            )
    # Of each queue apart: a call can be in several.
    waits = [each.longest_wait_since for each in lines if each.longest_wait_since is not None]
    breaches = [each.breached_since for each in lines if each.breached_since is not None]
    together.breached_since = min(breaches, default=None)
    agents = fold.count_agents()
    available = fold.available | dict.fromkeys(fold.begun_since(now), agents["available"])
    buckets = {start: {"available": count} for start, count in available.items() if count}
    return {
        "waiting": sum(len(each.waiting) for each in lines),
        "longest_wait_since": _text(min(waits, default=None)),
        "talking": sum(len(each.talking) for each in lines),
        **_figures(fold, together, fold.statuses(), now, since, buckets),
        "agents": agents,
    }


def queue_figures(
    fold: SummaryFold, queue_id: str, now: float, *, since: float | None = None
) -> dict[str, Any]:
    """Return the figures of one queue, as those of all."""
    line = fold.lines.get(queue_id) or QueueLine(fold.profile.targets_of(queue_id))
    shown = replace(line, moments=_moments(fold, line, now))
    queue = fold.profile.queues.get(queue_id)
    return {
        "queue_id": queue_id,
        "name": queue.name if queue else None,
        "waiting": len(line.waiting),
        "longest_wait_since": _text(line.longest_wait_since),
        "talking": len(line.talking),
        **_figures(fold, shown, queue.agent_ids if queue else (), now, since, {}),
    }


def queue_ids(fold: SummaryFold) -> list[str]:
    """Return the customer's queues by name, and then others of which there were events."""
    own = fold.profile.queues
    known = sorted(own, key=lambda each: (own[each].name, each))
    return [*known, *sorted(fold.lines.keys() - own.keys())]


def _moments(fold: SummaryFold, line: QueueLine, now: float) -> dict[int, Moment]:
    """Return what a queue was doing when each bucket began, also without an event since then."""
    return line.moments | {start: line.moment(start) for start in fold.begun_since(now)}


def _figures(
    fold: SummaryFold,
    line: QueueLine,
    agent_ids: Iterable[str],
    now: float,
    since: float | None,
    others: dict[int, dict[str, int]],
) -> dict[str, Any]:
    midnight = fold.profile.midnight(now)
    first = midnight if since is None else since
    times = [fold.agents[each].last_hour(now) for each in agent_ids if each in fold.agents]
    occupied, free = sum(each for each, _ in times), sum(each for _, each in times)
    buckets = []
    for start in sorted({*line.buckets, *line.moments, *others}):
        if first <= start <= now:
            own = _bucket(line.buckets.get(start), line.moments.get(start)) | others.get(start, {})
            if own:
                buckets.append({"at": _text(start), **own})
    return {
        **line.last_hour(now).figures(),
        "occupancy": percent(occupied, occupied + free),
        "targets": _targets(line.targets),
        "is_breached": line.breached_since is not None,
        "breached_since": _text(line.breached_since),
        "today": line.since(midnight, now).figures(),
        "buckets": buckets,
    }


def _bucket(counts: Counts | None, moment: Moment | None) -> dict[str, Any]:
    """Return the figures of a bucket, without those that are zero or unknown."""
    found: dict[str, Any] = {} if counts is None else counts.figures()
    if moment is not None:
        waited = round(moment.longest_wait_seconds)
        found |= {"waiting": moment.waiting, "longest_wait_seconds": waited, "talking": moment.talking}
    level = found.get("service_level")
    return {name: value for name, value in found.items() if value} | (
        {} if level is None else {"service_level": level}
    )


def _targets(targets: Targets) -> dict[str, int]:
    return {name: getattr(targets, name) for name in TARGET_NAMES}


def _text(moment: float | None) -> str | None:
    return None if moment is None else format_timestamp(datetime.fromtimestamp(moment, UTC))
