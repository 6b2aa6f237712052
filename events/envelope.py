"""The event: what a publisher may hand in, whom it concerns, its topics, and its frame as text."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from events.strict_json import encode
from events.topics import (
    MAX_RESOURCE_ID_LENGTH,
    RESOURCE_ID_CHARACTERS,
    agent_topic,
    customer_topic,
    did_you_mean,
    is_canonical_uuid,
    is_nil_uuid,
    is_resource_id,
    is_resource_name,
    quoted,
)

MAX_AGENTS = 1000
"""Agents that a publisher may name for one event."""

MAX_KEY_LENGTH = 255
"""Characters of an idempotency key."""

MAX_UNKNOWN_FIELDS = 20
"""Unknown fields of one event that an answer names, so that it does not outgrow the request."""

_FIELDS = ("event_type", "customer_id", "agent_ids", "data", "timestamp", "idempotency_key")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one field of an event; `message` also says what is right."""

    field: str
    message: str


class InvalidEvent(ValueError):
    """The item is no event; `problems` has a reason for each field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Draft:
    """A valid event that has no number yet.

    `agent_ids` are those whom the event itself names; `timestamp` is the publisher's, or none; `body` is
    `data` as JSON.
    """

    event_type: str
    customer_id: str
    resource: str
    resource_id: str
    agent_ids: tuple[str, ...]
    data: Mapping[str, Any]
    body: str
    timestamp: datetime | None
    idempotency_key: str | None

    def digest(self) -> str:
        """Hex SHA-256 of the content: tells a repeated request from another one under the same key."""
        content = [
            self.event_type,
            self.agent_ids,
            self.timestamp and format_timestamp(self.timestamp),
            self.data,
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in its customer's log, ready to be sent.

    `seq` is its number there. A frame is `head`, the topic by which the receiver hears it, and `tail`;
    `topics` are all of its topics, the customer's first.
    """

    seq: int
    head: str
    tail: str
    topics: tuple[str, ...]

    def frame(self, topic: str) -> str:
        """The frame as text for a receiver who hears the event by `topic`."""
        return f"{self.head}{topic}{self.tail}"

    @property
    def size(self) -> int:
        """Characters, about what it takes in memory."""
        return len(self.head) + len(self.tail) + sum(map(len, self.topics))


def make_entry(
    *,
    seq: int,
    epoch: str,
    event_id: str,
    event_type: str,
    timestamp: datetime,
    topics: Iterable[str],
    body: str,
) -> Entry:
    """Build the entry of a stored event; `body` is its data as JSON text, passed through as it was stored."""
    head = f'{{"event_type": "{event_type}", "timestamp": "{format_timestamp(timestamp)}", "topic": "'
    tail = f'", "data": {body}, "id": "{event_id}", "cursor": "{epoch}.{seq}"}}'
    return Entry(seq, head, tail, tuple(topics))


def format_timestamp(moment: datetime) -> str:
    """UTC with six digits and a Z, as in the published examples. `moment` must have a zone."""
    # Not strftime: its %Y does not pad years below 1000.
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_timestamp(text: str) -> datetime:
    """Read an RFC 3339 time with its zone; digits past the microsecond are cut.

    Raises:
        ValueError: it is none.
    """
    found = _RFC3339.fullmatch(text)
    if not found:
        raise ValueError("write it as 2024-01-15T10:30:00.000000Z")
    day, time, fraction, zone = found.groups()
    micro = (fraction or "0")[:6].ljust(6, "0")
    try:
        moment = datetime.fromisoformat(f"{day}T{time}.{micro}{'+00:00' if zone in 'Zz' else zone}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"there is no such time ({error}): write it as 2024-01-15T10:30:00.000000Z"
        ) from None


def read_event(item: object, *, customer_id: str, resources: Collection[str], max_bytes: int) -> Draft:
    """Read one event as a publisher sends it, decoded from JSON.

    `customer_id` is the publisher's own, taken where the item names none; whether it may name another is not
    decided here. `resources` are the known resource names; `max_bytes` is the most that `data` may take as
    JSON.

    Raises:
        InvalidEvent: with a reason for each field.
    """
    if not isinstance(item, dict):
        raise InvalidEvent([Problem("", "an event is a JSON object with event_type and data")])
    unknown = (name for name in item if name not in _FIELDS)
    problems = [
        Problem(str(name)[:64], f"unknown field: an event has {', '.join(_FIELDS)}")
        for name in islice(unknown, MAX_UNKNOWN_FIELDS)
    ]
    read = _Reader(item, problems)
    event_type = read.event_type(resources)
    data = read.data()
    body = encode(data)
    if len(body) > max_bytes or len(body.encode()) > max_bytes:
        problems.append(Problem("data", f"larger than {max_bytes} bytes as JSON: send a reference instead"))
    resource = event_type.partition(".")[0]
    resource_id = read.resource_id(resource, data) if resource and data else ""
    draft = Draft(
        event_type=event_type,
        customer_id=read.customer_id() or customer_id,
        resource=resource,
        resource_id=resource_id,
        agent_ids=read.agent_ids(),
        data=data,
        body=body,
        timestamp=read.timestamp(),
        idempotency_key=read.idempotency_key(),
    )
    if problems:
        raise InvalidEvent(problems)
    return draft


class _Reader:
    """Reads an item's fields one by one and notes what is wrong with each."""

    def __init__(self, item: Mapping[str, object], problems: list[Problem]) -> None:
        self._item = item
        self._problems = problems

    def _wrong(self, field: str, message: str) -> None:
        self._problems.append(Problem(field, message))

    def event_type(self, resources: Collection[str]) -> str:
        value = self._item.get("event_type")
        if "event_type" not in self._item:
            self._wrong("event_type", "required: <resource>.<action>, such as call.status")
        elif not isinstance(value, str) or value.count(".") != 1:
            self._wrong("event_type", "write <resource>.<action>, such as call.status")
        else:
            resource, action = value.split(".")
            if resource not in resources:
                self._wrong(
                    "event_type",
                    f"{quoted(resource)} is no known resource such as call, message or queue"
                    f"{did_you_mean(resource, resources)}",
                )
            elif not is_resource_name(action):
                self._wrong(
                    "event_type", "an action is 1 to 40 lower-case letters, digits and _, such as status"
                )
            else:
                return value
        return ""

    def data(self) -> Mapping[str, Any]:
        value = self._item.get("data")
        if isinstance(value, dict) and value:
            return value
        self._wrong("data", "required: a JSON object with at least the resource's id")
        return {}

    def resource_id(self, resource: str, data: Mapping[str, Any]) -> str:
        names = (f"{resource}_id", "id")
        for name in names:
            value = data.get(name)
            if value is None or value == "" or (isinstance(value, str) and is_nil_uuid(value)):
                continue
            if isinstance(value, str) and is_resource_id(value):
                return value
            self._wrong(
                f"data.{name}",
                f"the resource's id is a string of 1 to {MAX_RESOURCE_ID_LENGTH} {RESOURCE_ID_CHARACTERS}",
            )
            return ""
        self._wrong(f"data.{names[0]}", f"the resource's id is missing: give data.{names[0]} or data.id")
        return ""

    def customer_id(self) -> str:
        value = self._item.get("customer_id")
        if value is None or (isinstance(value, str) and is_nil_uuid(value)):
            return ""
        if isinstance(value, str) and is_canonical_uuid(value):
            return value
        self._wrong("customer_id", "write a UUID in lower case with dashes, or leave it out for your own")
        return ""

    def agent_ids(self) -> tuple[str, ...]:
        value = self._item.get("agent_ids")
        if value is None:
            return ()
        if not isinstance(value, list) or not all(
            isinstance(each, str) and is_canonical_uuid(each) for each in value
        ):
            self._wrong("agent_ids", "write a list of agents' UUIDs in lower case with dashes")
        elif len(value) > MAX_AGENTS:
            self._wrong("agent_ids", f"{len(value)} agents are named, {MAX_AGENTS} are the most")
        else:
            return tuple(dict.fromkeys(each for each in value if not is_nil_uuid(each)))
        return ()

    def timestamp(self) -> datetime | None:
        value = self._item.get("timestamp")
        if value is None:
            return None
        try:
            if isinstance(value, str):
                return parse_timestamp(value)
            self._wrong("timestamp", "write it as 2024-01-15T10:30:00.000000Z")
        except ValueError as error:
            self._wrong("timestamp", str(error))
        return None

    def idempotency_key(self) -> str | None:
        value = self._item.get("idempotency_key")
        if value is None:
            return None
        if isinstance(value, str) and 1 <= len(value) <= MAX_KEY_LENGTH:
            return value
        self._wrong("idempotency_key", f"write a string of 1 to {MAX_KEY_LENGTH} characters")
        return None


def concerned_agents(draft: Draft, serving: Iterable[str] = ()) -> tuple[str, ...]:
    """The agents on whose topics the event stands, each once: those named, those in its data, and `serving`.

    `serving` are the agents who serve the queue of a queue's event; for other events it is empty.
    """
    data = draft.data
    found = [*draft.agent_ids, data.get("agent_id"), data.get("service_agent_id")]
    if data.get("owner_type") == "agent":
        found.append(data.get("owner_id"))
    if draft.resource == "agent":
        found.append(draft.resource_id)
    found.extend(serving)
    # What the data says is the publisher's own business; where it is no agent's id, there is no topic for it.
    return tuple(
        dict.fromkeys(
            each
            for each in found
            if isinstance(each, str) and is_canonical_uuid(each) and not is_nil_uuid(each)
        )
    )


def topics_of(customer_id: str, resource: str, resource_id: str, agent_ids: Iterable[str]) -> tuple[str, ...]:
    """All topics of an event, the customer's first."""
    return (
        customer_topic(customer_id, resource, resource_id),
        *(agent_topic(agent_id, resource, resource_id) for agent_id in agent_ids),
    )


def new_event_id() -> str:
    """A fresh event id."""
    return str(uuid.uuid4())
