"""Events put into the log as publishing puts them there."""

from __future__ import annotations

from typing import Any

from events.domain.event import Draft
from events.domain.event_parser import read_event
from events.domain.topics import known_resources
from events.log.publish import Receipt, publish


def draft(customer_id: str, event_type: str, data: dict[str, Any], **fields: Any) -> Draft:
    """A valid event; `fields` are more of the item's, such as agent_ids."""
    item = {"event_type": event_type, "data": data, **fields}
    return read_event(item, customer_id=customer_id, resources=known_resources(), max_bytes=2**20)


def store(customer_id: str, event_type: str, data: dict[str, Any], **fields: Any) -> Receipt:
    """Publish one event."""
    return publish([draft(customer_id, event_type, data, **fields)])[0]
