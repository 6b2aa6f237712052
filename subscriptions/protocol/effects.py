"""What a session decides is to be done: one frozen dataclass for each effect."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from events.domain.topics import Pattern
from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.messages import Action, Authenticate, RequestId, Subscribe


class RecordedVerdict(StrEnum):
    """What the audit log says of a topic."""

    GRANTED = "granted"
    REFUSED = "refused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class HeldTopic:
    """A topic that the connection holds: as the client wrote it, what it means, and whose log its events are in."""

    text: str
    pattern: Pattern
    customer_id: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What is to be recorded of one topic."""

    action: Action
    topic: str
    verdict: RecordedVerdict
    rule: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Send:
    """Send this frame."""

    frame: str


@dataclass(frozen=True, slots=True)
class Record:
    """Store these in the audit log before going on."""

    entries: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Make these topics live, and acknowledge them with the cursor from which they are."""

    topics: tuple[HeldTopic, ...]
    since: str | None
    request_id: RequestId | None


@dataclass(frozen=True, slots=True)
class Leave:
    """End these topics, send `ack`, then store the entries with the cursor at which the topics ended.

    Nothing is awaited between ending the topics and the ack: up to it, the client's cursor holds for them too.
    """

    topics: tuple[HeldTopic, ...]
    entries: tuple[AuditEntry, ...]
    ack: str | None = None


@dataclass(frozen=True, slots=True)
class SendPong:
    """Answer a ping with the cursor up to which everything has been sent."""

    request_id: RequestId | None


@dataclass(frozen=True, slots=True)
class FindAgents:
    """Find the customers of these agents, then call `subscribe` with what was found."""

    agent_ids: frozenset[str]
    message: Subscribe


@dataclass(frozen=True, slots=True)
class Verify:
    """Verify this credential, then call `authenticated` or `not_authenticated`."""

    message: Authenticate


@dataclass(frozen=True, slots=True)
class Close:
    """Tell the client why, and close."""

    code: CloseCode
    message: str


Effect = Send | Record | Join | Leave | SendPong | FindAgents | Verify | Close
