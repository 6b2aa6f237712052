"""publish(): number the events, store them, update the states, commit, and announce."""

# Long because one transaction is read as a whole, from its locks to its announcements.

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from events.announcements.announcer import announcer
from events.counters import quota_refusals
from events.database.direct_sql import insert_rows, update_rows
from events.domain.cursor import Position
from events.domain.event import (
    Draft,
    Entry,
    agents_beside_data,
    concerned_agents,
    format_timestamp,
    make_entry,
    new_event_id,
    topics_of,
)
from events.domain.strict_json import encode
from events.log.idempotency import IdempotencyConflict, StoredKeys
from events.log.log_locks import LogLocked, LogsMissing, create_logs, lock_logs, transaction_turn
from events.log.publish_rates import Totals, publish_rates
from events.log.state_projection import StateProjection
from events.models import CustomerLog, Event, join_agents, split_agents
from events.quotas.limits import STORED_BYTES_BESIDE_DATA, stored_size

QUEUE_RESOURCES = frozenset({"queue", "sla"})
"""Resources whose ids are those of queues: their events concern the agents who serve the queue."""

STORED_BYTES = "stored-bytes"
"""The quota's name in the metrics."""

MAX_AHEAD = timedelta(minutes=1)
"""How far a publisher's clock may be ahead: more would show durations that have not begun yet."""

_AHEAD = "timestamp: in the future, so the event has the gateway's time, {}: set the publisher's clock"


class Receipt(NamedTuple):
    """The receipt for a stored event. `replayed`: an earlier request stored it."""

    id: str
    cursor: str
    topics: tuple[str, ...]
    replayed: bool
    warnings: tuple[str, ...] = ()


NO_QUOTAS: Mapping[str, int] = MappingProxyType({})


class StorageFull(Exception):
    """A customer has no room for more events; nothing was stored."""

    def __init__(self, customer_id: str, most: int) -> None:
        super().__init__(
            f"Customer {customer_id} may have {most} bytes of events stored, and has: an operator can raise this quota "
            "or keep events for a shorter time; nothing was stored"
        )
        self.customer_id = customer_id


class Publication(NamedTuple):
    """Events that are stored together. `check` is called under their logs' locks.

    `max_stored_bytes` are quotas by customer id; without one or with 0 the events are stored in any case.
    """

    drafts: Sequence[Draft]
    check: Callable[[], None] | None = None
    max_stored_bytes: Mapping[str, int] = NO_QUOTAS


QueueAgents = Mapping[tuple[str, str], Sequence[str]]
"""The agents of each queue, by the ids of the customer and the queue."""

Result = list[Receipt] | Exception
"""The receipts of a request, or the reason why nothing of it was stored."""


def publish(
    drafts: Sequence[Draft],
    *,
    check: Callable[[], None] | None = None,
    max_stored_bytes: Mapping[str, int] = NO_QUOTAS,
) -> list[Receipt]:
    """Store and announce these events in their order, all or none; return a receipt for each.

    After the return the events are committed, and every subscriber will receive them, whatever the channel layer does.
    `check` is called while no other publisher can store events of these customers; if it raises, nothing is stored.
    `max_stored_bytes` is that of Publication.

    Raises:
        IdempotencyConflict: Nothing was stored.
        StorageFull: Nothing was stored.
        django.db.DatabaseError: The database did not commit.
        RuntimeError: Called inside a transaction, whose rollback would invalidate the receipts.
    """
    (result,) = _publish([Publication(drafts, check, max_stored_bytes)])
    if isinstance(result, Exception):
        raise result
    return result


def publish_each(requests: Sequence[Publication], *, wait_seconds: float | None = None) -> list[Result]:
    """Publish several requests in one commit; return the receipts or the error of each.

    `wait_seconds` is how long it waits for a log that another transaction holds on PostgreSQL, `None` as long as the
    database answers. With 0 it does not wait, and requests with such a log have the error LogLocked.
    """
    return _publish(requests, wait_seconds) if requests else []


def _publish(requests: Sequence[Publication], wait_seconds: float | None = None) -> list[Result]:
    try:
        serving = _agents_of_queues([draft for request in requests for draft in request.drafts])
        with transaction_turn():
            batch, results = _store(requests, serving, wait_seconds)
    except (OperationalError, InterfaceError) as error:
        return [error] * len(requests)  # The database does not answer: a second attempt would wait as long.
    except Exception as error:
        if len(requests) == 1:
            return [error]
        # One request alone may be the cause.
        return [result for request in requests for result in _publish([request], wait_seconds)]
    batch.announce()
    return results


def _agents_of_queues(drafts: Sequence[Draft]) -> QueueAgents:
    queues = {(draft.customer_id, draft.resource_id) for draft in drafts if draft.resource in QUEUE_RESOURCES}
    return import_string(settings.EVENTS_QUEUE_AGENTS)(queues) if queues else {}


def _store(
    requests: Sequence[Publication], serving: QueueAgents, wait_seconds: float | None
) -> tuple[_Batch, list[Result]]:
    while True:
        try:
            return _store_in_logs(requests, serving, wait_seconds)
        except LogsMissing as error:
            create_logs(error.customer_ids)


def _store_in_logs(
    requests: Sequence[Publication], serving: QueueAgents, wait_seconds: float | None
) -> tuple[_Batch, list[Result]]:
    results: list[Result] = []
    with transaction.atomic(durable=True):
        logs = lock_logs({draft.customer_id for each in requests for draft in each.drafts}, wait_seconds)
        free = [all(draft.customer_id in logs for draft in each.drafts) for each in requests]
        drafts = [
            draft for each, is_free in zip(requests, free, strict=True) if is_free for draft in each.drafts
        ]
        batch = _Batch(logs, serving, StateProjection(drafts), timezone.now())
        batch.stored_keys.recall(drafts)
        for request, is_free in zip(requests, free, strict=True):
            if not is_free:
                results.append(LogLocked())
                continue
            try:
                if request.check is not None:
                    request.check()
            except DatabaseError:
                raise
            except Exception as error:
                results.append(error)
                continue
            # Any other exception may come half-way through a request: then nothing of the transaction is stored.
            try:
                results.append(batch.add(request.drafts, request.max_stored_bytes))
            except (IdempotencyConflict, StorageFull) as error:
                results.append(error)
        batch.store()
        # Under the locks: threads of this process learn in the order of the log.
        publish_rates.learn(batch.totals())
    return batch, results


class _Batch:
    """The events of one transaction, which holds the locks of their logs."""

    def __init__(
        self, logs: dict[str, CustomerLog], serving: QueueAgents, states: StateProjection, now: datetime
    ) -> None:
        self._logs = logs
        self._totals_before = {customer_id: _totals(log) for customer_id, log in logs.items()}
        self._serving = serving
        self._states = states
        self._now = now
        self._events: list[Event] = []
        self._drafts: list[Draft] = []
        self._entries: dict[str, list[Entry]] = {}
        self.stored_keys = StoredKeys(now)

    def add(self, drafts: Sequence[Draft], max_stored_bytes: Mapping[str, int]) -> list[Receipt]:
        """Give each draft the next number, or the receipt of the event stored under its key.

        Raises:
            IdempotencyConflict: Nothing was added.
            StorageFull: Nothing was added.
        """
        # Nothing may fail after the first draft is added.
        digests = self.stored_keys.digests(drafts)
        for customer_id, most in max_stored_bytes.items():
            if most:
                self._require_room(customer_id, most, drafts)
        agents = [concerned_agents(draft, self._agents_serving(draft)) for draft in drafts]
        return [self._add(*each) for each in zip(drafts, agents, digests, strict=True)]

    def _require_room(self, customer_id: str, most: int, drafts: Sequence[Draft]) -> None:
        """Check that the customer's new events fit into its quota.

        Raises:
            StorageFull: They do not.
        """
        new = (
            stored_size(draft.body) * (1 if draft.preceding_type is None else 2)
            for draft in drafts
            if draft.customer_id == customer_id and self.stored_keys.first(draft) is None
        )
        if (size := sum(new)) and self._logs[customer_id].stored_bytes + size > most:
            quota_refusals.add(STORED_BYTES)
            raise StorageFull(customer_id, most)

    def totals(self) -> dict[str, tuple[Totals, Totals]]:
        """Return the totals of the logs, before and after this batch."""
        return {each: (before, _totals(self._logs[each])) for each, before in self._totals_before.items()}

    def _agents_serving(self, draft: Draft) -> Sequence[str]:
        is_queue = draft.resource in QUEUE_RESOURCES
        return self._serving.get((draft.customer_id, draft.resource_id), ()) if is_queue else ()

    def _add(self, draft: Draft, agent_ids: tuple[str, ...], digest: str) -> Receipt:
        log = self._logs[draft.customer_id]
        if (first := self.stored_keys.first(draft)) is not None:
            return _receipt(first, log.epoch, replayed=True)
        if draft.preceding_type is not None:
            preceding = replace(
                draft, event_type=draft.preceding_type, preceding_type=None, idempotency_key=None
            )
            self._add(preceding, agent_ids, "")
        log.last_seq += 1
        log.written_bytes += stored_size(draft.body)
        event = Event(
            id=new_event_id(),
            customer_id=draft.customer_id,
            seq=log.last_seq,
            event_type=draft.event_type,
            resource=draft.resource,
            resource_id=draft.resource_id,
            timestamp=self._happened(draft),
            stored_at=self._now,
            body=draft.body,
            idempotency_key=self.stored_keys.key(draft),
            digest=digest,
        )
        effect = self._states.apply(draft, event, agent_ids)
        event.agent_ids = join_agents(agent_ids + effect.agents)
        event.ended = effect.ended
        event.phases = encode(effect.phases) if effect.phases else None
        event.tags, event.was = effect.tags
        named = agents_beside_data(draft)
        event.named_agents = join_agents(named) or None
        self._events.append(event)
        self._drafts.append(draft)
        self.stored_keys.add(event)
        receipt = _receipt(event, log.epoch, replayed=False)
        if draft.timestamp is not None and draft.timestamp > event.timestamp:
            receipt = receipt._replace(warnings=(_AHEAD.format(format_timestamp(self._now)),))
        self._entries.setdefault(draft.customer_id, []).append(
            make_entry(
                seq=event.seq,
                epoch=log.epoch,
                event_id=receipt.id,
                event_type=event.event_type,
                timestamp=event.timestamp,
                topics=receipt.topics,
                body=event.body,
                named_agents=named,
                ended=effect.ended,
                phases=event.phases,
                tags=event.tags,
                was=event.was,
            )
        )
        return receipt

    def _happened(self, draft: Draft) -> datetime:
        """Return when the event happened; a clock that is far ahead is not believed."""
        if draft.timestamp is None or draft.timestamp > self._now + MAX_AHEAD:
            return self._now
        return draft.timestamp

    def store(self) -> None:
        """Write the events, their logs' numbers and sizes, the states, and EVENTS_PROJECTION."""
        if not self._events:
            return
        update_rows(
            [self._logs[customer_id] for customer_id in self._entries], changed=["last_seq", "written_bytes"]
        )
        insert_rows(self._events)
        stored = list(zip(self._events, self._drafts, strict=True))
        self._states.store()
        import_string(settings.EVENTS_PROJECTION)(stored)

    def announce(self) -> None:
        """Announce the new entries. Called after the commit."""
        for customer_id, entries in self._entries.items():
            announcer.announce(customer_id, self._logs[customer_id].epoch, entries)


def _totals(log: CustomerLog) -> Totals:
    return Totals(log.last_seq, log.written_bytes - log.last_seq * STORED_BYTES_BESIDE_DATA)


def _receipt(event: Event, epoch: str, *, replayed: bool) -> Receipt:
    topics = topics_of(
        str(event.customer_id), event.resource, event.resource_id, split_agents(event.agent_ids)
    )
    return Receipt(str(event.id), str(Position(epoch, event.seq)), topics, replayed)
