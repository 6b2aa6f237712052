"""What explaining speaks of: the event, its receiver, what is known of the connections, and the steps of the answer.

Sans-I/O.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from events.domain.cursor import Position
from subscriptions.explain.connection_history import ConnectionHistory
from subscriptions.protocol.permissions import Identity

_YES_OR_NO = re.compile(r"\A(?:Yes|No)[.:] ")

Facts = tuple[tuple[str, str], ...]


class Outcome(StrEnum):
    """What a step says of the event's way: it went on, it ended here, it cannot be told, or it was not asked."""

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
    """All steps, and the one that tells why."""

    steps: tuple[Step, ...]
    reason: Step

    @property
    def outcome(self) -> Outcome:
        """Whether the event was delivered."""
        return self.steps[-1].outcome

    @property
    def conclusion(self) -> str:
        """The answer in one or two sentences."""
        text = _YES_OR_NO.sub("", self.reason.message)
        return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """The event that is asked about."""

    id: str
    event_type: str
    customer_id: str
    position: Position
    stored_at: datetime
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoEvent:
    """There is no such event; `topics` are those that were asked about, if a topic was."""

    rule: str
    message: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CredentialProblem:
    """Why a credential is not accepted now; `since` is none where that is not known."""

    rule: str
    message: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who should have got it. `identity` is what the credential stands for, or would if it were accepted."""

    name: str
    identity: Identity
    problem: CredentialProblem | None
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the receiver's connections.

    `open_now` has the ids of those that a living process holds, and how many bytes wait there to be read. `looked_from`
    is the time of the oldest record that was looked at, none where all were.
    """

    history: ConnectionHistory
    open_now: Mapping[str, int]
    looked_from: datetime | None
    now: datetime


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The answer for programs: whether it was delivered (null where that is not known), why, and every step."""
    delivered = {Outcome.YES: True, Outcome.NO: False, Outcome.SKIPPED: False}.get(explanation.outcome)
    return {
        "delivered": delivered,
        "rule": explanation.reason.rule,
        "reason": explanation.conclusion,
        "steps": [
            {
                "name": step.name,
                "question": step.question,
                "outcome": step.outcome.value,
                "rule": step.rule,
                "message": step.message,
                "facts": [{"name": name, "value": value} for name, value in step.facts],
            }
            for step in explanation.steps
        ],
    }


def moment(at: datetime) -> str:
    """A time as the answers write it: UTC, to the millisecond, in which a phone platform's things happen."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"
