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
        return DeliveryOutcome.OTHER_LOG, (
            f"{_subscribed(subscription)}, when the customer's log was another: it was replaced since"
        )
    if position.seq <= start:
        return _later(subscription, subscription.live, Position(position.epoch, start))
    if subscription.ended is None:
        if (waiting := evidence.open_now.get(connection.id)) is not None:
            since = evidence.unconfirmed_since.get(connection.id)
            # An earlier event may still be on its way, in the replay that began with the subscription.
            if since is not None and max(event.stored_at, subscription.live.at) > since:
                return DeliveryOutcome.NOT_CONFIRMED, (
                    f"Connection {connection.id} is open and subscribed, but its process has not reported yet that it "
                    "has sent what was stored by then. Ask again in a few seconds; the process may have stopped"
                )
            return DeliveryOutcome.DELIVERED, _delivered(event, connection, subscription, _open(waiting))
        return DeliveryOutcome.PROCESS_LOST, (
            f"Connection {connection.id} was subscribed, but neither its end nor a report of its process is recorded: "
            "whether the event was sent is not known. A client that reconnects with its cursor is sent what it missed"
        )
    end = subscription.ended.positions.get(position.epoch)
    if end is None:
        return DeliveryOutcome.OTHER_LOG, (
            f"The subscription of connection {connection.id} ended on {moment(subscription.ended.at)}, when the "
            "customer's log was replaced: whether the event was sent before is not known"
        )
    if position.seq <= end:
        return DeliveryOutcome.DELIVERED, _delivered(event, connection, subscription, "")
    return _ended(connection, subscription, subscription.ended, Position(position.epoch, end))


def _subscribed(subscription: Subscription) -> str:
    return f"It subscribed to {subscription.requested.topic} on {moment(subscription.requested.at)}"


def _never_live(subscription: Subscription) -> tuple[DeliveryOutcome, str]:
    ended = f" ({subscription.ended.rule})" if subscription.ended and subscription.ended.rule else ""
    return DeliveryOutcome.NOT_ACKNOWLEDGED, (
        f"{_subscribed(subscription)}, but that was not acknowledged: the connection ended first{ended}"
    )


def _later(subscription: Subscription, live: HistoryRecord, start: Position) -> tuple[DeliveryOutcome, str]:
    if live.rule == "not-recovered":
        return DeliveryOutcome.NOT_RECOVERED, (
            f"{_subscribed(subscription)} with a cursor, but what came before {start} could not be recovered: "
            f"{live.detail}"
        )
    if live.rule == "recovered":
        return DeliveryOutcome.SUBSCRIBED_LATER, (
            f"{_subscribed(subscription)} with the cursor {start}, by which it had seen the event already"
        )
    return DeliveryOutcome.SUBSCRIBED_LATER, (
        f"{_subscribed(subscription)}, after the event: it receives what comes after {start}. A client that "
        "subscribes with since and its last cursor is sent what it missed"
    )


def _open(waiting: int) -> str:
    return f", which is open and has {waiting} bytes yet to read" if waiting else ", which is open"


def _delivered(event: StoredEvent, connection: Connection, subscription: Subscription, state: str) -> str:
    how, at, live = "as it happened", event.stored_at, subscription.live
    if live is not None and event.stored_at < live.at and live.rule == "recovered":
        how, at = "among what it had missed", live.at
    return (
        f"It was sent over connection {connection.id}{state}, on {moment(at)} or moments later, {how}, "
        f"at cursor {event.position}"
    )


def _ended(
    connection: Connection, subscription: Subscription, ended: HistoryRecord, end: Position
) -> tuple[DeliveryOutcome, str]:
    topic, rule = subscription.requested.topic, ended.rule
    when = f"on {moment(ended.at)}, after it was sent everything up to {end}"
    match rule:
        case "TOO_SLOW":
            return DeliveryOutcome.TOO_SLOW, (
                f"It did not read its events: connection {connection.id} was closed as too slow {when}"
            )
        case "asked":
            return DeliveryOutcome.UNSUBSCRIBED_BEFORE, f"It unsubscribed from {topic} {when}"
        case "client-left":
            return DeliveryOutcome.LEFT_BEFORE, f"Connection {connection.id} was left or broke {when}"
    if ended is connection.closed:
        return DeliveryOutcome.CLOSED_BEFORE, f"Connection {connection.id} was closed ({rule}) {when}"
    return DeliveryOutcome.PERMISSION_ENDED, (f"{topic} was taken from it ({rule}) {when}: {ended.detail}")
