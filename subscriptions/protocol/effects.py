"""The effects that a session requests from its connection, one frozen dataclass for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from events.domain.topics import Pattern
from events.filters.event_filter import NO_FILTER, EventFilter
from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.messages import Action, Authenticate, Ping, RequestId, Subscribe
from subscriptions.protocol.permissions import SummaryAccess


class AuditVerdict(StrEnum):
    """The outcome of an action, as the audit log stores it."""

    GRANTED = "granted"
    REFUSED = "refused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class HeldTopic:
    """A subscribed topic: the client's text, its pattern, customer, filter and summaries.

    `summary_queues` are the only queues whose summaries it has; `None` for no limit.
    """

    text: str
    pattern: Pattern
    customer_id: str
    filter: EventFilter = NO_FILTER
    summary: SummaryAccess = SummaryAccess.NONE
    summary_queues: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """The audit record of a request for one topic, or for the `count` topics of a message."""

    action: Action
    topic: str
    verdict: AuditVerdict
    rule: str
    detail: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Send:
    """Send this frame."""

    frame: str


@dataclass(frozen=True, slots=True)
class Record:
    """Store these in the audit log, then go on with the next effect."""

    entries: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Make these topics live, and acknowledge them with the cursor that they begin after.

    `filter` is as the client sent it.
    """

    topics: tuple[HeldTopic, ...]
    since: str | None
    request_id: RequestId | None
    filter: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refilter:
    """Replace the filters of these topics, as far as they are live."""

    topics: tuple[HeldTopic, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """End these topics, send `ack`, then store the entries with the topics' last cursor.

    Nothing is awaited between ending the topics and the ack: up to it, the client's cursor holds for them too.
    """

    topics: tuple[HeldTopic, ...]
    entries: tuple[AuditEntry, ...]
    ack: str | None = None


@dataclass(frozen=True, slots=True)
class FindAgents:
    """Find the customers of these agents, then call `subscribe` with them."""

    agent_ids: frozenset[str]
    message: Subscribe


@dataclass(frozen=True, slots=True)
class Close:
    """Send the client an error frame with the reason, and close."""

    code: CloseCode
    message: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Count a refused message, and process no other for `seconds`."""

    seconds: float


# Two messages are effects as they are: the connection answers a Ping with the cursor of all events that were sent, and
# verifies the credential of an Authenticate, then calls the session's `authenticated` or `not_authenticated`.
Effect = Send | Record | Join | Refilter | Leave | FindAgents | Close | Pause | Ping | Authenticate
