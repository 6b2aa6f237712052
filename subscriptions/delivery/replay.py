"""A replay: which past events one subscriber is sent when topics join those that it holds.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Mapping

from events.domain.event import Entry, Form
from events.domain.topics import covering_patterns
from events.filters.event_filter import Decision, EventFilter
from events.filters.tags import EventTags, tags_of
from subscriptions.delivery.feed import NO_FILTERS


class Replay:
    """The past events to send to one subscriber, when topics join those that it already holds.

    A start is a number of the customer's log: the pattern delivers the entries after it. `position` is the feed's
    position when the replay began: up to there the held patterns have been delivered live. `begins_at` is ahead of it
    if another process has sent the client events that have not arrived here. `held_filters` are the filters by which
    the held patterns were delivered, `filters` those of all patterns from now on.
    """

    def __init__(
        self,
        held: Mapping[str, int],
        fresh: Mapping[str, int],
        position: int,
        held_filters: Mapping[str, EventFilter] = NO_FILTERS,
        filters: Mapping[str, EventFilter] = NO_FILTERS,
    ) -> None:
        self.begins_at = max(fresh.values(), default=position)
        self._held = dict(held)
        self._held_decisions = _compiled(held_filters)
        self._decisions = _compiled(filters)
        self.position = position
        self.starts = {pattern: min(start, fresh.get(pattern, start)) for pattern, start in held.items()}
        for pattern, start in fresh.items():
            self.starts.setdefault(pattern, start)

    def forget(self, pattern: str) -> None:
        """Remove a pattern that was unsubscribed, or is not permitted any more."""
        self.starts.pop(pattern, None)

    def refilter(self, filters: Mapping[str, EventFilter]) -> None:
        """Replace the filters for the entries that follow."""
        self._decisions = _compiled(filters)

    def receipt(self, entry: Entry) -> tuple[str, Form] | None:
        """The topic and form to send the entry with; `None` if it is not to be sent.

        Because nothing matches, or because it was delivered.
        """
        received = _received_by(entry, self.starts, self._decisions)
        if received is None or entry.seq > self.position:
            return received
        before = _received_by(entry, self._held, self._held_decisions)
        # An event that was delivered as one that left is delivered again if it matches a new filter.
        return received if before is None or received[1].value < before[1].value else None


def _compiled(filters: Mapping[str, EventFilter]) -> dict[str, Decision]:
    return {pattern: each.compiled() for pattern, each in filters.items() if not each.is_empty}


def _received_by(
    entry: Entry, starts: Mapping[str, int], decisions: Mapping[str, Decision]
) -> tuple[str, Form] | None:
    best: tuple[str, Form] | None = None
    tags: EventTags | None = None
    for topic in entry.topics:
        for pattern in covering_patterns(topic):
            start = starts.get(pattern)
            if start is None or start >= entry.seq:
                continue
            if (decide := decisions.get(pattern)) is None:
                return topic, Form.WHOLE
            tags = tags or tags_of(entry)
            form = decide(tags)
            if form is Form.WHOLE:
                return topic, form
            if form is not None and (best is None or form.value < best[1].value):
                best = topic, form
    return best
