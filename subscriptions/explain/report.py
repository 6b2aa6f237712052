"""The data of an explanation: event, receiver, evidence, and the steps of the answer.

Sans-I/O.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from events.domain.cursor import Position
from events.filters.tags import EventTags
from subscriptions.explain.connection_history import ConnectionHistory
from subscriptions.protocol.permissions import Identity

_YES_OR_NO = re.compile(r"\A(?:Yes|No)[.:] ")

Facts = tuple[tuple[str, str], ...]


class Outcome(StrEnum):
    """The answer of a step: passed, ended here, not known, or not applicable."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Answer(NamedTuple):
    """The answer to the question of one step."""

    outcome: Outcome
    rule: str
    message: str
    facts: Facts = ()


class Step(NamedTuple):
    """One step of an event's way to a receiver: a question with its answer."""

    name: str
    question: str
    outcome: Outcome
    rule: str
    message: str
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """All steps, and the decisive one."""

    steps: tuple[Step, ...]
    reason: Step

    @property
    def outcome(self) -> Outcome:
        """The outcome of the last step: whether the event was delivered."""
        return self.steps[-1].outcome

    @property
    def conclusion(self) -> str:
        """The reason in one or two sentences."""
        text = _YES_OR_NO.sub("", self.reason.message)
        return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """The event to explain."""

    id: str
    event_type: str
    customer_id: str
    position: Position
    stored_at: datetime
    topics: tuple[str, ...]
    tags: EventTags | None = None


@dataclass(frozen=True, slots=True)
class NoEvent:
    """The event does not exist; `topics` has the topic that was looked up, if any."""

    rule: str
    message: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CredentialProblem:
    """Why a credential is not accepted now; `since` is `None` if that is not known."""

    rule: str
    message: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Receiver:
    """The agent or access key that should get the event.

    `identity` is what the credential proves, or would prove if it were accepted; `problem` is `None` if it is accepted.
    """

    name: str
    identity: Identity
    problem: CredentialProblem | None
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the receiver's connections.

    `open_now` has the ids of live connections with their queued bytes. `looked_from` is the time of the oldest record
    that was read, `None` if all were.
    """

    history: ConnectionHistory
    open_now: Mapping[str, int]
    looked_from: datetime | None
    now: datetime
    unconfirmed_since: Mapping[str, datetime] = field(default_factory=dict)
    """From when on it is not known whether events were sent over a live connection, by its id: its process has not
    reported since, or the connection lagged when it did."""


def as_json(explanation: Explanation) -> dict[str, Any]:
    """Encode the explanation for the REST API.

    `delivered` is null if not known, as of an event that is not kept: it may have been delivered before.
    """
    delivered = {Outcome.YES: True, Outcome.NO: False}.get(explanation.outcome)
    return {
        "delivered": delivered,
        "rule": explanation.reason.rule,
        "reason": explanation.conclusion,
        "steps": [
            {**step._asdict(), "facts": [{"name": name, "value": value} for name, value in step.facts]}
            for step in explanation.steps
        ],
    }


def moment(at: datetime) -> str:
    """Format a time in UTC, to the millisecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"
