"""Why a receiver did or did not get an event, step by step, each with its rule.

Sans-I/O.
"""

# Long because the steps of one event's way use each other's results.

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar

from events.domain.strict_json import encode
from events.domain.topics import Pattern
from events.filters.event_filter import EventFilter
from events.filters.tags import EventTags
from subscriptions.explain.connection_history import Connection, HistoryRecord, Subscription
from subscriptions.explain.near_miss import near_miss, pattern_of
from subscriptions.explain.report import (
    Answer,
    Evidence,
    Explanation,
    NoEvent,
    Outcome,
    Receiver,
    Step,
    StoredEvent,
    moment,
)
from subscriptions.explain.sentence import Sentence
from subscriptions.explain.verdict import DeliveryOutcome, Verdict, best, judge
from subscriptions.protocol.permissions import BEYOND, Identity, Rule, may_subscribe

T = TypeVar("T")

MOST_LISTED = 20
"""Connections and patterns that a step lists at most."""

RECORDS_MISSING = "records-missing"
"""The rule of an event from before the records that are kept, or that were looked at."""

_DECISIVE = frozenset(
    {
        RECORDS_MISSING,
        DeliveryOutcome.TOO_SLOW,
        DeliveryOutcome.UNSUBSCRIBED_BEFORE,
        DeliveryOutcome.PERMISSION_ENDED,
        DeliveryOutcome.OTHER_LOG,
        DeliveryOutcome.NOT_CONFIRMED,
        DeliveryOutcome.PROCESS_LOST,
        DeliveryOutcome.NOT_RECOVERED,
    }
)
"""Outcomes that explain more than a credential or permission that has ended since."""

FILTER = "filter"
"""The rule of an event that a filter does not match."""

_LATER = frozenset({DeliveryOutcome.SUBSCRIBED_LATER, DeliveryOutcome.NOT_RECOVERED})

NOT_APPLICABLE = Answer(Outcome.SKIPPED, "", Sentence("This depends on the event, which was not found."))
Fitting = Sequence[tuple[Connection, Subscription]]


def explain(
    receiver: Receiver, event: StoredEvent | NoEvent, evidence: Evidence, resources: Collection[str]
) -> Explanation:
    """Answer the question of each step; `resources` are the known resource names."""
    fitting = [
        (connection, subscription)
        for connection in evidence.history.connections
        for subscription in connection.granted
        if _is_covered(event.topics, subscription.requested.topic, resources)
    ]
    is_stored = isinstance(event, StoredEvent)
    steps = (
        Step("event", Sentence("Was the event stored?"), *stored(event)),
        Step("credential", Sentence("Is the credential good?"), *credential(receiver, event)),
        Step("permission", Sentence("May it receive the event?"), *permitted(receiver, event)),
        Step(
            "subscription",
            Sentence("Did it subscribe to a pattern that covers the event?"),
            *subscribed(event, evidence, fitting, resources),
        ),
        Step(
            "connection",
            Sentence("Was it connected then?") if is_stored else Sentence("Is it connected now?"),
            *connected(event, evidence),
        ),
        Step("delivery", Sentence("Was it sent?"), *sent(event, evidence, _matching(event, fitting))),
    )
    return Explanation(steps, _reason(steps))


def _matching(event: StoredEvent | NoEvent, fitting: Fitting) -> Fitting:
    """Return the subscriptions whose filters match the event, or are not known."""
    if not isinstance(event, StoredEvent) or event.tags is None:
        return fitting
    tags = event.tags
    return [
        (connection, subscription)
        for connection, subscription in fitting
        if (chosen := subscription.requested.filter) is None or chosen.compiled()(tags) is not None
    ]


def _is_covered(topics: Iterable[str], requested: str, resources: Collection[str]) -> bool:
    pattern = pattern_of(requested, resources)
    return pattern is not None and any(pattern.covers(topic) for topic in topics)


def _reason(steps: Sequence[Step]) -> Step:
    last = steps[-1]
    if last.outcome is Outcome.YES or last.rule in _DECISIVE:
        return last
    return next((step for step in steps if step.outcome is Outcome.NO), last)


def stored(event: StoredEvent | NoEvent) -> Answer:
    """Answer whether the event exists."""
    if isinstance(event, NoEvent):
        return Answer(Outcome.NO, event.rule, event.message)
    return Answer(
        Outcome.YES,
        "stored",
        Sentence(
            "It was stored on {time}, at cursor {cursor}.",
            time=moment(event.stored_at),
            cursor=event.position,
        ),
        (
            ("type", event.event_type),
            ("id", event.id),
            ("cursor", str(event.position)),
            *_first(("topic", topic) for topic in event.topics),
        ),
    )


def credential(receiver: Receiver, event: StoredEvent | NoEvent) -> Answer:
    """Answer whether the credential is accepted, or was when the event was stored."""
    problem = receiver.problem
    if problem is None:
        return Answer(Outcome.YES, "good", Sentence("Yes: {name}.", name=receiver.name), receiver.facts)
    if isinstance(event, StoredEvent) and problem.since is not None and problem.since > event.stored_at:
        message = Sentence(
            "{name} was accepted when the event was stored. Since {time} it is not: {reason}.",
            name=receiver.name,
            time=moment(problem.since),
            reason=problem.message,
        )
        return Answer(Outcome.YES, problem.rule, message, receiver.facts)
    if problem.since:
        message = Sentence(
            "{name} is not accepted, since {time}: {reason}.",
            name=receiver.name,
            time=moment(problem.since),
            reason=problem.message,
        )
    else:
        message = Sentence("{name} is not accepted: {reason}.", name=receiver.name, reason=problem.message)
    return Answer(Outcome.NO, problem.rule, message, receiver.facts)


def permitted(receiver: Receiver, event: StoredEvent | NoEvent) -> Answer:
    """Answer whether the receiver may subscribe to any topic of the event."""
    if not event.topics:
        return NOT_APPLICABLE
    identity = receiver.identity
    if not identity.may_subscribe:
        message = Sentence("No: this access key may publish only.")
        return Answer(Outcome.NO, "key-may-not-subscribe", message)
    verdicts = [(topic, may_subscribe(identity, Pattern.from_canonical(topic))) for topic in event.topics]
    facts = _first((verdict.rule.value, topic) for topic, verdict in verdicts)
    is_beyond = _is_beyond_limit(identity, event)
    if identity.filter and not is_beyond and isinstance(event, StoredEvent) and event.tags is not None:
        form = EventFilter(None, identity.filter).compiled()(event.tags)
        if form is None:
            message = Sentence(
                "No: the access key's filter {filter} does not match the tags {tags}.",
                filter=identity.filter,
                tags=_tags(event.tags),
            )
            return Answer(Outcome.NO, FILTER, message, facts)
    for topic, verdict in verdicts:
        if verdict.granted and not is_beyond:
            return Answer(Outcome.YES, verdict.rule, Sentence("Yes, as {topic}.", topic=topic), facts)
    verdict = BEYOND if is_beyond else verdicts[0][1]
    message = Sentence(
        "{name} may not receive this event: {reason}.",
        name=receiver.name,
        reason=_refusal(receiver, verdict.rule, event.topics[0]),
    )
    if verdict.message:
        facts = (*facts, ("error for the client", verdict.message))
    return Answer(Outcome.NO, verdict.rule, message, facts)


def _is_beyond_limit(identity: Identity, event: StoredEvent | NoEvent) -> bool:
    """Return whether an event belongs to no queue or agent of a limited manager."""
    if identity.limit is None or not isinstance(event, StoredEvent) or event.tags is None:
        return False
    return EventFilter(None, identity.limit.filter).compiled()(event.tags) is None


def _refusal(receiver: Receiver, rule: Rule, topic: str) -> str:
    """Return why a rule refuses the topic of an event, in the middle of a sentence."""
    match rule:
        case Rule.FOREIGN_CUSTOMER:
            owner = dict(receiver.facts).get("of", Sentence("its own customer"))
            return Sentence("it belongs to another customer, not to {owner}", owner=owner)
        case Rule.RESOURCE_NOT_GRANTED:
            resource = Pattern.from_canonical(topic).resource
            return Sentence(
                "events of {resource} were not granted, and the event does not concern this agent",
                resource=resource,
            )
        case Rule.TOPIC_NOT_ALLOWED:
            return Sentence("the access key is limited to topics that do not cover it")
        case Rule.BEYOND_LIMIT:
            return Sentence("this manager is limited to other queues and teams of the customer")
    return Sentence("the event is for another agent")


def subscribed(
    event: StoredEvent | NoEvent, evidence: Evidence, fitting: Fitting, resources: Collection[str]
) -> Answer:
    """Answer whether the receiver ever subscribed to a pattern that covers the event."""
    if not event.topics:
        return NOT_APPLICABLE
    requested = [
        each.requested for connection in evidence.history.connections for each in connection.subscriptions
    ]
    facts = _first(
        dict.fromkeys(
            ("granted" if each.is_granted else f"refused: {each.rule}", _named(each))
            for each in reversed(requested)
        )
    )
    if fitting and isinstance(event, StoredEvent) and not _matching(event, fitting) and event.tags:
        unmatched = {each.requested.topic: each.requested.detail for _, each in reversed(fitting)}
        held = Sentence.joined(
            ", ",
            (
                Sentence("{topic} with the {filter}", topic=topic, filter=chosen)
                for topic, chosen in _first(unmatched.items())
            ),
        )
        message = Sentence(
            "No: the event does not match the filter. It subscribed to {held}, and it has the tags {tags}.",
            held=held,
            tags=_tags(event.tags),
        )
        return Answer(Outcome.NO, FILTER, message, facts)
    if fitting:
        topics = dict.fromkeys(subscription.requested.topic for _, subscription in reversed(fitting))
        return Answer(Outcome.YES, "covered", Sentence("Yes: {name}.", name=", ".join(_first(topics))), facts)
    if not evidence.history.connections:
        message = Sentence("It subscribed to nothing: {reason}.", reason=_no_connection(evidence))
        return Answer(Outcome.SKIPPED, "", message)
    miss = near_miss(event.topics, requested, resources)
    if miss is None:
        message = Sentence("No: it was connected, but subscribed to nothing of the kind.")
        return Answer(Outcome.NO, "nothing-subscribed", message, facts)
    return Answer(Outcome.NO, miss.rule, Sentence("No. {reason}", reason=miss.message), facts)


def _tags(tags: EventTags) -> str:
    return encode(dict(tags.now))


def _named(requested: HistoryRecord) -> str:
    if requested.times == 1:
        return requested.topic
    return f"{requested.times} topics" + (f", such as {requested.topic}" if requested.topic else "")


def connected(event: StoredEvent | NoEvent, evidence: Evidence) -> Answer:
    """Answer whether the receiver was connected when the event was stored, or is now."""
    at = event.stored_at if isinstance(event, StoredEvent) else evidence.now
    connections = evidence.history.connections
    facts = _first(_shown(each, evidence) for each in reversed(connections))
    if evidence.looked_from is not None:
        facts += (("looked at", f"what is recorded since {moment(evidence.looked_from)}"),)
    maybe = [each for each in connections if each.was_open_at(at)]
    count = sum(each.closed is not None or each.id in evidence.open_now for each in maybe)
    if count:
        if count > 1:
            message = Sentence("Yes, by {count} connections.", count=count)
        else:
            message = Sentence("Yes, by one connection.")
        return Answer(Outcome.YES, "connected", message, facts)
    if maybe and isinstance(event, StoredEvent):
        message = Sentence(
            "Not known: no end of connection {id} is recorded, and it is not reported as open. Its process "
            "ended unexpectedly, or has not reported it yet.",
            id=maybe[-1].id,
        )
        return Answer(Outcome.UNKNOWN, "process-lost", message, facts)
    rule, reasons = _absence(at, evidence)
    return Answer(Outcome.NO, rule, Sentence("No: {reason}.", reason=Sentence.joined("; ", reasons)), facts)


def _absence(at: datetime, evidence: Evidence) -> tuple[str, list[str]]:
    """Return the rule and the reasons why no connection was open."""
    reasons: list[str] = []
    rule = "never-connected"
    connections = evidence.history.connections
    before = [each.closed for each in connections if each.closed is not None and each.closed.at <= at]
    after = [each.opened.at for each in connections if each.opened is not None and each.opened.at > at]
    if before:
        rule = "disconnected-before"
        last = max(before, key=lambda record: record.at)
        reasons.append(
            Sentence("its last connection ended on {time} ({rule})", time=moment(last.at), rule=last.rule)
        )
    refused = [each for each in evidence.history.refused if not before or each.at > before[-1].at]
    if refused:
        rule = "refused-handshake" if not before else rule
        reasons.append(
            Sentence(
                "its attempt on {time} was refused ({rule}): {detail}",
                time=moment(refused[-1].at),
                rule=refused[-1].rule,
                detail=refused[-1].detail,
            )
        )
    if after:
        rule = "connected-later" if not before else rule
        reasons.append(Sentence("it connected on {time}", time=moment(min(after))))
    return rule, reasons or [_no_connection(evidence)]


def sent(event: StoredEvent | NoEvent, evidence: Evidence, fitting: Fitting) -> Answer:
    """Answer whether, and when, the event was sent over any of the connections."""
    if isinstance(event, NoEvent):
        return NOT_APPLICABLE
    verdicts = [judge(event, *each, evidence) for each in fitting]
    looked_from = evidence.looked_from
    is_sent = any(each.outcome is Outcome.YES for each in verdicts)
    if looked_from is not None and event.stored_at < looked_from and not is_sent:
        message = Sentence(
            "Not known: the records of connections that were looked at begin on {time}, after the event. It may "
            "have been sent over a connection that they do not name.",
            time=moment(looked_from),
        )
        return Answer(Outcome.UNKNOWN, RECORDS_MISSING, message)
    if not verdicts:
        return Answer(
            Outcome.NO, "not-subscribed", Sentence("No: nothing that it subscribed to covers the event.")
        )
    decisive = best(verdicts)
    facts = _first((each.delivery.value, f"connection {each.connection.id}") for each in reversed(verdicts))
    message = Sentence.joined(
        " ", (Sentence.joined("", (each.message, ".")) for each in _relevant(decisive, verdicts))
    )
    if decisive.outcome is Outcome.YES and decisive.subscription.requested.filter is None:
        message = Sentence(
            "Not known: its filter is longer than what is recorded of it. If the event matched: {answer}",
            answer=message,
        )
        return Answer(Outcome.UNKNOWN, FILTER, message, facts)
    match decisive.outcome:
        case Outcome.YES:
            message = Sentence("Yes. {reason}", reason=message)
        case Outcome.NO:
            message = Sentence("No. {reason}", reason=message)
    return Answer(decisive.outcome, decisive.delivery, message, facts)


def _relevant(decisive: Verdict, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the decisive verdict, and how the receiver left before or came back after it."""
    if decisive.outcome is Outcome.YES:
        return [decisive]
    is_later = decisive.delivery in _LATER
    others = [each for each in verdicts if (each.delivery in _LATER) != is_later]
    if not others:
        return [decisive]
    if is_later:
        return [best(others), decisive]
    return [decisive, min(others, key=lambda each: each.subscription.requested.at)]


def _first(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(islice(items, MOST_LISTED))


def _shown(connection: Connection, evidence: Evidence) -> tuple[str, str]:
    opened, closed = connection.opened, connection.closed
    began = moment(opened.at) if opened else "before the records that were looked at"
    if closed is not None:
        ended = f"until {moment(closed.at)} ({closed.rule})"
    elif connection.id in evidence.open_now:
        ended = "open"
    else:
        ended = "no end is recorded, and it is not reported as open"
    where = "".join(
        f"; {each}"
        for each in (connection.address, connection.client, opened.detail if opened else "")
        if each
    )
    return "connection", f"{connection.id}, from {began}, {ended}{where}"


def _no_connection(evidence: Evidence) -> Sentence:
    if evidence.looked_from:
        return Sentence("no connection of it is known since {time}", time=moment(evidence.looked_from))
    return Sentence("no connection of it is known")
