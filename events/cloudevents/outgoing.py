"""Writing a frame as a CloudEvent.

Sans-I/O.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from events.cloudevents.attributes import SPEC_VERSION, TYPE_PREFIX
from events.domain.strict_json import encode
from events.event_types.catalogue import EVENT_TYPES
from events.event_types.schema import PATH


def write(frame: Mapping[str, Any], customer_id: str, site: str = "") -> dict[str, Any]:
    """Return the CloudEvent of a frame in the gateway's own form.

    `site` is the gateway's public URL without a path: `dataschema` must be absolute (CloudEvents 1.0, "dataschema"), so
    that it is missing without. The cursor comes last, as in a frame.
    """
    event_type, topic = frame["event_type"], frame["topic"]
    event: dict[str, Any] = {
        "specversion": SPEC_VERSION,
        "id": frame["id"],
        "source": f"/v1.0/customers/{customer_id}",
        "type": f"{TYPE_PREFIX}{event_type}",
        "subject": topic,
        "time": frame["timestamp"],
        "datacontenttype": "application/json",
    }
    # Data without all fields, as after the end of a permission, does not fit its schema.
    if site and event_type in EVENT_TYPES and "left" not in frame:
        event["dataschema"] = f"{site}{PATH}{event_type}"
    event["resourceid"] = topic.split(":", 3)[3]
    # The types of attributes have no lists and objects.
    if "agent_ids" in frame:
        event["agentids"] = ",".join(frame["agent_ids"])
    if "phase" in frame:
        event["phase"], event["phasesince"] = frame["phase"]
    event |= {name: frame[name] for name in ("active", "left", "ephemeral") if name in frame}
    event |= {"data": frame["data"], "cursor": frame["cursor"]}
    return event


def write_text(text: str, customer_id: str, site: str = "") -> str:
    """Return the CloudEvent of a frame, both as JSON."""
    return encode(write(json.loads(text), customer_id, site))
