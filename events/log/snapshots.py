"""Snapshots of a customer's live states, from which a past moment is computed."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from events.domain.cursor import Position
from events.domain.event import format_timestamp, parse_timestamp
from events.domain.strict_json import encode
from events.log.reader import Head
from events.models import CustomerLog, ResourceState, StateSnapshot

logger = logging.getLogger(__name__)

MAX_STATES = 50_000
"""The most states of a snapshot: with more, something publishes beginnings and never ends."""


class StoredFigures(NamedTuple):
    """A customer's summary at a position of its log, as JSON."""

    position: Position
    content: Mapping[str, Any]


_TEXTS = ("resource", "resource_id", "member_id", "event_type", "seq", "agent_ids", "progress", "body")
_TIMES = ("since", "updated_at", "stored_at")


def take(customer_id: str, figures: StoredFigures | None = None) -> Position | None:
    """Store a snapshot of the states at the end of a customer's log, with a summary.

    Returns its position; `None` if there are no events, or too many states.
    """
    log = CustomerLog.objects.filter(pk=OuterRef("customer_id"))
    live = ResourceState.objects.filter(customer_id=customer_id, live=True)
    # One statement sees states and position of the same moment, whatever is published meanwhile.
    states = list(
        live.annotate(
            epoch=Subquery(log.values("epoch")), last_seq=Subquery(log.values("last_seq"))
        ).order_by()[: MAX_STATES + 1]
    )
    if states:
        position = Position(states[0].epoch, states[0].last_seq)
    else:
        logs = CustomerLog.objects.filter(~Exists(live), pk=customer_id, last_seq__gt=0)
        if (found := logs.values_list("epoch", "last_seq").first()) is None:
            return None
        position = Position(*found)
    if len(states) > MAX_STATES:
        logger.warning(
            "Customer %s has more than %s states that have not ended: no snapshot", customer_id, MAX_STATES
        )
        return None
    StateSnapshot.objects.get_or_create(
        customer_id=customer_id,
        epoch=position.epoch,
        seq=position.seq,
        defaults={"body": _packed(states), **_packed_figures(figures, position)},
    )
    return position


def last_before(customer_id: str, head: Head, seq: int) -> tuple[int, list[ResourceState]] | None:
    """Return the number and the states of the last snapshot at or before a number of the log.

    `None` if there is none after which all events are kept.
    """
    kept = _kept(customer_id, head).filter(seq__lte=seq).order_by("-seq").first()
    return None if kept is None else (kept.seq, _unpacked(customer_id, bytes(kept.body)))


def figures_before(customer_id: str, head: Head, after: int, upto: int) -> StoredFigures | None:
    """Return the last stored summary of a stretch of the log, `None` if there is none."""
    rows = _kept(customer_id, head).filter(summary_seq__gt=after, summary_seq__lte=upto, seq__gt=after)
    for seq, body in rows.order_by("-seq").values_list("summary_seq", "summary")[:1]:
        if seq is not None and body is not None:
            return StoredFigures(Position(head.epoch, seq), json.loads(zlib.decompress(body)))
    return None


def first_kept(customer_id: str, head: Head) -> int | None:
    """Return the number of the first snapshot after which all events are kept."""
    return _kept(customer_id, head).order_by("seq").values_list("seq", flat=True).first()


def prune(customer_id: str) -> None:
    """Delete the snapshots of which later events were deleted, or the log was replaced."""
    for epoch, floor in CustomerLog.objects.filter(pk=customer_id).values_list("epoch", "floor"):
        snapshots = StateSnapshot.objects.filter(customer_id=customer_id)
        snapshots.exclude(epoch=epoch, seq__gte=floor).delete()


def _kept(customer_id: str, head: Head) -> QuerySet[StateSnapshot]:
    return StateSnapshot.objects.filter(customer_id=customer_id, epoch=head.epoch, seq__gte=head.floor)


def _packed(states: Sequence[ResourceState]) -> bytes:
    rows = [
        [getattr(state, name) for name in _TEXTS]
        + [None if (at := getattr(state, name)) is None else format_timestamp(at) for name in _TIMES]
        for state in states
    ]
    return zlib.compress(encode(rows).encode(), level=1)


def _packed_figures(figures: StoredFigures | None, at: Position) -> dict[str, Any]:
    if figures is None or figures.position.epoch != at.epoch or figures.position.seq > at.seq:
        return {}
    content = zlib.compress(encode(figures.content).encode(), level=1)
    return {"summary_seq": figures.position.seq, "summary": content}


def _unpacked(customer_id: str, body: bytes) -> list[ResourceState]:
    names = (*_TEXTS, *_TIMES)
    found = []
    for row in json.loads(zlib.decompress(body)):
        values = dict(zip(names, row, strict=True))
        for name in _TIMES:
            values[name] = values[name] and parse_timestamp(values[name])
        found.append(ResourceState(customer_id=customer_id, live=True, **values))
    return found
