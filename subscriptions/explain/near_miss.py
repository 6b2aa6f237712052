"""Finding the requested topic that comes closest to an event that no subscription covers.

Sans-I/O.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from events.domain.topics import (
    AGENT_SCOPE,
    ANY,
    CUSTOMER_SCOPE,
    InvalidTopic,
    Pattern,
    covering_patterns,
    parse_pattern,
    quoted,
)
from subscriptions.explain.connection_history import HistoryRecord
from subscriptions.explain.sentence import Sentence

LIKE = 0.6
"""Least similarity, of 1, of an unreadable topic to a topic of the event."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The requested topic that comes closest, and why it does not cover the event."""

    closeness: float
    rule: str
    message: str


def pattern_of(topic: str, resources: Collection[str]) -> Pattern | None:
    """Parse a pattern; return `None` if the text is invalid."""
    try:
        return parse_pattern(topic, resources)
    except InvalidTopic:
        return None


def near_miss(
    topics: Sequence[str], requested: Iterable[HistoryRecord], resources: Collection[str]
) -> NearMiss | None:
    """Return the closest requested topic, given that no granted one covers the event."""
    misses = [
        miss
        for each in {(each.topic, each.times): each for each in requested}.values()
        if (miss := _miss(topics, each, resources)) is not None
    ]
    return max(misses, key=lambda miss: miss.closeness, default=None)


def _miss(topics: Sequence[str], requested: HistoryRecord, resources: Collection[str]) -> NearMiss | None:
    pattern = pattern_of(requested.topic, resources)
    covers = pattern is not None and any(pattern.covers(topic) for topic in topics)
    if requested.times > 1 and not covers:
        message = Sentence(
            "{count} topics that are not recorded one by one were refused ({rule}): {detail}",
            count=requested.times,
            rule=requested.rule,
            detail=requested.detail,
        )
        return NearMiss(6.4, requested.rule, message)
    if pattern is None:
        return _unreadable(topics, requested)
    if not requested.is_granted:
        if covers:
            return NearMiss(
                10,
                requested.rule,
                Sentence(
                    "It requested {topic} and was refused ({rule}): {detail}",
                    topic=requested.topic,
                    rule=requested.rule,
                    detail=requested.detail,
                ),
            )
        return None
    return max((_other(topic, pattern, topics) for topic in topics), key=lambda miss: miss.closeness)


def _unreadable(topics: Sequence[str], requested: HistoryRecord) -> NearMiss | None:
    likeness = max(
        (
            difflib.SequenceMatcher(None, requested.topic.lower()[:300], covering).ratio()
            for topic in topics[:10]
            for covering in (*covering_patterns(topic), topic.rpartition(":")[0])
        ),
        default=0.0,
    )
    if likeness < LIKE:
        return None
    return NearMiss(
        7 + likeness,
        requested.rule,
        Sentence(
            "It requested {topic} and was refused: {detail}",
            topic=quoted(requested.topic),
            detail=requested.detail,
        ),
    )


def _other(topic: str, pattern: Pattern, topics: Sequence[str]) -> NearMiss:
    """Describe how the pattern differs from one topic of the event."""
    event = Pattern.from_canonical(topic)
    same_resource = pattern.resource in (ANY, event.resource)
    same_id = pattern.resource_id in (ANY, event.resource_id)
    closeness = 1.0 + same_resource + same_id
    if (pattern.scope, pattern.scope_id) == (event.scope, event.scope_id):
        if same_resource:
            message = Sentence(
                "The closest that it subscribed to is {topic}: that is one {resource}, and the event is of {other}.",
                topic=pattern,
                resource=event.resource,
                other=event.resource_id,
            )
            return NearMiss(4 + closeness, "other-resource-id", message)
        message = Sentence(
            "The closest that it subscribed to is {topic}: that is of {resource}, and the event is of {other}.",
            topic=pattern,
            resource=pattern.resource,
            other=event.resource,
        )
        return NearMiss(3 + closeness, "other-resource", message)
    if pattern.scope == AGENT_SCOPE:
        if same_resource and same_id:
            concerned = [each for each in topics if each.startswith(f"{AGENT_SCOPE}:")]
            if concerned:
                message = Sentence(
                    "The closest that it subscribed to is {topic}: these are the agent's own topics, and the event "
                    "concerns other agents.",
                    topic=pattern,
                )
            else:
                message = Sentence(
                    "The closest that it subscribed to is {topic}: these are the agent's own topics, and the event "
                    "concerns no agent.",
                    topic=pattern,
                )
            return NearMiss(6.5, "not-concerned", message)
        message = Sentence(
            "The closest that it subscribed to is {topic}: that is another agent's.", topic=pattern
        )
        return NearMiss(closeness, "other-agent", message)
    if event.scope == CUSTOMER_SCOPE:
        message = Sentence(
            "The closest that it subscribed to is {topic}: that is of another customer.", topic=pattern
        )
        return NearMiss(closeness + 0.5, "other-customer", message)
    message = Sentence(
        "The closest that it subscribed to is {topic}, which does not cover the event.", topic=pattern
    )
    return NearMiss(closeness, "other-scope", message)
