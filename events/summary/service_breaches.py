"""When a queue misses its target and meets it again, with a margin between them.

Without the margin it would change to and fro.
"""

from __future__ import annotations

from events.summary.counts import Counts
from events.summary.profile import Targets

LEAST_CALLERS = 5
"""Callers of the last hour below which a queue is not judged: one of two who was late is no breach."""

MARGIN_PERCENT = 2.0
"""How far the service level must be above the target before the breach is over."""


def is_breached(counts: Counts, targets: Targets, *, was_breached: bool) -> bool:
    """Return whether a queue misses its target, by its counts of the last hour."""
    level = counts.service_level
    if level is None:
        return False
    if was_breached:
        return level < min(100.0, targets.target_percent + MARGIN_PERCENT)
    return counts.judged >= LEAST_CALLERS and level < targets.target_percent
