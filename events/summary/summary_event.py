"""The events of the log as a summary reads them, with what the fold of states made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from events.domain.event import Entry, parse_timestamp

RESOURCES = frozenset({"queue", "call", "agent", "sla"})
"""The resources whose events change a summary."""

_HEAD = len('{"event_type": "')
_TIME = '", "timestamp": "'


class SummaryEvent(NamedTuple):
    """An event after the fold of states.

    `status` and `status_before` are those of its resource. `at` is in seconds since 1970. `ended` is true if the
    resource has ended, false if it is live after all, else `None`. The data of a call's event is only present with its
    end.
    """

    event_type: str
    resource: str
    resource_id: str
    at: float
    ended: bool | None
    status: str
    status_before: str | None
    data: Mapping[str, Any]


def read_entry(entry: Entry) -> SummaryEvent | None:
    """Read the event of an entry; `None` if it changes no summary."""
    _, _, resource, resource_id = entry.topics[0].split(":", 3)
    if resource not in RESOURCES:
        return None
    body, _, _ = entry.tail.rpartition(', "id": "')
    ended = True if body.endswith(' "active": false') else False if body.endswith(' "active": true') else None
    has_data = resource != "call" or ended
    head = entry.head
    end = head.index('"', _HEAD)
    begin = end + len(_TIME)
    at = parse_timestamp(head[begin : head.index('"', begin)]).timestamp()
    data = json.loads('{"topic": "' + entry.tail)["data"] if has_data else {}
    return summary_event(head[_HEAD:end], resource, resource_id, at, ended, entry.tags, entry.was, data)


def summary_event(
    event_type: str,
    resource: str,
    resource_id: str,
    at: float,
    ended: bool | None,
    tags: str | None,
    was: str | None,
    data: Mapping[str, Any],
) -> SummaryEvent:
    """Return the event with these values; `tags` and `was` are as they are stored."""
    status = before = None
    if resource != "call":
        status = json.loads(tags).get("status") if tags else data.get("status")
        before = json.loads(was).get("status") if was else None
    return SummaryEvent(
        event_type,
        resource,
        resource_id,
        at,
        ended,
        status if isinstance(status, str) else "",
        before if isinstance(before, str) else None,
        data,
    )
