"""The state of a resource: which events change it, how data merges, what ends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ENDING_ACTIONS = frozenset({"ended", "completed", "deleted"})
"""The actions that end a resource."""

TEST_ACTION = "test"
"""The action of events that test the delivery. They change no state."""

MEMBER_RESOURCES = frozenset({"queue", "conference"})
"""Resources with calls as members: the membership of each call has a state of its own."""

_MEMBER_LEAVES = "left"
_HUNG_UP = "hangup"


def member_of(resource: str, data: Mapping[str, Any]) -> str:
    """Return the call whose membership of a queue or conference the event is about, or ""."""
    if resource in MEMBER_RESOURCES and isinstance(call_id := data.get("call_id"), str):
        return call_id[:128]
    return ""


def changes_state(event_type: str) -> bool:
    """Return whether an event of this type changes the state of its resource."""
    return event_type.partition(".")[2] != TEST_ACTION


def is_live_after(event_type: str, member_id: str, data: Mapping[str, Any]) -> bool:
    """Return whether the resource, or the call's membership of it, is live after an event.

    `data` is the merged data with this event: a call that has hung up has ended, whatever events follow.
    """
    resource, _, action = event_type.partition(".")
    if resource == "message":
        return False  # A message happens; it does not last.
    if resource == "call" and data.get("status") == _HUNG_UP:
        return False
    return action not in ENDING_ACTIONS and not (member_id and action == _MEMBER_LEAVES)


def ends_call(event_type: str, data: Mapping[str, Any]) -> bool:
    """Return whether the event ends a call, and so its membership of queues and conferences."""
    return event_type.startswith("call.") and not is_live_after(event_type, "", data)


def ends_members(event_type: str, member_id: str) -> bool:
    """Return whether the event ends a queue or conference, and so all memberships of it."""
    resource, _, action = event_type.partition(".")
    return resource in MEMBER_RESOURCES and not member_id and action in ENDING_ACTIONS


def merged(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the data of a later event into that of a resource."""
    return {**earlier, **later}
