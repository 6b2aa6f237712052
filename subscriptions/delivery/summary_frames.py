"""The frames of summaries: which a subscriber receives, and what they contain."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from events.domain.event import format_timestamp
from events.domain.strict_json import encode
from events.domain.topics import (
    AGENT_SCOPE,
    ANY,
    SUMMARY_OF_ALL,
    SUMMARY_RESOURCE,
    agent_topic,
    customer_topic,
)
from events.summary.counts import hour_before
from events.summary.customer_summary import Summary
from events.summary.figures import queue_figures, queue_ids, total_figures
from subscriptions.delivery.subscriber import View
from subscriptions.protocol.effects import HeldTopic
from subscriptions.protocol.frames import text_frame
from subscriptions.protocol.permissions import SummaryAccess

EVENT_TYPE = "summary.changed"


class WantedSummary(NamedTuple):
    """A summary that a subscriber receives: of a queue or of all, and under which topic."""

    name: str
    topic: str
    with_agents: bool


def wanted_summaries(topics: Iterable[HeldTopic], summary: Summary) -> Iterator[WantedSummary]:
    """Yield the summaries of a subscriber, each once.

    A queue that is not known has none: what a client makes up costs nothing.
    """
    found: dict[str, WantedSummary] = {}
    queues = summary.fold.profile.queues
    for held in topics:
        pattern, chosen = held.pattern, held.pattern.resource_id
        is_of_agent = pattern.scope == AGENT_SCOPE
        if chosen == ANY or (is_of_agent and chosen == SUMMARY_OF_ALL):
            names = queue_ids(summary.fold)
        else:
            is_known = chosen == SUMMARY_OF_ALL or chosen in queues or chosen in summary.fold.lines
            names = [chosen] if is_known else []
        if (own := held.summary_queues) is not None:
            # The summary of all counts other queues too.
            names = [name for name in names if name in own]
        if is_of_agent:
            for name in names:
                if name in queues and pattern.scope_id in queues[name].agent_ids:
                    topic = agent_topic(pattern.scope_id, SUMMARY_RESOURCE, name)
                    found.setdefault(name, WantedSummary(name, topic, with_agents=False))
            continue
        for name in (*names, *((SUMMARY_OF_ALL,) if chosen == ANY and own is None else ())):
            topic = customer_topic(held.customer_id, SUMMARY_RESOURCE, name)
            found[name] = WantedSummary(name, topic, held.summary is SummaryAccess.WITH_AGENTS)
    yield from found.values()


def figures_of(summary: Summary, name: str, now: float) -> Mapping[str, Any]:
    """Return the figures of a queue or of all, with the buckets of the last hour."""
    since = hour_before(now)
    if name == SUMMARY_OF_ALL:
        return total_figures(summary.fold, now, since=since)
    return queue_figures(summary.fold, name, now, since=since)


def comparable(figures: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures without what changes with the time alone."""
    return {name: value for name, value in figures.items() if name != "occupancy"}


def summary_frame(
    summary: Summary,
    wanted: WantedSummary,
    figures: Mapping[str, Any],
    now: float,
    view: View,
) -> bytes:
    """Return the frame of a summary, with the cursor at which it holds as its end."""
    data = dict(figures)
    if not wanted.with_agents:
        del data["agents"]
        data["buckets"] = [
            {name: value for name, value in bucket.items() if name != "available"}
            for bucket in data["buckets"]
        ]
    text = encode(
        {
            "event_type": EVENT_TYPE,
            "timestamp": format_timestamp(datetime.fromtimestamp(now, UTC)),
            "topic": wanted.topic,
            "data": data,
            "ephemeral": True,
            "id": str(uuid.uuid4()),
            "cursor": str(summary.position),
        }
    )
    return text_frame(view.shown(text, summary.customer_id))
