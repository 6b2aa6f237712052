"""A connection as the hub sees it: its outbox, and its topics by customer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from events.cloudevents.outgoing import write_text
from events.domain.event import Entry, Form
from events.filters.event_filter import EventFilter
from events.masks.number_mask import mask_document
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


class View(NamedTuple):
    """How a subscriber receives events: numbers masked or not, as CloudEvents or not.

    `cloud_events_of` is the gateway's public URL or "" for CloudEvents, else `None`.
    """

    masks_numbers: bool = False
    cloud_events_of: str | None = None

    def shown(self, text: str, customer_id: str) -> str:
        """Return the JSON text of a frame in this view."""
        if self.masks_numbers:
            text = mask_document(text)
        return text if self.cloud_events_of is None else write_text(text, customer_id, self.cloud_events_of)


PLAIN = View()


@dataclass(eq=False, slots=True)
class Subscriber:
    """The outbox and subscriptions of one connection; `close` starts to close it.

    `view` is how it receives them: all subscribers with one view receive the same frames.
    """

    outbox: Outbox
    close: Callable[[CloseCode, str], None]
    view: View = PLAIN
    subscriptions: dict[str, CustomerSubscription] = field(default_factory=dict)

    def frame(self, entry: Entry, topic: str, form: Form) -> bytes:
        """Return the frame of an entry in this subscriber's view."""
        customer_id = entry.topics[0].split(":", 2)[1]
        return text_frame(self.view.shown(entry.frame(topic, form), customer_id))

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
