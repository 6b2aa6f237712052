"""The watch over the targets of all queues: publishes `sla.breached` and `sla.cleared`.

Of all processes, the holder of a lease does it. What a queue's state says is decided under the lock of its log: also
two that take themselves for the holder publish a change once.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime

from django import db

from events.database.threads import in_database_thread
from events.domain.event import Draft, format_timestamp
from events.domain.strict_json import encode
from events.log import reader
from events.log.idempotency import IdempotencyConflict
from events.log.inferred_ends import Superseded
from events.log.publish import publish
from events.log.snapshots import StoredFigures
from events.models import ResourceState
from events.reading.summaries import brought_up_to_date, build, store
from events.summary.customer_summary import Summary
from events.summary.fold import BREACHED, CLEARED
from events.summary.queue_line import QueueLine
from events.summary.service_breaches import is_breached
from events.summary.stored_fold import dump
from subscriptions.models import Queue
from subscriptions.presence.lease_tasks import LeaseTask
from subscriptions.presence.snapshot_rounds import SnapshotRounds

logger = logging.getLogger(__name__)

CUSTOMERS_SECONDS = 30.0
"""How often new customers are looked for, and how soon a breach ends that no event ends."""


NUMBERS_TO_STORE = 50_000
"""After so many numbers of a log its summary is stored: other processes read at most these, in about a second."""


class TargetWatch:
    """The summaries of all customers with queues, in the process that watches them.

    Used by one thread at a time.
    """

    def __init__(self) -> None:
        self._summaries: dict[str, Summary | None] = {}
        self._looked_at: dict[str, float] = {}
        self._stored_at: dict[str, int] = {}
        self._searched_at: float | None = None

    def round(self) -> int:
        """Publish what has changed since the round before; return the number of events."""
        now = time.monotonic()
        if self._searched_at is None or now - self._searched_at > CUSTOMERS_SECONDS:
            self._find_customers()
            self._searched_at = now
        heads = reader.heads(self._summaries)
        due = [each for each, head in heads.items() if self._is_due(each, head, now)]
        published = 0
        for customer_id in due:
            try:
                published += self._watch(customer_id, now)
            except db.Error:
                raise
            except Exception:
                logger.exception("The targets of customer %s cannot be watched", customer_id)
        return published

    def figures_of(self, customer_id: str) -> StoredFigures | None:
        """Return a customer's summary as it was last read, `None` for one without queues."""
        summary = self._summaries.get(customer_id)
        return None if summary is None else StoredFigures(summary.position, dump(summary.fold))

    def forget(self) -> None:
        """Forget everything: another process watches."""
        self._summaries.clear()
        self._stored_at.clear()
        self._searched_at = None

    def _find_customers(self) -> None:
        known = Queue.objects.filter(customer__is_active=True).values_list("customer_id", flat=True)
        # Queues that only the platform knows, as far as there are calls in them.
        live = ResourceState.objects.filter(resource="queue", live=True).values_list("customer_id", flat=True)
        found = {str(each) for each in (*known.distinct(), *live.distinct())}
        self._summaries = {
            **{each: summary for each, summary in self._summaries.items() if each in found},
            **dict.fromkeys(found - self._summaries.keys()),
        }

    def _is_due(self, customer_id: str, head: reader.Head, now: float) -> bool:
        summary = self._summaries[customer_id]
        if summary is None or (summary.epoch, summary.seq) != (head.epoch, head.last_seq):
            return True
        return now - self._looked_at[customer_id] > CUSTOMERS_SECONDS

    def _watch(self, customer_id: str, now: float) -> int:
        known = self._summaries[customer_id]
        # If it fails half-way, the next round builds it anew.
        self._summaries[customer_id] = None
        summary = build(customer_id) if known is None else brought_up_to_date(known)
        published = sum(_judge(summary, *each) for each in summary.fold.lines.items())
        self._summaries[customer_id] = summary
        self._looked_at[customer_id] = now
        if summary.seq - self._stored_at.setdefault(customer_id, summary.seq) >= NUMBERS_TO_STORE:
            store(summary)
            self._stored_at[customer_id] = summary.seq
        return published


def queue_targets(pause_seconds: float) -> LeaseTask:
    """Return the task that watches the targets of all queues, and takes snapshots."""
    watch = TargetWatch()
    rounds = SnapshotRounds(watch.figures_of)

    async def work() -> None:
        await in_database_thread(watch.round)
        await in_database_thread(rounds.round)

    def forget() -> None:
        watch.forget()
        rounds.forget()

    return LeaseTask("queue-targets", pause_seconds, work, forget)


def _judge(summary: Summary, queue_id: str, line: QueueLine) -> bool:
    """Publish whether the queue misses its target; return false if that is known."""
    now = time.time()
    counts = line.last_hour(now)
    was_breached = line.breached_since is not None
    if is_breached(counts, line.targets, was_breached=was_breached) == was_breached:
        return False
    level, longest = counts.service_level, line.longest_wait_since
    queue = summary.fold.profile.queues.get(queue_id)
    since = now if line.breached_since is None else line.breached_since
    data = {
        "queue_id": queue_id,
        "id": queue_id,
        **({"queue_name": queue.name} if queue else {}),
        **({} if level is None else {"service_level": level}),
        "target_percent": line.targets.target_percent,
        "target_seconds": line.targets.target_seconds,
        "waiting": len(line.waiting),
        "longest_wait_seconds": 0 if longest is None else round(max(0.0, now - longest)),
        "since": format_timestamp(datetime.fromtimestamp(since, UTC)),
    }
    return _publish(summary.customer_id, queue_id, data, was_breached=was_breached)


def _publish(customer_id: str, queue_id: str, data: dict[str, object], *, was_breached: bool) -> bool:
    rows = ResourceState.objects.filter(
        customer_id=customer_id, resource="sla", resource_id=queue_id, member_id=""
    )
    last = rows.first()

    def require_unchanged() -> None:
        if rows.filter(event_type=BREACHED).exists() != was_breached:
            raise Superseded

    event_type = CLEARED if was_breached else BREACHED
    draft = Draft(
        event_type=event_type,
        customer_id=customer_id,
        resource="sla",
        resource_id=queue_id,
        agent_ids=(),
        data=data,
        body=encode(data),
        timestamp=None,
        # One change after each other change.
        idempotency_key=f"sla:{queue_id}:{last.seq if last else 0}",
    )
    try:
        publish([draft], check=require_unchanged)
    except (Superseded, IdempotencyConflict):
        return False
    logger.info("Queue %s of %s: %s", queue_id, customer_id, event_type)
    return True
