"""Tags: the small flat map of an event's resource after the event, at which filters look.

The tags of a resource follow from its state; `was` are the previous values of those that an event changed, `None` for
those that it added. An event of an earlier version has neither: its tags follow from its data alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from events.domain.event import Draft, Entry
from events.domain.event_parser import is_tag_value
from events.domain.phone_number import MAX_DIGITS, canonical_number
from events.domain.state import State, is_agent_id
from events.domain.strict_json import encode
from events.filters.compiled import Tags
from events.filters.expression import Scalar

_ADDRESSES = ("source", "destination")
_PLAIN = ("status", "direction", "queue_id")


class EventTags(NamedTuple):
    """An event's tags, and those with the previous values; `None` if the event changed no tag."""

    now: Tags
    before: Tags | None


class StoredTags(NamedTuple):
    """An event's tags as they are stored: JSON, `was` is `None` if it changed none."""

    tags: str
    was: str | None


def state_tags(resource: str, resource_id: str, state: State) -> dict[str, Scalar]:
    """Return the tags that follow from the state of a resource."""
    tags = _data_tags(resource, resource_id, state.data)
    if state.status:
        tags["status"] = state.status
    return {**state.tags, **tags} if state.tags else tags


def stored_tags(before: Mapping[str, Scalar] | None, after: Mapping[str, Scalar]) -> StoredTags:
    """Return the tags to store with an event.

    `before` are those of its resource before it, `None` if it is the first.
    """
    was: dict[str, Scalar | None] = {}
    if before is not None:
        # Mostly the same objects: the data of the state has most fields from earlier events.
        for name, old in before.items():
            new = after.get(name)
            if new is not old and (new != old or isinstance(new, bool) != isinstance(old, bool)):
                was[name] = old
        if len(after) + len(was) > len(before):
            was.update((name, None) for name in after if name not in before)
    return StoredTags(encode(after), encode(was) if was else None)


def event_tags(draft: Draft) -> StoredTags:
    """Return the tags of an event that changes no state: those of its data and its publisher."""
    tags = _data_tags(draft.resource, draft.resource_id, draft.data)
    return StoredTags(encode({**(draft.tags or {}), **tags}), None)


def tags_of(entry: Entry) -> EventTags:
    """Return the tags of a stored event."""
    _, _, resource, resource_id = entry.topics[0].split(":", 3)
    own: dict[str, Scalar] = (
        json.loads(entry.tags)
        if entry.tags is not None
        else _data_tags(resource, resource_id, data_of(entry))
    )
    now = {**own, "event_type": entry.event_type, "resource": resource, "resource_id": resource_id}
    if entry.was is None:
        return EventTags(now, None)
    was: dict[str, Scalar | None] = json.loads(entry.was)
    before = {name: value for name, value in now.items() if name not in was}
    before.update((name, value) for name, value in was.items() if value is not None)
    return EventTags(now, before)


def tags_of_state(
    resource: str, resource_id: str, event_type: str, data: dict[str, Any], progress: Mapping[str, Any]
) -> Tags:
    """Return the tags of a stored state: those of its last event."""
    state = State("", data=data)
    state.read_progress(progress)
    return {
        **state_tags(resource, resource_id, state),
        "event_type": event_type,
        "resource": resource,
        "resource_id": resource_id,
    }


def data_of(entry: Entry) -> Mapping[str, Any]:
    """Return the data of an entry."""
    data: Mapping[str, Any] = json.loads('{"topic": "' + entry.tail)["data"]
    return data


def _data_tags(resource: str, resource_id: str, data: Mapping[str, Any]) -> dict[str, Scalar]:
    tags: dict[str, Scalar] = {}
    for name in _PLAIN:
        value = data.get(name)
        if value and isinstance(value, str) and is_tag_value(value):
            tags[name] = value
    agent_id = data.get("agent_id")
    if isinstance(agent_id, str) and is_agent_id(agent_id):
        tags["agent_id"] = agent_id
    if resource in ("queue", "agent"):
        tags[f"{resource}_id"] = resource_id
    for name in _ADDRESSES:
        address = data.get(name)
        value = address.get("target") if isinstance(address, dict) else address
        if value and isinstance(value, str) and is_tag_value(value):
            tags[name] = _number(value)
    return tags


# A resource's events repeat its numbers, and parsing one costs more than the rest of the tags.
@lru_cache(maxsize=4096)
def _number(text: str) -> str:
    if text[0] == "+" and len(text) <= MAX_DIGITS + 1 and text[1:].isascii() and text[1:].isdigit():
        return text
    return canonical_number(text)
