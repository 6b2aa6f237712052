"""Cleanup after killed simulators: their calls are ended before new ones begin."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from django.db.models import Exists, OuterRef

from events.models import Event, ResourceState
from voipbin_ws.demo.simulation.model.event_recorder import KEY_PREFIX

MAX_EVENTS_IN_REQUEST = 500
REASON = "simulator killed"


class NotPublished(Exception):
    """The gateway did not take the events; the message is its answer."""


def end_unfinished(url: str, publish_keys: Mapping[str, str]) -> None:
    """Publish the end of each customer's resources that earlier simulators left.

    Raises:
        NotPublished: the gateway did not take the events.
        DatabaseError: the database does not answer.
    """
    for customer_id, key in publish_keys.items():
        events = list(_endings(customer_id))
        for start in range(0, len(events), MAX_EVENTS_IN_REQUEST):
            _publish(url, key, events[start : start + MAX_EVENTS_IN_REQUEST])


def _publish(url: str, key: str, events: list[dict[str, Any]]) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    try:
        response = httpx.post(f"{url}/v1.0/events", json=events, headers=headers, timeout=30, trust_env=False)
    except httpx.TransportError as error:
        raise NotPublished(f"no answer ({type(error).__name__})") from None
    if response.status_code != httpx.codes.CREATED:
        raise NotPublished(f"{response.status_code} {response.text[:200]}")


def _endings(customer_id: str) -> Iterator[dict[str, Any]]:
    """Yield one event for each live resource of an earlier simulator."""
    simulated = Event.objects.filter(
        customer_id=customer_id, seq=OuterRef("seq"), idempotency_key__startswith=KEY_PREFIX
    )
    for state in ResourceState.objects.filter(Exists(simulated), customer_id=customer_id, live=True):
        if ending := _ending(state, json.loads(state.body)):
            event_type, data = ending
            yield {"event_type": event_type, "data": data}


def _ending(state: ResourceState, known: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    own = {"id": state.resource_id}
    match state.resource:
        case "call":
            hung_up = {"status": "hangup", "previous_status": known.get("status"), "hangup_by": "local"}
            return "call.ended", own | hung_up | {"hangup_reason": REASON, "agent_id": None}
        case "queue" if state.member_id:
            return "queue.left", {"queue_id": state.resource_id, "call_id": state.member_id, "reason": REASON}
        case "conference" if state.member_id:
            place = {"conference_id": state.resource_id, "call_id": state.member_id}
            return "conference.left", place | {"participant_count": 0, "reason": REASON}
        case "activeflow":
            return "activeflow.completed", own | {"status": "ended", "result": REASON}
        case "recording":
            return "recording.completed", own | {"status": "ended", "call_id": known.get("call_id")}
        case "agent" if known.get("status") != "offline":
            status = {"status": "offline", "previous_status": known.get("status"), "call_id": None}
            return "agent.status", {"agent_id": state.resource_id} | status
    return None
