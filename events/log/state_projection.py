"""The projection of events to ResourceState, in the publishing transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from events.database.direct_sql import find_rows, insert_or_update_rows
from events.domain.event import Draft
from events.domain.resource_state import (
    MEMBER_RESOURCES,
    changes_state,
    ends_call,
    ends_members,
    is_live_after,
    member_of,
    merged,
)
from events.domain.strict_json import encode
from events.models import Event, ResourceState, join_agents, split_agents

_Key = tuple[str, str, str, str]
_UNIQUE = ["customer_id", "resource", "resource_id", "member_id"]
_CHANGED = ["live", "event_type", "seq", "since", "updated_at", "agent_ids", "body"]


def update_states(stored: Sequence[tuple[Event, Draft]]) -> None:
    """Update the states by these new events, in their order; their logs must be locked."""
    stored = [(event, draft) for event, draft in stored if changes_state(event.event_type)]
    if not stored:
        return
    states = _existing(stored)
    places = _places_of_ended_calls(stored, states)
    data: dict[_Key, dict[str, Any]] = {key: json.loads(state.body) for key, state in states.items()}
    touched: dict[_Key, ResourceState] = {}
    for event, draft in stored:
        member_id = member_of(draft.resource, draft.data)
        key = (draft.customer_id, draft.resource, draft.resource_id, member_id)
        state = states.get(key)
        data[key] = merged(data.get(key, {}), draft.data)
        live = is_live_after(event.event_type, member_id, data[key])
        if state is None:
            state = states[key] = ResourceState(
                customer_id=draft.customer_id,
                resource=draft.resource,
                resource_id=draft.resource_id,
                member_id=member_id,
                since=event.timestamp,
            )
        elif live and not state.live and member_id:
            # The call came back: its waiting time starts again.
            state.since = event.timestamp
        state.live = live
        state.event_type = event.event_type
        state.seq = event.seq
        state.updated_at = event.timestamp
        state.agent_ids = join_agents(
            tuple(dict.fromkeys((*split_agents(state.agent_ids), *split_agents(event.agent_ids))))
        )
        touched[key] = state
        if member_id and (of_call := places.get((draft.customer_id, member_id))) is not None:
            of_call[key] = state
        if ends_call(event.event_type, draft.data):
            _end_places(event, places[draft.customer_id, draft.resource_id], touched)
        if ends_members(event.event_type, member_id):
            _end_members(event, states, touched)
    for key, state in touched.items():
        state.body = encode(data[key])
    insert_or_update_rows(list(touched.values()), unique=_UNIQUE, changed=_CHANGED)


def _existing(stored: Sequence[tuple[Event, Draft]]) -> dict[_Key, ResourceState]:
    resource_ids_of: dict[tuple[str, str], set[str]] = {}
    for _, draft in stored:
        resource_ids_of.setdefault((draft.customer_id, draft.resource), set()).add(draft.resource_id)
    found: dict[_Key, ResourceState] = {}
    for (customer_id, resource), resource_ids in resource_ids_of.items():
        members = {
            member_of(draft.resource, draft.data)
            for _, draft in stored
            if (draft.customer_id, draft.resource) == (customer_id, resource)
        }
        wanted = {
            "customer_id": [customer_id],
            "resource": [resource],
            "resource_id": resource_ids,
            "member_id": members,
        }
        for state in find_rows(ResourceState, wanted):
            found[(customer_id, resource, state.resource_id, state.member_id)] = state
    return found


def _end_members(event: Event, states: dict[_Key, ResourceState], touched: dict[_Key, ResourceState]) -> None:
    """End the membership of every call in a conference or queue that has ended."""
    address = (str(event.customer_id), event.resource, event.resource_id)
    _end_places(
        event, {key: state for key, state in states.items() if key[:3] == address and key[3]}, touched
    )
    ResourceState.objects.filter(
        customer_id=event.customer_id, resource=event.resource, resource_id=event.resource_id, live=True
    ).exclude(member_id="").update(live=False, seq=event.seq, updated_at=event.timestamp)


def _end_places(event: Event, places: dict[_Key, ResourceState], touched: dict[_Key, ResourceState]) -> None:
    for key, state in places.items():
        if state.live:
            state.live = False
            state.seq = event.seq
            state.updated_at = event.timestamp
            touched[key] = state


def _places_of_ended_calls(
    stored: Sequence[tuple[Event, Draft]], states: dict[_Key, ResourceState]
) -> dict[tuple[str, str], dict[_Key, ResourceState]]:
    """Find the memberships of the calls that these events end, and add them to `states`."""
    places: dict[tuple[str, str], dict[_Key, ResourceState]] = {
        (draft.customer_id, draft.resource_id): {}
        for event, draft in stored
        if ends_call(event.event_type, draft.data)
    }
    for customer_id in {customer_id for customer_id, _ in places}:
        # The index holds live states only: as many as there are calls in queues and conferences now.
        for state in ResourceState.objects.filter(
            customer_id=customer_id,
            resource__in=MEMBER_RESOURCES,
            live=True,
            member_id__in=[call_id for owner, call_id in places if owner == customer_id],
        ):
            states.setdefault((customer_id, state.resource, state.resource_id, state.member_id), state)
    if places:
        for key, state in states.items():
            if (of_call := places.get((key[0], key[3]))) is not None and key[1] in MEMBER_RESOURCES:
                of_call[key] = state
    return places
