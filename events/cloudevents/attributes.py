"""The names that CloudEvents and the gateway's own events share.

Sans-I/O.
"""

from __future__ import annotations

SPEC_VERSION = "1.0"
TYPE_PREFIX = "com.voipbin."
"""Before the event type, as CloudEvents recommends a reversed DNS name (section "type")."""

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
PAGE_OF_CLOUD_EVENTS = "application/vnd.voipbin.cloudevents-page+json"
FORMAT = "cloudevents"
"""The value of the parameter `format` by which a client receives CloudEvents."""

OWN_NAMES = {"type": "event_type", "time": "timestamp", "customerid": "customer_id", "agentids": "agent_ids"}
"""The attributes of a CloudEvent that are fields of a published event, and those fields."""


def is_cloud_events(value: str | None) -> bool:
    """Return whether the parameter `format` of a request is that of CloudEvents.

    Raises:
        ValueError: There is no such format.
    """
    if value in (None, ""):
        return False
    if value != FORMAT:
        raise ValueError(f"the format is {FORMAT}, or leave the parameter out for the gateway's own")
    return True
