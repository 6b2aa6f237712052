"""The feed of one customer's log: its position, its gap and its subscriptions.

Sans-I/O. Entries go in, deliverable entries come out; the hub reads and sends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

from events.domain.cursor import Mark
from events.domain.event import Entry, Form
from events.domain.topics import covering_patterns
from events.filters.event_filter import NO_FILTER, Decision, EventFilter
from events.filters.tags import EventTags, tags_of

S = TypeVar("S")

MAX_AHEAD = 1000
MAX_AHEAD_BYTES = 512 * 1024
"""Entries and bytes that are kept while an earlier entry is missing; all others are read from the log. Those that are
kept are delivered at once when the missing entry arrives."""

TAIL_MAX_ENTRIES = 1000
TAIL_MAX_BYTES = 512 * 1024
"""Entries and bytes that are kept after delivery, so that a thousand clients that reconnect at once read nothing from
the database."""

MAX_IDS = 10_000
"""Ids that are kept until the log is compared: those of a few seconds, unless the log cannot be read."""


class Gap(NamedTuple):
    """The numbers above `after` up to `upto`, which must be read from the log."""

    after: int
    upto: int


class Receivers(NamedTuple, Generic[S]):
    """The subscribers that receive an entry by one topic and in one form."""

    topic: str
    form: Form
    subscribers: list[S]


class _Group(NamedTuple, Generic[S]):
    """The subscribers of a pattern that share a filter, and the filter as a function."""

    decide: Decision
    subscribers: dict[S, None]


NO_FILTERS: Mapping[str, EventFilter] = MappingProxyType({})


class Feed(Generic[S]):
    """The feed of one customer for subscribers of type `S`.

    `position` is the last number that was delivered: all entries up to it were, and none above it.
    """

    def __init__(self, customer_id: str, epoch: str, position: int, last_id: str = "") -> None:
        self.customer_id = customer_id
        self.epoch = epoch
        self.position = position
        self._ahead: dict[int, Entry] = {}
        self._ahead_size = 0
        self._highest = position
        self._verified_to = position
        self._ids = {position: last_id} if last_id else {}
        self._index: dict[str, dict[S, None]] = {}
        self._filtered: dict[str, dict[EventFilter, _Group[S]]] = {}
        self._filter_of: dict[tuple[S, str], EventFilter] = {}
        self._tail: deque[Entry] = deque()
        self._tail_size = 0

    # --- Numbers ---

    def offer(self, entries: Iterable[Entry]) -> list[Entry]:
        """Take entries from the layer or the log; returns those that can be delivered, in order.

        Entries that were delivered before are dropped; early ones are kept until the missing ones arrive.
        """
        ready: list[Entry] = []
        for entry in entries:
            if entry.seq == self.position + 1:
                self._advance(entry, ready)
                while self._ahead and (held := self._ahead.pop(self.position + 1, None)):
                    self._ahead_size -= held.size
                    self._advance(held, ready)
            elif entry.seq > self.position:
                self._highest = max(self._highest, entry.seq)
                self._keep(entry)
            if entry.seq > self._verified_to and len(self._ids) < MAX_IDS:
                self._ids.setdefault(entry.seq, entry.event_id)
        return ready

    def _keep(self, entry: Entry) -> None:
        has_room = len(self._ahead) < MAX_AHEAD and self._ahead_size + entry.size <= MAX_AHEAD_BYTES
        if has_room and entry.seq not in self._ahead:
            self._ahead[entry.seq] = entry
            self._ahead_size += entry.size

    def raise_head(self, last_seq: int) -> None:
        """Note that the log has entries up to this number."""
        self._highest = max(self._highest, last_seq)

    @property
    def head(self) -> int:
        """The highest known number of the log."""
        return max(self.position, self._highest)

    @property
    def mark(self) -> Mark:
        """What the log must have, unless it went backwards."""
        return Mark(self.epoch, self.head, dict(self._ids))

    def verified(self, mark: Mark) -> None:
        """Note that the log did not contradict this mark: only its last event is compared again."""
        self._verified_to = max(mark.ids, default=0)
        self._ids = {seq: event_id for seq, event_id in self._ids.items() if seq >= self._verified_to}

    @property
    def gap(self) -> Gap | None:
        """The first numbers that are missing; `None` while nothing is missing."""
        if self._highest <= self.position:
            return None
        upto = min(self._ahead) - 1 if self._ahead else self._highest
        return Gap(self.position, upto) if upto > self.position else None

    def _advance(self, entry: Entry, ready: list[Entry]) -> None:
        self.position = entry.seq
        self._highest = max(self._highest, entry.seq)
        ready.append(entry)
        self._tail.append(entry)
        self._tail_size += entry.size
        while len(self._tail) > TAIL_MAX_ENTRIES or self._tail_size > TAIL_MAX_BYTES:
            self._tail_size -= self._tail.popleft().size

    def tail_after(self, seq: int) -> Sequence[Entry] | None:
        """The entries above `seq` up to the position; `None` if not all of them are kept."""
        if seq >= self.position:
            return ()
        if not self._tail or self._tail[0].seq > seq + 1:
            return None
        return [entry for entry in self._tail if entry.seq > seq]

    # --- Subscribers ---

    @property
    def is_idle(self) -> bool:
        """Whether the feed has no subscriber."""
        return not self._index and not self._filtered

    def attach(
        self, subscriber: S, patterns: Iterable[str], filters: Mapping[str, EventFilter] = NO_FILTERS
    ) -> None:
        """Deliver to the subscriber what these patterns cover and their filters match.

        Patterns are in canonical form. One that the subscriber holds already gets the new filter.
        """
        for pattern in patterns:
            chosen = filters.get(pattern, NO_FILTER)
            self.detach(subscriber, (pattern,))
            if chosen.is_empty:
                self._index.setdefault(pattern, {})[subscriber] = None
                continue
            groups = self._filtered.setdefault(pattern, {})
            if (group := groups.get(chosen)) is None:
                group = groups[chosen] = _Group(chosen.compiled(), {})
            group.subscribers[subscriber] = None
            self._filter_of[subscriber, pattern] = chosen

    def detach(self, subscriber: S, patterns: Iterable[str]) -> None:
        """Stop delivering to the subscriber what these patterns cover."""
        for pattern in patterns:
            subscribers = self._index.get(pattern)
            if subscribers is not None:
                subscribers.pop(subscriber, None)
                if not subscribers:
                    del self._index[pattern]
            if (held := self._filter_of.pop((subscriber, pattern), None)) is not None:
                groups = self._filtered[pattern]
                del groups[held].subscribers[subscriber]
                if not groups[held].subscribers:
                    del groups[held]
                if not groups:
                    del self._filtered[pattern]

    def receivers(self, entry: Entry) -> list[Receivers[S]]:
        """The entry's subscribers by topic and form, each once.

        With the first of its topics that matches, or else that matched before.
        """
        index = self._index
        found: list[Receivers[S]] = []
        for topic in entry.topics:
            for pattern in covering_patterns(topic):
                if subscribers := index.get(pattern):
                    found.append(Receivers(topic, Form.WHOLE, list(subscribers)))
        if self._filtered:
            found += self._filtered_receivers(entry)
        if len(found) < 2:
            return found
        if self._filtered:
            topics = {topic: place for place, topic in enumerate(entry.topics)}
            found.sort(key=lambda each: (each.form.value, topics[each.topic]))
        chosen: dict[S, tuple[str, Form]] = {}
        for topic, form, subscribers_by_pattern in reversed(found):
            chosen.update(dict.fromkeys(subscribers_by_pattern, (topic, form)))
        together: dict[tuple[str, Form], list[S]] = {}
        for subscriber, how in chosen.items():
            together.setdefault(how, []).append(subscriber)
        return [Receivers(*how, subscribers) for how, subscribers in together.items()]

    def _filtered_receivers(self, entry: Entry) -> list[Receivers[S]]:
        """The subscribers whose filters match; each filter is evaluated once."""
        found: list[Receivers[S]] = []
        tags: EventTags | None = None
        decided: dict[EventFilter, Form | None] = {}
        for topic in entry.topics:
            for pattern in covering_patterns(topic):
                for each, group in self._filtered.get(pattern, {}).items():
                    if each not in decided:
                        tags = tags or tags_of(entry)
                        decided[each] = group.decide(tags)
                    if (form := decided[each]) is not None:
                        found.append(Receivers(topic, form, list(group.subscribers)))
        return found
