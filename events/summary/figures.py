"""The figures of a summary for JSON: of one queue, and of all queues together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from events.domain.event import format_timestamp
from events.summary.counts import Counts, percent, sum_of
from events.summary.fold import SummaryFold
from events.summary.profile import Targets
from events.summary.queue_line import Moment, QueueLine

TARGET_NAMES = ("target_seconds", "target_percent", "wait_alarm_seconds", "short_abandon_seconds")


def total_figures(fold: SummaryFold, now: float, *, since: float | None = None) -> dict[str, Any]:
    """Return the figures of all queues and agents.

    Their buckets begin at `since` or later, without it at the customer's midnight. Times are in seconds since 1970.
    """
    lines = list(fold.lines.values())
    first = fold.profile.midnight(now) if since is None else since
    counts: dict[int, Counts] = {}
    moments: dict[int, Moment] = {}
    for line in lines:
        for start, each in line.buckets.items():
            if first <= start <= now:
                counts.setdefault(start, Counts()).add(each)
        for start, moment in _moments(fold, line, first, now).items():
            known = moments.get(start, Moment(0, 0.0, 0))
            moments[start] = Moment(
                known.waiting + moment.waiting,
                max(known.longest_wait_seconds, moment.longest_wait_seconds),
                known.talking + moment.talking,
            )
    waits = [each.longest_wait_since for each in lines if each.longest_wait_since is not None]
    breaches = [each.breached_since for each in lines if each.breached_since is not None]
    agents = fold.count_agents()
    available = fold.available | dict.fromkeys(fold.begun_since(now), fold.available_agents())
    return {
        "waiting": sum(len(each.waiting) for each in lines),
        "longest_wait_since": _text(min(waits, default=None)),
        "talking": sum(len(each.talking) for each in lines),
        **_figures(fold, lines, fold.profile.targets, fold.statuses(), min(breaches, default=None), now),
        "buckets": _buckets(
            counts, moments, {start: each for start, each in available.items() if first <= start <= now}
        ),
        "agents": agents,
    }


def queue_figures(
    fold: SummaryFold, queue_id: str, now: float, *, since: float | None = None
) -> dict[str, Any]:
    """Return the figures of one queue, as those of all."""
    line = fold.lines.get(queue_id) or QueueLine(fold.profile.targets_of(queue_id))
    queue = fold.profile.queues.get(queue_id)
    agent_ids = queue.agent_ids if queue else ()
    first = fold.profile.midnight(now) if since is None else since
    counts = {start: each for start, each in line.buckets.items() if first <= start <= now}
    return {
        "queue_id": queue_id,
        "name": queue.name if queue else None,
        "waiting": len(line.waiting),
        "longest_wait_since": _text(line.longest_wait_since),
        "talking": len(line.talking),
        **_figures(fold, [line], line.targets, agent_ids, line.breached_since, now),
        "buckets": _buckets(counts, _moments(fold, line, first, now), {}),
        "agents": fold.count_agents(agent_ids),
    }


def queue_ids(fold: SummaryFold) -> list[str]:
    """Return the customer's queues by name, and then others of which there were events."""
    own = fold.profile.queues
    known = sorted(own, key=lambda each: (own[each].name, each))
    return [*known, *sorted(fold.lines.keys() - own.keys())]


def _moments(fold: SummaryFold, line: QueueLine, first: float, now: float) -> dict[int, Moment]:
    """Return what a queue was doing when each bucket began, also without an event since then."""
    moments = {start: each for start, each in line.moments.items() if first <= start <= now}
    return moments | {start: line.moment(start) for start in fold.begun_since(now) if start >= first}


def _figures(
    fold: SummaryFold,
    lines: Sequence[QueueLine],
    targets: Targets,
    agent_ids: Iterable[str],
    breached_since: float | None,
    now: float,
) -> dict[str, Any]:
    midnight = fold.profile.midnight(now)
    occupied, free = fold.occupied_and_free(agent_ids, now)
    return {
        **sum_of(line.last_hour(now) for line in lines).figures(),
        "occupancy": percent(occupied, occupied + free),
        "targets": _targets(targets),
        "is_breached": breached_since is not None,
        "breached_since": _text(breached_since),
        "today": sum_of(line.since(midnight, now) for line in lines).figures(),
    }


def _buckets(
    counts: Mapping[int, Counts], moments: Mapping[int, Moment], available: Mapping[int, int]
) -> list[dict[str, Any]]:
    """Return the buckets without the figures that are zero, and without empty ones."""
    found = []
    for start in sorted({*counts, *moments, *available}):
        own = _bucket(counts.get(start), moments.get(start))
        if free := available.get(start):
            own["available"] = free
        if own:
            found.append({"at": _text(start), **own})
    return found


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
