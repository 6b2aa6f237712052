"""States as dictionaries by their addresses, from REST, and how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

States = dict[str, dict[str, Any]]


def of_rest(items: dict[str, list[Any]]) -> States:
    """Return the states of items of the reading operation, by resource."""
    found = {}
    for resource, states in items.items():
        for item in states:
            progress = item["state"]
            state = {name: item[name] for name in ("since", "event_type", "updated_at", "data")}
            texts = {
                name: progress.get(name, "")
                for name in ("status", "status_since", "named_at", "ended_at", "corrected_at")
            }
            key = " ".join((resource, item["resource_id"], item.get("member_id", ""))).strip()
            found[key] = {
                **state,
                **texts,
                "live": item["active"],
                "agents": progress.get("agents", {}),
                "inferred": progress.get("inferred", False),
                "truncated": progress.get("truncated", False),
            }
    return found


def exact(states: States) -> States:
    """Return the states that a page knows exactly: of a place that has ended it may not know when."""
    return {key: state for key, state in states.items() if state["live"] or len(key.split(" ")) == 2}


def live(states: States, resources: Sequence[str] = ()) -> States:
    """Return the states that have not ended, of all resources or of these."""
    return {
        key: state
        for key, state in states.items()
        if state["live"] and (not resources or key.split(" ")[0] in resources)
    }


def differences(found: Any, expected: Any, where: str = "") -> list[str]:
    """Return what differs, one line for each value."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return [
            line
            for name in {**found, **expected}
            for line in differences(
                found.get(name, "missing"), expected.get(name, "missing"), f"{where}/{name}"
            )
        ]
    return [] if found == expected else [f"{where}: {found} instead of {expected}"]
