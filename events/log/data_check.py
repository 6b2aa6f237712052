"""Comparing an event's data with its event type, and counting what differs."""

from __future__ import annotations

from events.counters import mismatched_events
from events.domain.event import Draft
from events.event_types.catalogue import EVENT_TYPES
from events.event_types.validation import Mismatch, mismatches
from events.quotas.limits import DataCheck

OTHER = "other"
"""The label of event types without agreed data: publishers may invent any number of them."""


def compare(draft: Draft, check: DataCheck) -> list[Mismatch]:
    """Return what differs in an event that `check` wants compared, and count the event."""
    if check is DataCheck.OFF:
        return []
    found = mismatches(draft.event_type, draft.data)
    if found:
        label = draft.event_type if draft.event_type in EVENT_TYPES else OTHER
        mismatched_events.add(label, check.value)
    return found
