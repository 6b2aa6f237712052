"""The session of one connection: a message of the client in, its effects out.

Sans-I/O. The connection carries the effects out in order, each after the one before has finished.
"""

# Long because the effects of all messages are decided on the same state.

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from events.domain.topics import AGENT_SCOPE, InvalidTopic, Pattern, parse_pattern
from events.filters.event_filter import EventFilter
from events.filters.expression import InvalidFilter, canonical, parse, parse_text
from events.masks.number_search import finds_numbers
from subscriptions.protocol.codes import CloseCode, ErrorCode
from subscriptions.protocol.effects import (
    AuditEntry,
    AuditVerdict,
    Close,
    Effect,
    FindAgents,
    HeldTopic,
    Join,
    Leave,
    Record,
    Refilter,
    Send,
)
from subscriptions.protocol.limits import Limits
from subscriptions.protocol.message_rate import MessageRate, refused_entry
from subscriptions.protocol.messages import (
    Action,
    Authenticate,
    Ping,
    RequestId,
    Subscribe,
    UnreadableMessage,
    Unsubscribe,
    ack_frame,
    error_frame,
    read_message,
)
from subscriptions.protocol.permissions import (
    NUMBERS_MASKED,
    Identity,
    Rule,
    Verdict,
    may_subscribe,
    summary_access,
)

_STATUS = {"field": "status", "op": "ex"}
NOTHING = canonical(parse({"op": "and", "filters": [_STATUS, {"op": "not", "filter": _STATUS}]}))
"""A filter that no event matches."""

MAX_PING_LENGTH = 512
"""Characters: enough for a request id of any length and some spaces."""


@dataclass(slots=True)
class _Refusals:
    """The refused topics of one message, reported in one error frame for each code."""

    by_code: dict[ErrorCode, tuple[list[str], str]] = field(default_factory=dict)

    def add(self, topic: str, code: ErrorCode, message: str) -> None:
        topics, first = self.by_code.setdefault(code, ([], message))
        topics.append(topic)
        if message not in first:
            self.by_code[code] = (topics, f"{first}; {message}" if len(first) < 500 else first)

    def frames(
        self, action: Action, request_id: RequestId | None, warnings: Sequence[str] = ()
    ) -> list[Effect]:
        return [
            Send(error_frame(action, topics, code, message, request_id=request_id, warnings=warnings))
            for code, (topics, message) in self.by_code.items()
        ]


class Session:
    """The identity, topics and limits of one connection.

    `resources` are the known resource names. Times are in seconds of any monotonic clock.
    """

    def __init__(self, identity: Identity, limits: Limits, resources: Collection[str]) -> None:
        self.identity = identity
        self.topics: dict[str, HeldTopic] = {}
        self._limits = limits
        self._resources = resources
        self._unreadable = 0
        self._rate_full_at = 0.0
        self._message_rate = MessageRate(limits)

    def receive(self, text: str | None, now: float) -> list[Effect]:
        """Decide on one text frame, or on a binary one: `None`."""
        if wait := self._message_rate.take(now):
            return self._message_rate.refuse(text, now, wait)
        return [*self._message_rate.answer_together(now), *self._processed(text, now)]

    def _processed(self, text: str | None, now: float) -> list[Effect]:
        if text is None:
            return self._unreadable_message(
                UnreadableMessage("Messages are text frames; this one was binary")
            )
        try:
            message = read_message(
                text, max_bytes=self._limits.message_max_bytes, max_topics=self._limits.message_max_topics
            )
        except UnreadableMessage as error:
            return self._unreadable_message(error)
        self._unreadable = 0
        match message:
            case Subscribe():
                if unknown := self.unknown_agents(message):
                    return [FindAgents(unknown, message)]
                return self.subscribe(message, {}, now)
            case Unsubscribe():
                return self._unsubscribe(message)
        return [message]

    def ping_in(self, text: str) -> Ping | None:
        """The ping in this text frame; `None` if it is any other message."""
        if len(text) > MAX_PING_LENGTH or '"ping"' not in text:
            return None
        try:
            message = read_message(text, max_bytes=MAX_PING_LENGTH, max_topics=1)
        except UnreadableMessage:
            return None
        return message if isinstance(message, Ping) else None

    def _unreadable_message(self, error: UnreadableMessage) -> list[Effect]:
        self._unreadable += 1
        message = str(error)
        frame = error_frame(
            error.action,
            [],
            ErrorCode.INVALID_MESSAGE,
            message,
            request_id=error.request_id,
            warnings=error.warnings,
        )
        effects: list[Effect] = [Send(frame)]
        if self._unreadable >= self._limits.unreadable_messages_max:
            effects.append(
                Close(
                    CloseCode.PROTOCOL_ERROR,
                    f"{self._unreadable} messages in a row could not be read: {message}",
                )
            )
        return effects

    def unknown_agents(self, message: Subscribe) -> frozenset[str]:
        """Other agents, to which only platform staff may subscribe: their customers are unknown."""
        if not self.identity.is_platform_staff:
            return frozenset()
        patterns = [pattern for topic in message.topics if (pattern := self._parse(topic))]
        return frozenset(
            pattern.scope_id
            for pattern in patterns
            if pattern.scope == AGENT_SCOPE and pattern.scope_id != self.identity.agent_id
        )

    def _parse(self, topic: str) -> Pattern | None:
        try:
            return parse_pattern(topic, self._resources)
        except InvalidTopic:
            return None

    def subscribe_together(
        self, messages: Sequence[Subscribe], agent_customers: Mapping[str, str], now: float
    ) -> list[Effect]:
        """Decide on messages whose topics become live together, with one acknowledgement.

        A stream has one position, so all its topics must begin there.
        """
        effects = [effect for each in messages for effect in self.subscribe(each, agent_customers, now)]
        joins = [effect for effect in effects if isinstance(effect, Join)]
        if len(joins) < 2:
            return effects
        topics = tuple(topic for join in joins for topic in join.topics)
        records = [effect for effect in effects if isinstance(effect, Record)]
        others = [effect for effect in effects if not isinstance(effect, Join | Record)]
        return [*records, Join(topics, joins[0].since, None), *others]

    def subscribe(self, message: Subscribe, agent_customers: Mapping[str, str], now: float) -> list[Effect]:
        """Decide on each topic; `agent_customers` are the customers that `FindAgents` found."""
        action, request_id = Action.SUBSCRIBE, message.request_id
        refusals = _Refusals()
        entries: list[AuditEntry] = []
        granted: list[HeldTopic] = []

        def refuse(topic: str, code: ErrorCode, reason: str, rule: str) -> None:
            refusals.add(topic, code, reason)
            entries.append(AuditEntry(action, topic, AuditVerdict.REFUSED, rule, reason))

        self._rate_full_at, wait = self._limits.subscribe_rate.take(
            self._rate_full_at, now, len(message.topics)
        )
        if wait:
            return self._refused_whole(
                message, ErrorCode.RATE_LIMITED, self._rate_message(), "subscribe-rate", wait
            )
        try:
            own = None if message.filter is None else canonical(parse(message.filter))
        except InvalidFilter as error:
            return self._refused_whole(message, ErrorCode.INVALID_FILTER, str(error), "invalid-filter")
        if not _is_permitted(own, self.identity):
            return self._refused_whole(
                message, ErrorCode.PERMISSION_DENIED, NUMBERS_MASKED, Rule.NUMBERS_MASKED
            )
        for topic in message.topics:
            try:
                pattern = parse_pattern(topic, self._resources)
            except InvalidTopic as error:
                refuse(topic, ErrorCode.INVALID_TOPIC, str(error), "invalid-topic")
                continue
            verdict = may_subscribe(self.identity, pattern)
            if not verdict.granted:
                refuse(topic, ErrorCode.PERMISSION_DENIED, verdict.message, verdict.rule)
                continue
            customer_id = self._customer_of(pattern, agent_customers)
            if customer_id is None:
                refuse(
                    topic,
                    ErrorCode.INVALID_TOPIC,
                    f"No agent {pattern.scope_id} is known here",
                    "unknown-agent",
                )
                continue
            if topic not in self.topics and len(self.topics) >= self._limits.connection_max_topics:
                most = self._limits.connection_max_topics
                refuse(
                    topic,
                    ErrorCode.RATE_LIMITED,
                    f"This connection holds {most} topics, the most it may: use wildcards, or open another",
                    "connection-topics",
                )
                continue
            # The platform may publish events of a resource "summary", with numbers and names of callers.
            limit = NOTHING if self.identity.is_display else self.identity.filter
            held = HeldTopic(
                topic,
                pattern,
                customer_id,
                EventFilter(own, limit),
                summary_access(self.identity, pattern),
                self.identity.summary_queues,
            )
            self.topics[topic] = held
            granted.append(held)
            entries.append(AuditEntry(action, topic, AuditVerdict.GRANTED, verdict.rule, held.filter.text))
        effects: list[Effect] = [Record(tuple(entries))]
        if granted:
            join = Join(tuple(granted), message.since, request_id, message.filter, message.warnings)
            return [*effects, join, *refusals.frames(action, request_id)]
        return effects + refusals.frames(action, request_id, message.warnings)

    def _refused_whole(
        self, message: Subscribe, code: ErrorCode, reason: str, rule: str, wait: float | None = None
    ) -> list[Effect]:
        """Refuse a message with all its topics in one record.

        `wait` are the seconds after which it would be accepted, `None` if waiting does not help.
        """
        frame = error_frame(
            Action.SUBSCRIBE,
            message.topics,
            code,
            reason,
            request_id=message.request_id,
            retry_after=wait,
            warnings=message.warnings,
        )
        return [Record((refused_entry(message, reason, rule),)), Send(frame)]

    def _rate_message(self) -> str:
        limits = self._limits
        return (
            f"More than {limits.subscribe_burst} topics at once, or {limits.subscribe_per_second} a second: "
            "subscribe again later"
        )

    def _customer_of(self, pattern: Pattern, agent_customers: Mapping[str, str]) -> str | None:
        if pattern.scope != AGENT_SCOPE:
            return pattern.scope_id
        if pattern.scope_id == self.identity.agent_id:
            return self.identity.customer_id
        return agent_customers.get(pattern.scope_id)

    def _unsubscribe(self, message: Unsubscribe) -> list[Effect]:
        action, request_id = Action.UNSUBSCRIBE, message.request_id
        refusals = _Refusals()
        left: list[HeldTopic] = []
        done: list[str] = []
        for topic in message.topics:
            held = self.topics.pop(topic, None)
            if held is not None:
                left.append(held)
            else:
                # A topic that is not held is acknowledged too: a client may repeat the request after a lost answer.
                try:
                    parse_pattern(topic, self._resources)
                except InvalidTopic as error:
                    refusals.add(topic, ErrorCode.INVALID_TOPIC, str(error))
                    continue
            done.append(topic)
        effects: list[Effect] = []
        if done:
            ack = ack_frame(action, done, request_id=request_id, warnings=message.warnings)
            entries = tuple(AuditEntry(action, held.text, AuditVerdict.ENDED, "asked") for held in left)
            effects.append(Leave(tuple(left), entries, ack) if left else Send(ack))
            return effects + refusals.frames(action, request_id)
        return refusals.frames(action, request_id, message.warnings)

    def authenticated(self, message: Authenticate, identity: Identity) -> list[Effect]:
        """Replace the identity by a new one, which must be of the same customer and agent."""
        action, request_id = Action.AUTHENTICATE, message.request_id
        if (identity.customer_id, identity.agent_id) != (self.identity.customer_id, self.identity.agent_id):
            reason = "The new credential is of another customer or agent: open a new connection with it"
            return self.not_authenticated(message, reason)
        if not identity.may_subscribe:
            return self.not_authenticated(message, "The new access key may not open a WebSocket")
        effects = self.permissions_changed(identity)
        effects.append(Send(ack_frame(action, [], request_id=request_id, warnings=message.warnings)))
        return effects

    def not_authenticated(self, message: Authenticate, reason: str) -> list[Effect]:
        """Keep the identity, and send the client the reason."""
        return [
            Send(
                error_frame(
                    Action.AUTHENTICATE,
                    [],
                    ErrorCode.PERMISSION_DENIED,
                    reason,
                    request_id=message.request_id,
                    warnings=message.warnings,
                )
            )
        ]

    def permissions_changed(self, identity: Identity) -> list[Effect]:
        """Replace the identity and its filter; end topics that it may not subscribe to."""
        has_other_filter = identity.filter != self.identity.filter
        self.identity = identity
        refusals = _Refusals()
        dropped: list[HeldTopic] = []
        entries: list[AuditEntry] = []
        for held in list(self.topics.values()):
            verdict = may_subscribe(identity, held.pattern)
            if verdict.granted and not _is_permitted(held.filter.own, identity):
                verdict = Verdict(False, Rule.NUMBERS_MASKED, NUMBERS_MASKED)
            summaries = (summary_access(identity, held.pattern), identity.summary_queues)
            if verdict.granted and (held.summary, held.summary_queues) != summaries:
                verdict = Verdict(
                    False, Rule.SUMMARY_CHANGED, "You may see other summaries now: subscribe again"
                )
            if not verdict.granted:
                del self.topics[held.text]
                dropped.append(held)
                refusals.add(held.text, ErrorCode.PERMISSION_DENIED, verdict.message)
                entries.append(
                    AuditEntry(Action.SUBSCRIBE, held.text, AuditVerdict.ENDED, verdict.rule, verdict.message)
                )
        effects: list[Effect] = []
        if has_other_filter and self.topics:
            self.topics = {
                text: replace(held, filter=EventFilter(held.filter.own, identity.filter))
                for text, held in self.topics.items()
            }
            effects.append(Refilter(tuple(self.topics.values())))
        if dropped:
            effects += [Leave(tuple(dropped), tuple(entries)), *refusals.frames(Action.SUBSCRIBE, None)]
        return effects


def _is_permitted(own: str | None, identity: Identity) -> bool:
    """Return whether the identity may use this filter, in canonical form."""
    return own is None or not identity.masks_numbers or not finds_numbers(parse_text(own))
