"""The rounds that take snapshots of all customers' states.

Past moments are computed from them. The process that watches the targets of queues takes them, since it has the
summaries.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from django import db

from events.domain.cursor import Position
from events.log import snapshots
from events.log.snapshots import StoredFigures
from events.models import CustomerLog

logger = logging.getLogger(__name__)

SNAPSHOT_SECONDS = 600.0
"""How often a snapshot of a log that moved is taken."""

SNAPSHOT_EVENTS = 10_000
"""After so many events it is taken sooner, without figures: a request folds these in less than half a second."""

AT_ONCE = 100
"""The most snapshots of one round: the next round follows soon."""


class _Taken(NamedTuple):
    """The end of a log when a snapshot was last taken, and when that was.

    `figures_at` is when the last one with figures was taken; both are times of a monotonic clock.
    """

    position: Position
    at: float
    figures_at: float


class SnapshotRounds:
    """When a snapshot of each customer was taken by this process.

    Used by one thread at a time.
    """

    def __init__(self, figures_of: Callable[[str], StoredFigures | None]) -> None:
        """`figures_of` returns the present summary of a customer, `None` for one without queues."""
        self._figures_of = figures_of
        self._taken: dict[str, _Taken] = {}

    def round(self) -> int:
        """Take the snapshots that are due; return how many."""
        now = time.monotonic()
        logs = CustomerLog.objects.filter(last_seq__gt=0).values_list("customer_id", "epoch", "last_seq")
        ends = {str(customer_id): Position(epoch, seq) for customer_id, epoch, seq in logs}
        due = [each for each, end in ends.items() if self._is_due(each, end, now)][:AT_ONCE]
        return sum(self._take(each, ends[each], now) for each in due)

    def forget(self) -> None:
        """Forget everything: another process takes them."""
        self._taken.clear()

    def _is_due(self, customer_id: str, end: Position, now: float) -> bool:
        taken = self._taken.get(customer_id)
        if taken is None or taken.position.epoch != end.epoch:
            return True
        moved = end.seq - taken.position.seq
        return moved >= SNAPSHOT_EVENTS or (moved > 0 and now - taken.at >= SNAPSHOT_SECONDS)

    def _take(self, customer_id: str, end: Position, now: float) -> bool:
        taken = self._taken.get(customer_id)
        # Figures are larger than states, and cost less to bring up to a moment.
        with_figures = taken is None or now - taken.figures_at >= SNAPSHOT_SECONDS
        self._taken[customer_id] = _Taken(end, now, taken.figures_at if taken and not with_figures else now)
        try:
            position = snapshots.take(customer_id, self._figures_of(customer_id) if with_figures else None)
        except db.Error:
            raise
        except Exception:
            logger.exception("No snapshot of the states of customer %s can be taken", customer_id)
            return False
        return position is not None
