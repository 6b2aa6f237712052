"""The present state of a resource: which row an event changes, how its data merges, and which events end it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ENDING_ACTIONS = frozenset({"ended", "completed", "deleted"})
"""Actions after which the resource lives no more."""

TEST_ACTION = "test"
"""Of an event that is published to see whether it arrives. It says nothing of its resource, and changes no state."""

MEMBER_RESOURCES = frozenset({"queue", "conference"})
"""Resources that calls enter and leave: each call in one has a state of its own."""

_MEMBER_LEAVES = "left"
_HUNG_UP = "hangup"


def member_of(resource: str, data: Mapping[str, Any]) -> str:
    """The call whose place in a queue or conference the event tells of; empty for everything else."""
    if resource in MEMBER_RESOURCES and isinstance(call_id := data.get("call_id"), str):
        return call_id[:128]
    return ""


def changes_state(event_type: str) -> bool:
    """Whether an event of this type says something of its resource."""
    return event_type.partition(".")[2] != TEST_ACTION


def is_live_after(event_type: str, member_id: str, data: Mapping[str, Any]) -> bool:
    """Whether the resource (or the call's place in it) still lives after an event of this type.

    `data` is what is known of it with this event: a call that has hung up has ended, whatever is told of it later.
    """
    resource, _, action = event_type.partition(".")
    if resource == "message":
        return False  # A message happens; it does not last.
    if resource == "call" and data.get("status") == _HUNG_UP:
        return False
    return action not in ENDING_ACTIONS and not (member_id and action == _MEMBER_LEAVES)


def ends_call(event_type: str, data: Mapping[str, Any]) -> bool:
    """Whether the event ends a call, and with it the call's places in queues and conferences."""
    return event_type.startswith("call.") and not is_live_after(event_type, "", data)


def ends_members(event_type: str, member_id: str) -> bool:
    """Whether the event ends the place of every call in the resource: the conference or queue itself is over."""
    resource, _, action = event_type.partition(".")
    return resource in MEMBER_RESOURCES and not member_id and action in ENDING_ACTIONS


def merged(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """The data known of a resource after a later event: what it names anew replaces what was known."""
    return {**earlier, **later}
