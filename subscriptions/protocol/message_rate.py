"""The limit of a connection's messages, and the bounded answers to those beyond it."""

from __future__ import annotations

from subscriptions.protocol.codes import CloseCode, ErrorCode
from subscriptions.protocol.effects import AuditEntry, AuditVerdict, Close, Effect, Pause, Record, Send
from subscriptions.protocol.limits import Limits
from subscriptions.protocol.messages import (
    Action,
    Authenticate,
    Message,
    Subscribe,
    UnreadableMessage,
    Unsubscribe,
    error_frame,
    read_message,
)

ANSWERED_ONE_BY_ONE = 10
"""Refused messages with an answer of their own; those that follow are counted in one answer a second."""

ANSWER_SECONDS = 1.0

LONGEST_PAUSE_SECONDS = 1.0
"""The most for which a client is not read, so that its keepalive and its close are still noticed."""


class MessageRate:
    """The messages of one connection. Times are in seconds of any monotonic clock.

    The refused ones are counted until the connection has been quiet for so long that its limit is full again.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._full_at = 0.0
        self._refused = 0
        self._unanswered = 0
        self._answered_at = 0.0

    def take(self, now: float) -> float:
        """Count a message; return the seconds to wait if it is one too many, else 0."""
        if now >= self._full_at:
            self._refused = 0
        self._full_at, wait = self._limits.message_rate.take(self._full_at, now)
        return wait

    def refuse(self, text: str | None, now: float, wait: float) -> list[Effect]:
        """Refuse a message, `None` for a binary one; too many of them close the connection."""
        self._refused += 1
        if self._refused >= self._limits.refused_messages_max:
            return [
                Close(CloseCode.TOO_MANY, f"{self._refused} messages were not processed. {self._reason()}")
            ]
        message = self._read(text)
        effects: list[Effect] = []
        if isinstance(message, Subscribe | Unsubscribe | Authenticate):
            effects.append(Record((refused_entry(message, self._reason()),)))
        if self._refused <= ANSWERED_ONE_BY_ONE:
            effects.append(Send(self._answer(message, wait)))
            self._answered_at = now
        else:
            self._unanswered += 1
            effects += self.answer_together(now)
        return [*effects, Pause(min(wait, LONGEST_PAUSE_SECONDS))]

    def answer_together(self, now: float) -> list[Effect]:
        """Answer the refused messages without an answer, at most once a second."""
        if not self._unanswered or now < self._answered_at + ANSWER_SECONDS:
            return []
        reason = f"{self._unanswered} more messages were not processed. {self._reason()}"
        self._unanswered, self._answered_at = 0, now
        wait = 1 / self._limits.messages_per_second
        return [Send(error_frame(None, [], ErrorCode.RATE_LIMITED, reason, retry_after=wait))]

    def _read(self, text: str | None) -> Message | UnreadableMessage:
        limits = self._limits
        if text is None:
            return UnreadableMessage("")
        try:
            return read_message(
                text, max_bytes=limits.message_max_bytes, max_topics=limits.message_max_topics
            )
        except UnreadableMessage as error:
            return error

    def _answer(self, message: Message | UnreadableMessage, wait: float) -> str:
        topics = message.topics if isinstance(message, Subscribe | Unsubscribe) else ()
        action = message.action if isinstance(message, UnreadableMessage) else _action(message)
        return error_frame(
            action,
            topics,
            ErrorCode.RATE_LIMITED,
            self._reason(),
            request_id=message.request_id,
            retry_after=wait,
        )

    def _reason(self) -> str:
        limits = self._limits
        return (
            f"More than {limits.message_burst} messages at once, or {limits.messages_per_second} a second: "
            "send fewer, with several topics in each"
        )


def _action(message: Message) -> Action:
    return Action(type(message).__name__.lower())


def refused_entry(
    message: Subscribe | Unsubscribe | Authenticate, reason: str, rule: str = "message-rate"
) -> AuditEntry:
    """Return the one audit entry of a message that is refused as a whole."""
    topics = () if isinstance(message, Authenticate) else message.topics
    count = max(len(topics), 1)
    detail = reason if count == 1 else f"{reason}. {count} topics: {', '.join(topics[:10])}"
    topic = topics[0] if topics else ""
    return AuditEntry(_action(message), topic, AuditVerdict.REFUSED, rule, detail, count)
