"""Storing a batch of messages in one commit, and refusing those that are no events."""

from __future__ import annotations

import dataclasses
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import InterfaceError, OperationalError

from events.amqp.messages import DIGEST_PREFIX, Message, Rules, Unreadable, read_message
from events.domain.event import Draft
from events.domain.topics import known_resources
from events.log.idempotency import IdempotencyConflict
from events.log.publish import publish
from events.models import Event

logger = logging.getLogger(__name__)


class Refused(NamedTuple):
    """A message that will never be stored, with the reason."""

    message: Message
    reason: str


@dataclass
class Outcome:
    """The result of a batch: events stored now, messages known before, and refused ones."""

    stored: int = 0
    known: int = 0
    refused: list[Refused] = field(default_factory=list)


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


def store(messages: Sequence[Message], rules: Rules) -> Outcome:
    """Store the events of these messages in their order, normally in one commit.

    Raises:
        django.db.OperationalError, django.db.InterfaceError: The database does not answer. Some events may be stored:
            call again with all messages.
    """
    outcome = Outcome()
    readable: list[_Readable] = []
    for message in messages:
        try:
            readable.append(_Readable(message, read_message(message, rules)))
        except Unreadable as error:
            outcome.refused.append(Refused(message, str(error)))
    _store_together(_separate_repetitions(readable), outcome)
    return outcome


def _store_together(readable: list[_Readable], outcome: Outcome) -> None:
    while readable:
        try:
            receipts = publish([draft for _, draft in readable])
        except IdempotencyConflict as error:
            message, _ = readable.pop(error.index)
            outcome.refused.append(Refused(message, f"{error}, and a message_id for each message"))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            # One message alone may be the cause: it must not block the others for ever.
            if len(readable) > 1:
                for each in readable:
                    _store_together([each], outcome)
                return
            logger.exception("An event from AMQP can never be stored")
            kind = (
                "the database refuses it"
                if isinstance(error, AnyDatabaseError)
                else "the gateway failed on it"
            )
            outcome.refused.append(Refused(readable[0].message, f"{kind} ({type(error).__name__})"))
            return
        else:
            known = sum(receipt.replayed for receipt in receipts)
            outcome.known += known
            outcome.stored += len(receipts) - known
            return


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
