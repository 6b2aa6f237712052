"""Test events, which an operator publishes to see whether a receiver gets them.

They do not change any resource state.
"""

from __future__ import annotations

from django.conf import settings

from events.domain.event import Draft, concerned_agents, topics_of
from events.domain.event_parser import read_event
from events.domain.resource_state import TEST_ACTION
from events.domain.topics import known_resources
from events.log.publish import Receipt, publish
from subscriptions.models import AccessKey, Agent

MESSAGE = "A test event: an operator wants to see whether it arrives."


def probe_for(receiver: Agent | AccessKey) -> Draft:
    """Build the test event of an agent, or of an access key without one."""
    if isinstance(receiver, AccessKey) and receiver.agent is not None:
        receiver = receiver.agent
    resource = "agent" if isinstance(receiver, Agent) else "accesskey"
    item = {
        "event_type": f"{resource}.{TEST_ACTION}",
        "data": {f"{resource}_id": str(receiver.pk), "message": MESSAGE},
    }
    return read_event(
        item,
        customer_id=str(receiver.customer_id),
        resources=known_resources(settings.EVENTS_EXTRA_RESOURCES),
        max_bytes=settings.EVENTS_MAX_DATA_BYTES,
    )


def probe_topics(receiver: Agent | AccessKey) -> tuple[str, ...]:
    """Return the topics on which the test event is delivered."""
    draft = probe_for(receiver)
    return topics_of(draft.customer_id, draft.resource, draft.resource_id, concerned_agents(draft))


def publish_probe(receiver: Agent | AccessKey) -> Receipt:
    """Publish the test event of this receiver."""
    return publish([probe_for(receiver)])[0]
