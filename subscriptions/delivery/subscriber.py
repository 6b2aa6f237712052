"""A connection as the hub sees it: its outbox, and its topics by customer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from events.cloudevents.outgoing import write_entry
from events.domain.event import Entry, Form
from events.filters.event_filter import EventFilter
from subscriptions.delivery.outbox import Outbox
from subscriptions.delivery.replay import Replay
from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.effects import HeldTopic
from subscriptions.protocol.frames import text_frame


@dataclass(slots=True)
class CustomerSubscription:
    """The subscriptions of one connection to one customer's log.

    `starts` has the number after which each pattern delivers. `topics` has the client's texts of each pattern: `…:call`
    and `…:call:*` are one pattern, which ends when both have been unsubscribed. `filters` has the filters that are not
    empty: a pattern has that of the topic that was subscribed last. While a replay runs, the subscriber is not attached
    to the feed, and `sent_to` is the number that the replay has reached.
    """

    starts: dict[str, int] = field(default_factory=dict)
    topics: dict[str, set[str]] = field(default_factory=dict)
    filters: dict[str, EventFilter] = field(default_factory=dict)
    replay: Replay | None = None
    sent_to: int = 0


@dataclass(eq=False, slots=True)
class Subscriber:
    """The outbox and subscriptions of one connection; `close` starts to close it.

    With `cloud_events_of`, the gateway's public URL or "", it receives events as CloudEvents.
    """

    outbox: Outbox
    close: Callable[[CloseCode, str], None]
    cloud_events_of: str | None = None
    subscriptions: dict[str, CustomerSubscription] = field(default_factory=dict)

    def frame(self, entry: Entry, topic: str, form: Form) -> bytes:
        """Return the frame of an entry: the same for all with this `cloud_events_of`."""
        if self.cloud_events_of is None:
            return text_frame(entry.frame(topic, form))
        return text_frame(write_entry(entry, topic, form, self.cloud_events_of))

    def hold(self, topics: Iterable[HeldTopic]) -> dict[str, list[str]]:
        """Add these topics, and set their filters; returns their patterns by customer."""
        patterns: dict[str, list[str]] = {}
        for topic in topics:
            subscription = self.subscriptions.setdefault(topic.customer_id, CustomerSubscription())
            pattern = str(topic.pattern)
            subscription.topics.setdefault(pattern, set()).add(topic.text)
            if topic.filter.is_empty:
                subscription.filters.pop(pattern, None)
            else:
                subscription.filters[pattern] = topic.filter
            patterns.setdefault(topic.customer_id, []).append(pattern)
        return patterns

    def holds(self, topic: HeldTopic) -> bool:
        """Return whether this topic was added and not removed."""
        subscription = self.subscriptions.get(topic.customer_id)
        return subscription is not None and topic.text in subscription.topics.get(str(topic.pattern), ())

    def release(self, topics: Iterable[HeldTopic]) -> dict[str, list[str]]:
        """Remove these topics; returns the patterns without any topic left, by customer."""
        patterns: dict[str, list[str]] = {}
        for topic in topics:
            subscription = self.subscriptions.get(topic.customer_id)
            if subscription is None:
                continue
            pattern = str(topic.pattern)
            texts = subscription.topics.get(pattern, set())
            texts.discard(topic.text)
            if texts:
                continue
            subscription.topics.pop(pattern, None)
            subscription.starts.pop(pattern, None)
            subscription.filters.pop(pattern, None)
            if subscription.replay is not None:
                subscription.replay.forget(pattern)
            if not subscription.topics:
                del self.subscriptions[topic.customer_id]
            patterns.setdefault(topic.customer_id, []).append(pattern)
        return patterns
