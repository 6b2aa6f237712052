"""Storing a batch of messages in one commit, and refusing those that are no events."""

from __future__ import annotations

import dataclasses
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django import db
from django.conf import settings

from events.amqp.messages import DIGEST_PREFIX, Message, Rules, Unreadable, read_message
from events.database.threads import is_outage
from events.domain.event import Draft
from events.domain.topics import known_resources
from events.hooks import quotas_of
from events.log.data_check import compare
from events.log.idempotency import IdempotencyConflict
from events.log.publish import StorageFull, publish
from events.log.publish_rates import RateExceeded, publish_rates
from events.models import Event
from events.quotas.limits import CUSTOMER, EVENTS, DataCheck, Quotas, publish_limits

logger = logging.getLogger(__name__)


class Held(NamedTuple):
    """A message of a customer that exceeds a quota, to be stored later, with the reason."""

    message: Message
    customer_id: str
    reason: str


class Refused(NamedTuple):
    """A message that will never be stored, with the reason."""

    message: Message
    reason: str


@dataclass
class Outcome:
    """The result of a batch: events stored now, messages known before, refused and held ones."""

    stored: int = 0
    known: int = 0
    refused: list[Refused] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


class _Readable(NamedTuple):
    message: Message
    draft: Draft


def rules_of_settings(customer_id: str) -> Rules:
    """Return the limits of publishing over HTTP."""
    return Rules(
        customer_id=customer_id,
        resources=known_resources(settings.EVENTS_EXTRA_RESOURCES),
        max_data_bytes=settings.EVENTS_MAX_DATA_BYTES,
        max_body_bytes=settings.EVENTS_MAX_REQUEST_BYTES,
    )


class BatchStore:
    """The storing of one batch of messages in their order, normally in one commit.

    Keys are chosen before the first attempt: if the answer to a commit is lost, the next attempt finds what it stored.
    """

    def __init__(self, messages: Sequence[Message], rules: Rules) -> None:
        self._outcome = Outcome()
        self._has_keys = False
        self._quotas: Mapping[str, Quotas] = {}
        self._waiting: list[_Readable] = []
        for message in messages:
            try:
                self._waiting.append(_Readable(message, read_message(message, rules)))
            except Unreadable as error:
                self._outcome.refused.append(Refused(message, str(error)))

    def store(self) -> Outcome:
        """Store what is not stored yet, except for customers that exceed a quota.

        Raises:
            django.db.Error: The database does not store now. Some events may be stored: call again.
        """
        if not self._has_keys:
            self._quotas = quotas_of({draft.customer_id for _, draft in self._waiting})
            self._refuse_mismatches()
            self._waiting = _separate_repetitions(self._waiting)
            self._hold_too_fast()
            self._has_keys = True
        together = len(self._waiting)
        while self._waiting:
            some = self._waiting[:together]
            try:
                receipts = publish([draft for _, draft in some], max_stored_bytes=self._max_stored_bytes)
            except StorageFull as error:
                self._hold(error.customer_id, str(error))
            except IdempotencyConflict as error:
                self._refuse(error.index, f"{error}, and a message_id for each message")
            except Exception as error:
                if is_outage(error):
                    raise
                # One message alone may be the cause: it must not block the others for ever.
                together = 1
                if len(some) == 1:
                    logger.exception("An event from AMQP can never be stored")
                    kind = (
                        "the database refuses it"
                        if isinstance(error, db.Error)
                        else "the gateway failed on it"
                    )
                    self._refuse(0, f"{kind} ({type(error).__name__})")
            else:
                del self._waiting[: len(some)]
                known = sum(receipt.replayed for receipt in receipts)
                self._outcome.known += known
                self._outcome.stored += len(receipts) - known
        return self._outcome

    def _refuse_mismatches(self) -> None:
        for index in reversed(range(len(self._waiting))):
            draft = self._waiting[index].draft
            check = self._quotas[draft.customer_id].data_check
            found = compare(draft, check)
            if found and check is DataCheck.REFUSE:
                self._refuse(index, "; ".join(f"{each.path}: {each.message}" for each in found))

    def _hold_too_fast(self) -> None:
        sizes: dict[str, list[int]] = {}
        for message, draft in self._waiting:
            sizes.setdefault(draft.customer_id, []).append(len(message.body))
        for customer_id, own in sizes.items():
            rates, burst = self._quotas[customer_id].rates, settings.EVENTS_BURST_SECONDS
            limits = publish_limits(CUSTOMER, customer_id, rates, burst)
            try:
                publish_rates.take(
                    [(limit, len(own) if limit.unit == EVENTS else sum(own)) for limit in limits]
                )
            except RateExceeded as error:
                self._hold(customer_id, f"more than {error.limit.per_second} {error.limit.unit} a second")

    def _hold(self, customer_id: str, reason: str) -> None:
        """Take all messages of a customer out of the batch, so that their order stays."""
        held = [each for each in self._waiting if each.draft.customer_id == customer_id]
        self._outcome.held.extend(Held(each.message, customer_id, reason) for each in held)
        self._waiting = [each for each in self._waiting if each.draft.customer_id != customer_id]

    @property
    def _max_stored_bytes(self) -> dict[str, int]:
        waiting = {draft.customer_id for _, draft in self._waiting}
        return {customer_id: self._quotas[customer_id].stored_bytes for customer_id in waiting}

    def _refuse(self, index: int, reason: str) -> None:
        self._outcome.refused.append(Refused(self._waiting.pop(index).message, reason))


def _separate_repetitions(readable: Sequence[_Readable]) -> list[_Readable]:
    """Give a new message without an id a key of its own if its bytes equal an earlier one's.

    Without an id, only the broker's flag distinguishes a second delivery from a second event: an agent who becomes
    available again is reported in the same bytes as before.
    """
    fresh_keys: dict[str, set[str]] = {}
    for message, draft in readable:
        if not message.redelivered and _is_of_bytes(draft):
            fresh_keys.setdefault(draft.customer_id, set()).add(draft.idempotency_key or "")
    taken: set[tuple[str, str | None]] = set()
    for customer_id, keys in fresh_keys.items():
        found = Event.objects.filter(customer_id=customer_id, idempotency_key__in=keys)
        taken.update((customer_id, key) for key in found.values_list("idempotency_key", flat=True))
    apart: list[_Readable] = []
    for message, draft in readable:
        key = (draft.customer_id, draft.idempotency_key)
        if _is_of_bytes(draft):
            if key in taken and not message.redelivered:
                draft = dataclasses.replace(draft, idempotency_key=f"{key[1]}:{uuid.uuid4().hex}")
            taken.add(key)
        apart.append(_Readable(message, draft))
    return apart


def _is_of_bytes(draft: Draft) -> bool:
    return (draft.idempotency_key or "").startswith(DIGEST_PREFIX)
