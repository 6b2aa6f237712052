"""Inferred ends: ending calls and places whose source has been silent for too long."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from events.domain.call_state import CallStage, stage_of
from events.domain.event import Draft
from events.domain.strict_json import encode
from events.log.publish import publish
from events.log.state_fold import state_of
from events.models import ResourceState

logger = logging.getLogger(__name__)

AT_ONCE = 500
"""The most calls of one round: the next round follows soon."""

Silence = Mapping[CallStage, timedelta]
"""How long the source of a call may be silent, by stage; calls of a missing stage are never ended."""


class Superseded(Exception):
    """The source published an event meanwhile, so the end is not published."""


def end_silent_calls(silence: Silence) -> int:
    """Publish the end of every call, and place without a call, that is silent for too long.

    Returns the number of ended ones. A call whose source publishes anything meanwhile is not ended.
    """
    if not silence:
        return 0
    now = timezone.now()
    rows = _silent_since(now - min(silence.values()))
    return sum(_end(row, stage, silence[stage]) for row, stage in rows if _is_due(row, stage, silence, now))


def _silent_since(moment: datetime) -> Iterator[tuple[ResourceState, CallStage]]:
    """Yield the calls, and the places without a live call, whose last event was stored before."""
    live = ResourceState.objects.filter(live=True)
    places = live.filter(member_id=OuterRef("resource_id"), customer_id=OuterRef("customer_id"))
    silent = live.filter(Q(stored_at__lt=moment) | Q(stored_at=None, updated_at__lt=moment))
    calls = silent.filter(resource="call").annotate(
        is_waiting=Exists(places.filter(resource="queue", progress__contains='"status": "waiting"'))
    )
    for row in calls.order_by(F("stored_at").asc(nulls_first=True))[:AT_ONCE]:
        yield row, stage_of(state_of(row), is_waiting=row.is_waiting)
    of_call = ResourceState.objects.filter(
        customer_id=OuterRef("customer_id"), resource="call", resource_id=OuterRef("member_id"), live=True
    )
    alone = silent.filter(resource__in=["queue", "conference"]).exclude(member_id="").exclude(Exists(of_call))
    for place in alone.order_by(F("stored_at").asc(nulls_first=True))[:AT_ONCE]:
        yield place, CallStage.WAITING if state_of(place).status == "waiting" else CallStage.ANSWERED


def _is_due(row: ResourceState, stage: CallStage, silence: Silence, now: datetime) -> bool:
    return stage in silence and (row.stored_at or row.updated_at) < now - silence[stage]


def _end(row: ResourceState, stage: CallStage, after: timedelta) -> bool:
    seconds = after.total_seconds()
    silence = f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"
    reason = f"no event for {silence} while {stage}"
    try:
        publish([inferred_end(row, reason)], check=lambda: _require_unchanged(row))
    except Superseded:
        return False
    logger.info("Ended %s %s of %s: %s", row.resource, row.resource_id, row.customer_id, reason)
    return True


def _require_unchanged(row: ResourceState) -> None:
    require_live(row, seq=row.seq)


def require_live(row: ResourceState, **unchanged: object) -> None:
    """Check that the state is still live, with these values.

    Raises:
        Superseded: It has ended, or was changed.
    """
    if not ResourceState.objects.filter(pk=row.pk, live=True, **unchanged).exists():
        raise Superseded


def inferred_end(row: ResourceState, reason: str, beside: Mapping[str, Any] | None = None) -> Draft:
    """Build the event that ends a call, with its status before, or a place."""
    inferred = {"reason": reason, "inferred": True, **(beside or {})}
    if row.member_id:
        own: dict[str, Any] = {f"{row.resource}_id": row.resource_id, "call_id": row.member_id}
        event_type, preceding = f"{row.resource}.left", None
    else:
        status = state_of(row).status
        own = {"id": row.resource_id, "status": "hangup", **({"previous_status": status} if status else {})}
        event_type, preceding = "call.ended", "call.status"
    data = own | inferred
    return Draft(
        event_type=event_type,
        customer_id=str(row.customer_id),
        resource=row.resource,
        resource_id=row.resource_id,
        agent_ids=(),
        data=data,
        body=encode(data),
        timestamp=None,
        idempotency_key=f"inferred-end:{row.pk}:{row.seq}",
        preceding_type=preceding,
    )
