"""publish(): the only way in. Number the events, store them, keep the present state, commit, then ring the bell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from events.bell import bell
from events.cursor import Position
from events.envelope import Draft, Entry, concerned_agents, make_entry, new_event_id, topics_of
from events.models import CustomerLog, Event, join_agents, split_agents
from events.states import update_states

QUEUE_RESOURCE = "queue"


class IdempotencyConflict(Exception):
    """An idempotency key came again with another event; `index` is the item's place in the request."""

    def __init__(self, index: int) -> None:
        super().__init__("this idempotency_key was used for another event: use a new key for each event")
        self.index = index


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a publisher is told of an event that is stored; `replayed`: it was stored by an earlier request."""

    id: str
    cursor: str
    topics: tuple[str, ...]
    replayed: bool


def publish(drafts: Sequence[Draft], *, check: Callable[[], None] | None = None) -> list[Receipt]:
    """Store all of these events, or none, in their order, and tell of them. Returns a receipt for each.

    When this returns, the events are committed and will reach every subscriber, whatever the channel layer does.
    `check` is called while nobody else can publish for these customers; what it raises calls everything off.

    Raises:
        IdempotencyConflict: nothing was stored.
        django.db.DatabaseError: the database did not commit.
        RuntimeError: called inside a transaction, whose rollback would take back what a publisher was told.
    """
    now = timezone.now()
    agents = _concerned(drafts)
    with transaction.atomic(durable=True):
        batch = _Batch(_locked_logs({draft.customer_id for draft in drafts}), now)
        if check is not None:
            check()
        batch.recall(drafts)
        for index, draft in enumerate(drafts):
            batch.add(index, draft, agents[index])
        batch.store()
    for customer_id, (epoch, entries) in batch.announced().items():
        bell.ring(customer_id, epoch, entries)
    return batch.receipts


def _concerned(drafts: Sequence[Draft]) -> list[tuple[str, ...]]:
    """The agents of each draft, with those who serve the queues looked up once."""
    queues = {(draft.customer_id, draft.resource_id) for draft in drafts if draft.resource == QUEUE_RESOURCE}
    serving: Mapping[tuple[str, str], Sequence[str]] = {}
    if queues:
        serving = import_string(settings.EVENTS_QUEUE_AGENTS)(queues)
    return [
        concerned_agents(
            draft,
            serving.get((draft.customer_id, draft.resource_id), ())
            if draft.resource == QUEUE_RESOURCE
            else (),
        )
        for draft in drafts
    ]


def _locked_logs(customer_ids: Iterable[str]) -> dict[str, CustomerLog]:
    """The customers' logs, locked in one order, so that two batches never wait for each other in a circle."""
    ordered = sorted(customer_ids)
    found = {str(log.customer_id): log for log in _lock(ordered)}
    missing = [customer_id for customer_id in ordered if customer_id not in found]
    if missing:
        # Another process may make the same log at this moment: whoever comes second locks the first one's.
        CustomerLog.objects.bulk_create(
            [CustomerLog(customer_id=each) for each in missing], ignore_conflicts=True
        )
        found = {str(log.customer_id): log for log in _lock(ordered)}
    return found


def _lock(ordered: list[str]) -> Iterable[CustomerLog]:
    return CustomerLog.objects.select_for_update().filter(customer_id__in=ordered).order_by("customer_id")


class _Batch:
    """The events of one transaction, under the locks of their logs."""

    def __init__(self, logs: dict[str, CustomerLog], now: datetime) -> None:
        self.receipts: list[Receipt] = []
        self._logs = logs
        self._now = now
        self._events: list[Event] = []
        self._drafts: list[Draft] = []
        self._entries: dict[str, list[Entry]] = {}
        self._by_key: dict[tuple[str, str], Event] = {}

    def recall(self, drafts: Sequence[Draft]) -> None:
        """Find the events that were stored under these drafts' idempotency keys. After the lock, so none is missed."""
        keys: dict[str, list[str]] = {}
        for draft in drafts:
            if draft.idempotency_key is not None:
                keys.setdefault(draft.customer_id, []).append(draft.idempotency_key)
        for customer_id, wanted in keys.items():
            for event in Event.objects.filter(customer_id=customer_id, idempotency_key__in=wanted):
                self._by_key[(customer_id, event.idempotency_key or "")] = event

    def add(self, index: int, draft: Draft, agent_ids: tuple[str, ...]) -> None:
        """Give the draft the next number, or recall what its key stands for."""
        log = self._logs[draft.customer_id]
        digest = ""
        if draft.idempotency_key is not None:
            digest = draft.digest()
            first = self._by_key.get((draft.customer_id, draft.idempotency_key))
            if first is not None:
                if first.digest != digest:
                    raise IdempotencyConflict(index)
                self.receipts.append(_receipt(first, log.epoch, replayed=True))
                return
        log.last_seq += 1
        event = Event(
            id=new_event_id(),
            customer_id=draft.customer_id,
            seq=log.last_seq,
            event_type=draft.event_type,
            resource=draft.resource,
            resource_id=draft.resource_id,
            timestamp=draft.timestamp or self._now,
            stored_at=self._now,
            agent_ids=join_agents(agent_ids),
            body=draft.body,
            idempotency_key=draft.idempotency_key,
            digest=digest,
        )
        self._events.append(event)
        self._drafts.append(draft)
        if draft.idempotency_key is not None:
            self._by_key[(draft.customer_id, draft.idempotency_key)] = event
        receipt = _receipt(event, log.epoch, replayed=False)
        self.receipts.append(receipt)
        self._entries.setdefault(draft.customer_id, []).append(
            make_entry(
                seq=event.seq,
                epoch=log.epoch,
                event_id=receipt.id,
                event_type=event.event_type,
                timestamp=event.timestamp,
                topics=receipt.topics,
                body=event.body,
            )
        )

    def store(self) -> None:
        """Write the events, their logs' numbers, the states they change, and what others keep of them."""
        if not self._events:
            return
        changed = [self._logs[customer_id] for customer_id in self._entries]
        CustomerLog.objects.bulk_update(changed, ["last_seq"])
        Event.objects.bulk_create(self._events)
        stored = list(zip(self._events, self._drafts, strict=True))
        update_states(stored)
        import_string(settings.EVENTS_PROJECTION)(stored)

    def announced(self) -> dict[str, tuple[str, list[Entry]]]:
        """Epoch and new entries of each customer."""
        return {
            customer_id: (self._logs[customer_id].epoch, entries)
            for customer_id, entries in self._entries.items()
        }


def _receipt(event: Event, epoch: str, *, replayed: bool) -> Receipt:
    topics = topics_of(
        str(event.customer_id), event.resource, event.resource_id, split_agents(event.agent_ids)
    )
    return Receipt(str(event.id), str(Position(epoch, event.seq)), topics, replayed)
