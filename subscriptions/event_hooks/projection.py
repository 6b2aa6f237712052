"""Applying events to the rows of agents and opt-outs (EVENTS_PROJECTION)."""

from __future__ import annotations

from collections.abc import Sequence

from events.domain.event import Draft
from events.domain.phone_number import canonical_number
from events.domain.topics import is_canonical_uuid
from events.models import Event
from subscriptions.audit.store import append
from subscriptions.models import (
    NO_CONNECTION,
    Agent,
    AgentStatus,
    AuditAction,
    AuditRecord,
    AuditVerdict,
    OptOut,
)
from subscriptions.models.tenants import region_of
from subscriptions.platform.opt_outs import MAX_NUMBER, parse_keyword

_STATUSES = frozenset(AgentStatus.values)
Stored = Sequence[tuple[Event, Draft]]


def apply(stored: Stored) -> None:
    """Apply events in their order, in the transaction that stores them.

    The logs of their customers must be locked.
    """
    _apply_statuses(stored)
    _apply_opt_outs(stored)


def _apply_statuses(stored: Stored) -> None:
    """Set each agent's status to the last `agent.status` of its own customer."""
    reported = [
        (event, draft)
        for event, draft in stored
        if draft.event_type == "agent.status" and is_canonical_uuid(draft.resource_id)
    ]
    if not reported:
        return
    ids = {draft.resource_id for _, draft in reported}
    agents = {
        (str(agent.customer_id), str(agent.pk)): agent
        for agent in Agent.objects.filter(pk__in=ids).only("customer_id", "status", "status_changed_at")
    }
    changed: dict[str, Agent] = {}
    for event, draft in reported:
        agent = agents.get((draft.customer_id, draft.resource_id))
        status = draft.data.get("status")
        if agent is None or not isinstance(status, str) or status not in _STATUSES or agent.status == status:
            continue
        agent.status = status
        # A publisher's clock that is ahead must not date a status into the future.
        agent.status_changed_at = min(event.timestamp, event.stored_at)
        changed[draft.resource_id] = agent
    Agent.objects.bulk_update(changed.values(), ["status", "status_changed_at"])


def _apply_opt_outs(stored: Stored) -> None:
    """Store an opt-out for each STOP, and delete it for each START."""
    for event, draft in stored:
        if draft.event_type != "message.received":
            continue
        number, wants_none = parse_keyword(draft.data)
        if number is None or wants_none is None:
            continue
        canonical = canonical_number(number, region_of(draft.customer_id))
        # Also as it was understood before the customer had a region.
        numbers = [each[:MAX_NUMBER] for each in (canonical, canonical_number(number))]
        if wants_none:
            _, changed = OptOut.objects.get_or_create(
                customer_id=draft.customer_id, number=numbers[0], defaults={"since": event.timestamp}
            )
        else:
            removed, _ = OptOut.objects.filter(customer_id=draft.customer_id, number__in=numbers).delete()
            changed = bool(removed)
        if changed:
            _record_opt_out(event, numbers[0], wants_none)


def _record_opt_out(event: Event, number: str, wants_none: bool) -> None:
    # The subject has no number: operators who may not read messages see the audit log.
    append(
        [
            AuditRecord(
                action=AuditAction.ADD if wants_none else AuditAction.DELETE,
                verdict=AuditVerdict.GRANTED,
                rule="by-event",
                topic="optout",
                detail=f"{number[:4]}… by the event {event.pk}",
                customer_id=event.customer_id,
                connection_id=NO_CONNECTION,
            )
        ]
    )
