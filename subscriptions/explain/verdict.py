"""Whether an event was sent over one subscription that covers it, and if not, why.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from events.domain.cursor import Position
from subscriptions.explain.connection_history import Connection, HistoryRecord, Subscription
from subscriptions.explain.report import Evidence, Outcome, StoredEvent, moment
from subscriptions.explain.sentence import Sentence


class DeliveryOutcome(StrEnum):
    """The outcome of an event on one subscription, in the order of its progress."""

    SUBSCRIBED_LATER = "subscribed-later"
    NOT_ACKNOWLEDGED = "not-acknowledged"
    LEFT_BEFORE = "left-before"
    CLOSED_BEFORE = "closed-before"
    NOT_RECOVERED = "not-recovered"
    UNSUBSCRIBED_BEFORE = "unsubscribed-before"
    PERMISSION_ENDED = "permission-ended"
    TOO_SLOW = "too-slow"
    # Not known: another connection that certainly did not get it says nothing about these.
    OTHER_LOG = "other-log"
    PROCESS_LOST = "process-lost"
    NOT_CONFIRMED = "not-confirmed"
    DELIVERED = "delivered"


_ORDER = {delivery: number for number, delivery in enumerate(DeliveryOutcome)}
_OUTCOMES = {
    DeliveryOutcome.DELIVERED: Outcome.YES,
    DeliveryOutcome.PROCESS_LOST: Outcome.UNKNOWN,
    DeliveryOutcome.OTHER_LOG: Outcome.UNKNOWN,
    DeliveryOutcome.NOT_CONFIRMED: Outcome.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of the event on one subscription, with a message."""

    delivery: DeliveryOutcome
    message: str
    connection: Connection
    subscription: Subscription

    @property
    def outcome(self) -> Outcome:
        return _OUTCOMES.get(self.delivery, Outcome.NO)


def best(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict with the most progress, and the latest of several."""
    return max(
        verdicts,
        key=lambda each: (_ORDER[each.delivery], (each.subscription.live or each.subscription.requested).at),
    )


def judge(
    event: StoredEvent, connection: Connection, subscription: Subscription, evidence: Evidence
) -> Verdict:
    """Judge the event on a granted subscription that covers it."""
    delivery, message = _delivery(event, connection, subscription, evidence)
    return Verdict(delivery, message, connection, subscription)


def _delivery(
    event: StoredEvent, connection: Connection, subscription: Subscription, evidence: Evidence
) -> tuple[DeliveryOutcome, str]:
    position = event.position
    if subscription.live is None:
        return _never_live(subscription)
    start = subscription.live.positions.get(position.epoch)
    if start is None:
        return DeliveryOutcome.OTHER_LOG, Sentence(
            "{subscribed}, when the customer's log was another: it was replaced since",
            subscribed=_subscribed(subscription),
        )
    if position.seq <= start:
        return _later(subscription, subscription.live, Position(position.epoch, start))
    if subscription.ended is None:
        if (waiting := evidence.open_now.get(connection.id)) is not None:
            since = evidence.unconfirmed_since.get(connection.id)
            # An earlier event may still be on its way, in the replay that began with the subscription.
            if since is not None and max(event.stored_at, subscription.live.at) > since:
                return DeliveryOutcome.NOT_CONFIRMED, Sentence(
                    "Connection {id} is open and subscribed, but its process has not reported yet that it "
                    "has sent what was stored by then. Ask again in a few seconds; the process may have stopped",
                    id=connection.id,
                )
            return DeliveryOutcome.DELIVERED, _delivered(event, connection, subscription, _open(waiting))
        return DeliveryOutcome.PROCESS_LOST, Sentence(
            "Connection {id} was subscribed, but neither its end nor a report of its process is recorded: "
            "whether the event was sent is not known. A client that reconnects with its cursor is sent what it missed",
            id=connection.id,
        )
    end = subscription.ended.positions.get(position.epoch)
    if end is None:
        return DeliveryOutcome.OTHER_LOG, Sentence(
            "The subscription of connection {id} ended on {time}, when the customer's log was replaced: "
            "whether the event was sent before is not known",
            id=connection.id,
            time=moment(subscription.ended.at),
        )
    if position.seq <= end:
        return DeliveryOutcome.DELIVERED, _delivered(event, connection, subscription, "")
    return _ended(connection, subscription, subscription.ended, Position(position.epoch, end))


def _subscribed(subscription: Subscription) -> str:
    requested = subscription.requested
    return Sentence("It subscribed to {topic} on {time}", topic=requested.topic, time=moment(requested.at))


def _never_live(subscription: Subscription) -> tuple[DeliveryOutcome, str]:
    ended = f" ({subscription.ended.rule})" if subscription.ended and subscription.ended.rule else ""
    return DeliveryOutcome.NOT_ACKNOWLEDGED, Sentence(
        "{subscribed}, but that was not acknowledged: the connection ended first{rule}",
        subscribed=_subscribed(subscription),
        rule=ended,
    )


def _later(subscription: Subscription, live: HistoryRecord, start: Position) -> tuple[DeliveryOutcome, str]:
    if live.rule == "not-recovered":
        return DeliveryOutcome.NOT_RECOVERED, Sentence(
            "{subscribed} with a cursor, but what came before {cursor} could not be recovered: {detail}",
            subscribed=_subscribed(subscription),
            cursor=start,
            detail=live.detail,
        )
    if live.rule == "recovered":
        return DeliveryOutcome.SUBSCRIBED_LATER, Sentence(
            "{subscribed} with the cursor {cursor}, by which it had seen the event already",
            subscribed=_subscribed(subscription),
            cursor=start,
        )
    return DeliveryOutcome.SUBSCRIBED_LATER, Sentence(
        "{subscribed}, after the event: it receives what comes after {cursor}. A client that "
        "subscribes with since and its last cursor is sent what it missed",
        subscribed=_subscribed(subscription),
        cursor=start,
    )


def _open(waiting: int) -> str:
    if waiting:
        return Sentence(", which is open and has {count} bytes yet to read", count=waiting)
    return Sentence(", which is open")


def _delivered(event: StoredEvent, connection: Connection, subscription: Subscription, state: str) -> str:
    how, at, live = Sentence("as it happened"), event.stored_at, subscription.live
    if live is not None and event.stored_at < live.at and live.rule == "recovered":
        how, at = Sentence("among what it had missed"), live.at
    return Sentence(
        "It was sent over connection {id}{state}, on {time} or moments later, {how}, at cursor {cursor}",
        id=connection.id,
        state=state,
        time=moment(at),
        how=how,
        cursor=event.position,
    )


def _ended(
    connection: Connection, subscription: Subscription, ended: HistoryRecord, end: Position
) -> tuple[DeliveryOutcome, str]:
    topic, rule = subscription.requested.topic, ended.rule
    when = Sentence(
        "on {time}, after it was sent everything up to {cursor}", time=moment(ended.at), cursor=end
    )
    match rule:
        case "TOO_SLOW":
            return DeliveryOutcome.TOO_SLOW, Sentence(
                "It did not read its events: connection {id} was closed as too slow {when}",
                id=connection.id,
                when=when,
            )
        case "asked":
            return DeliveryOutcome.UNSUBSCRIBED_BEFORE, Sentence(
                "It unsubscribed from {topic} {when}", topic=topic, when=when
            )
        case "client-left":
            return DeliveryOutcome.LEFT_BEFORE, Sentence(
                "Connection {id} was left or broke {when}", id=connection.id, when=when
            )
    if ended is connection.closed:
        return DeliveryOutcome.CLOSED_BEFORE, Sentence(
            "Connection {id} was closed ({rule}) {when}", id=connection.id, rule=rule, when=when
        )
    return DeliveryOutcome.PERMISSION_ENDED, Sentence(
        "{topic} was taken from it ({rule}) {when}: {detail}",
        topic=topic,
        rule=rule,
        when=when,
        detail=ended.detail,
    )
