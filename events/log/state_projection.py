"""The projection of events to ResourceState, in the publishing transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from events.database.direct_sql import find_rows, insert_or_update_rows
from events.domain.event import Draft, format_timestamp
from events.domain.phone_number import PARTY_RESOURCES, other_party
from events.domain.resource_state import (
    MEMBER_RESOURCES,
    StateEvent,
    changes_state,
    ends_call,
    ends_members,
    key_of,
)
from events.domain.state import AgentPhase
from events.filters.tags import StoredTags, event_tags, state_tags, stored_tags
from events.log.state_fold import LogEvent, StateFold
from events.models import Event, ResourceState

_UNIQUE = ["customer_id", "resource", "resource_id", "member_id"]
_CHANGED = [
    *("live", "event_type", "seq", "since", "updated_at", "stored_at"),
    *("agent_ids", "progress", "body", "party"),
]


class Effect(NamedTuple):
    """What an event changed.

    `agents` are those whom it concerns by the states. `ended` is true if its resource has ended, false if it is live
    again although the gateway had concluded its end, else `None`. `phases` are the new phases of agents with the call.
    `tags` are those to store with the event.
    """

    tags: StoredTags
    agents: tuple[str, ...] = ()
    ended: bool | None = None
    phases: Mapping[str, AgentPhase] = {}


class StateProjection:
    """The states of one transaction's events. The logs of their customers must be locked."""

    def __init__(self, drafts: Iterable[Draft]) -> None:
        self._fold = StateFold()
        wanted: dict[tuple[str, str], set[tuple[str, str]]] = {}
        ended_calls: dict[str, set[str]] = {}
        ended_places: set[tuple[str, str, str]] = set()
        for draft in drafts:
            if not changes_state(draft.event_type):
                continue
            key = key_of(draft.event_type, draft.resource_id, draft.data)
            wanted.setdefault((draft.customer_id, key.resource), set()).add(key[1:])
            if key.member_id:
                wanted.setdefault((draft.customer_id, "call"), set()).add((key.member_id, ""))
            if ends_call(draft.event_type, draft.data):
                ended_calls.setdefault(draft.customer_id, set()).add(key.resource_id)
            if ends_members(draft.event_type, key.member_id):
                ended_places.add((draft.customer_id, *key[:2]))
        for customer_id, resource, resource_id in sorted(ended_places):
            self._load_live_places(customer_id, resource=resource, resource_id=resource_id)
        for (customer_id, resource), addresses in wanted.items():
            self._load(customer_id, resource, addresses)
        for customer_id, call_ids in ended_calls.items():
            # The index holds live states only: as many as there are calls in queues and conferences now.
            self._load_live_places(customer_id, resource__in=MEMBER_RESOURCES, member_id__in=call_ids)

    def apply(self, draft: Draft, event: Event, concerned: Sequence[str]) -> Effect:
        """Apply an event; the effect has the agents whom it concerns beside the `concerned`."""
        if not changes_state(event.event_type):
            return Effect(event_tags(draft))
        at = format_timestamp(event.timestamp)
        key = key_of(draft.event_type, draft.resource_id, draft.data)
        known = self._fold.find(draft.customer_id, key)
        had_ended = known is not None and known.inferred
        # The fold changes the state itself.
        tags_before = None if known is None else state_tags(draft.resource, draft.resource_id, known)
        state_event = StateEvent(draft.event_type, draft.resource_id, draft.data, at, draft.agent_ids or None)
        state, addressed, serving, phases = self._fold.change(
            LogEvent(draft.customer_id, event.seq, event.stored_at, state_event, concerned, draft.tags)
        )
        tags = stored_tags(tags_before, state_tags(draft.resource, draft.resource_id, state))
        agents = dict.fromkeys(each for each in (*addressed, *serving) if each not in concerned)
        is_corrected = had_ended and state.live and state.corrected_at == at
        ended = (not state.live and draft.resource != "message") or (False if is_corrected else None)
        return Effect(tags, tuple(agents), ended, phases)

    def store(self) -> None:
        """Write the changed states."""
        rows = self._fold.changed_rows()
        for row, state in rows:
            if row.party is None and row.resource in PARTY_RESOURCES:
                row.party = other_party(state.data)
        insert_or_update_rows([row for row, _ in rows], unique=_UNIQUE, changed=_CHANGED)

    def _load(self, customer_id: str, resource: str, addresses: set[tuple[str, str]]) -> None:
        where = {
            "customer_id": [customer_id],
            "resource": [resource],
            "resource_id": {resource_id for resource_id, _ in addresses},
            "member_id": {member_id for _, member_id in addresses},
        }
        self._fold.add(find_rows(ResourceState, where))

    def _load_live_places(self, customer_id: str, **where: object) -> None:
        found = ResourceState.objects.filter(customer_id=customer_id, live=True, **where)
        self._fold.add(found.exclude(member_id=""))
