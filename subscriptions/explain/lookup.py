"""Looking up an event by its id, cursor or topic, as far as the viewer may see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings

from events.domain.cursor import InvalidCursor, Position, parse_cursor
from events.domain.event import Form
from events.domain.topics import (
    AGENT_SCOPE,
    ANY,
    CUSTOMER_SCOPE,
    InvalidTopic,
    Pattern,
    is_canonical_uuid,
    known_resources,
    parse_pattern,
)
from events.filters.event_filter import EventFilter
from events.filters.tags import tags_of
from events.log.reader import COLUMNS, entry_of
from events.models import CustomerLog, Event
from subscriptions.explain.report import NoEvent, StoredEvent, moment
from subscriptions.explain.sentence import Sentence
from subscriptions.models import Agent
from subscriptions.protocol.permissions import Identity, may_subscribe

NUMBERS_SEARCHED = 20_000
"""Latest numbers of a log that are searched for a pattern with a wildcard or of an agent."""


class InvalidLookup(ValueError):
    """The text is no id, cursor or topic; the message says what to write."""


@dataclass(frozen=True, slots=True)
class OperatorViewer:
    """An operator, who sees everything of one customer, or of all if `customer_id` is `None`."""

    customer_id: UUID | None

    def sees_log(self, customer_id: str) -> bool:
        """Return whether the viewer may know the position of this customer's log."""
        return self.customer_id is None or str(self.customer_id) == customer_id

    def may_query(self, pattern: Pattern) -> bool:
        """Return whether the viewer may know if there are events of this pattern."""
        customer_id = customer_of(pattern)
        return customer_id is not None and self.sees_log(customer_id)

    def redact(self, event: StoredEvent) -> StoredEvent | None:
        """Return what the viewer may see of the event, or `None` if nothing."""
        return event if self.sees_log(event.customer_id) else None


@dataclass(frozen=True, slots=True)
class ClientViewer:
    """A client, which sees the topics that its credential may subscribe to."""

    identity: Identity

    def sees_log(self, customer_id: str) -> bool:
        return self.identity.is_platform_staff or self.identity.customer_id == customer_id

    def may_query(self, pattern: Pattern) -> bool:
        return may_subscribe(self.identity, pattern).granted

    def redact(self, event: StoredEvent) -> StoredEvent | None:
        if self.identity.filter and event.tags is not None:
            form = EventFilter(None, self.identity.filter).compiled()(event.tags)
            if form is None:
                return None
            if form is Form.WITHDRAWN:
                event = replace(event, tags=None)
        topics = tuple(
            topic
            for topic in event.topics
            if may_subscribe(self.identity, Pattern.from_canonical(topic)).granted
        )
        return replace(event, topics=topics) if topics else None


Viewer = OperatorViewer | ClientViewer


def find(text: str, viewer: Viewer) -> StoredEvent | NoEvent:
    """Return the event with this id or cursor, or the newest event of this topic.

    Raises:
        InvalidLookup: The text is no id, cursor or topic.
    """
    text = text.strip()
    if is_canonical_uuid(text.lower()):
        return _by_id(text.lower(), viewer)
    if ":" in text:
        return _by_topic(text, viewer)
    try:
        positions = parse_cursor(text)
    except InvalidCursor:
        raise InvalidLookup(
            "Write an event's id or cursor, or a topic such as "
            "customer_id:12345678-1234-1234-1234-123456789012:call:*"
        ) from None
    if len(positions) > 1:
        raise InvalidLookup("This is a cursor of several logs: write the one that the event bore")
    [(epoch, seq)] = positions.items()
    return _by_cursor(Position(epoch, seq), viewer)


def _by_id(event_id: str, viewer: Viewer) -> StoredEvent | NoEvent:
    event = Event.objects.filter(pk=event_id).first()
    seen = viewer.redact(stored(event)) if event is not None else None
    return seen or NoEvent(
        "unknown-event",
        Sentence(
            "There is no event {id}: it was never published, it has been pruned, or you may not see it.",
            id=event_id,
        ),
    )


def _by_cursor(position: Position, viewer: Viewer) -> StoredEvent | NoEvent:
    log = CustomerLog.objects.filter(epoch=position.epoch).first()
    if log is None or not viewer.sees_log(str(log.customer_id)):
        return NoEvent(
            "other-log",
            Sentence(
                "No log that you may see has the cursor {cursor}: the log was replaced since, or it is another's.",
                cursor=position,
            ),
        )
    if position.seq > log.last_seq:
        return NoEvent(
            "not-published",
            Sentence(
                "The cursor {cursor} has not been given yet: the log stands at number {number}.",
                cursor=position,
                number=log.last_seq,
            ),
        )
    if position.seq <= log.floor:
        return NoEvent(
            "pruned",
            Sentence(
                "It has been pruned: of this log the events after number {number} are kept.", number=log.floor
            ),
        )
    event = Event.objects.filter(customer_id=log.customer_id, seq=position.seq).first()
    seen = viewer.redact(stored(event)) if event is not None else None
    return seen or NoEvent(
        "unknown-event", Sentence("There is no event at cursor {cursor} that you may see.", cursor=position)
    )


def _by_topic(text: str, viewer: Viewer) -> StoredEvent | NoEvent:
    try:
        pattern = parse_pattern(text, known_resources(settings.EVENTS_EXTRA_RESOURCES))
    except InvalidTopic as error:
        raise InvalidLookup(str(error)) from None
    customer_id = customer_of(pattern)
    absent = NoEvent(
        "no-event-of-topic",
        Sentence(
            "No event of {topic} is kept: none was published, it has been pruned, or you may not see it.",
            topic=pattern,
        ),
        (str(pattern),),
    )
    if customer_id is None or not viewer.may_query(pattern):
        return absent
    log = CustomerLog.objects.filter(pk=customer_id).first()
    if log is None:
        return absent
    events = Event.objects.filter(customer_id=customer_id).order_by("-seq")
    if pattern.scope == AGENT_SCOPE:
        events = events.filter(agent_ids__contains=pattern.scope_id)
    if pattern.resource != ANY:
        events = events.filter(resource=pattern.resource)
    if pattern.resource_id != ANY:
        events = events.filter(resource_id=pattern.resource_id)
    if pattern.scope == AGENT_SCOPE or not pattern.is_whole_topic:
        events = events.filter(seq__gt=log.last_seq - NUMBERS_SEARCHED)
    newest = events.first()
    if newest is not None:
        return viewer.redact(stored(newest)) or absent
    if isinstance(viewer, ClientViewer) and viewer.identity.filter:
        return absent  # As for an event that does not match the key's filter.
    kept = Event.objects.filter(customer_id=customer_id).order_by("seq").first()
    if kept:
        message = Sentence(
            "No event of {topic} is kept: of this log the events since {time} are kept. None was published, or it "
            "has been pruned.",
            topic=pattern,
            time=moment(kept.stored_at),
        )
    else:
        message = Sentence(
            "No event of {topic} is kept. None was published, or it has been pruned.", topic=pattern
        )
    return replace(absent, message=message)


def customer_of(pattern: Pattern) -> str | None:
    """Return the id of the customer of the pattern, or `None` if the agent is unknown."""
    if pattern.scope == CUSTOMER_SCOPE:
        return pattern.scope_id
    owner = Agent.objects.filter(pk=pattern.scope_id).values_list("customer_id", flat=True).first()
    return None if owner is None else str(owner)


def stored(event: Event) -> StoredEvent:
    """Return the event with its position and its topics."""
    customer_id = str(event.customer_id)
    epoch = CustomerLog.objects.filter(pk=customer_id).values_list("epoch", flat=True).first()
    entry = entry_of(customer_id, epoch or "", tuple(getattr(event, name) for name in COLUMNS))
    return StoredEvent(
        id=str(event.pk),
        event_type=event.event_type,
        customer_id=customer_id,
        position=Position(epoch or "", event.seq),
        stored_at=event.stored_at,
        topics=entry.topics,
        tags=tags_of(entry),
    )
