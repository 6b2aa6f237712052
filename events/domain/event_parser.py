"""Parsing an event of a publisher: every field is validated, and every error is reported."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from events.domain.event import Draft, parse_timestamp
from events.domain.strict_json import encode
from events.domain.topics import (
    MAX_RESOURCE_ID_LENGTH,
    RESOURCE_ID_CHARACTERS,
    did_you_mean,
    is_canonical_uuid,
    is_nil_uuid,
    is_resource_id,
    is_resource_name,
    quoted,
)
from events.domain.vocabulary import translated

MAX_AGENTS = 1000
"""The most agents that a publisher may name for one event."""

MAX_KEY_LENGTH = 255
"""The most characters of an idempotency key."""

MAX_UNKNOWN_FIELDS = 20
"""The most unknown fields that a response names, so that it stays smaller than the request."""

MAX_TAGS = 16
"""The most tags of a publisher's own on one resource."""

MAX_TAG_LENGTH = 256
"""The most characters of a tag's value."""

GATEWAY_TAGS = frozenset(
    {
        *("event_type", "resource", "resource_id", "status", "direction"),
        *("queue_id", "agent_id", "source", "destination"),
    }
)
"""The tags that the gateway sets itself; a publisher's own have other names."""

_FIELDS = ("event_type", "customer_id", "agent_ids", "data", "timestamp", "idempotency_key", "tags")
_TAG_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error in one field; `message` says what is wrong and what is right."""

    field: str
    message: str


class InvalidEvent(ValueError):
    """The item is no event; `problems` has a reason for each invalid field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)


def read_event(item: object, *, customer_id: str, resources: Collection[str], max_bytes: int) -> Draft:
    """Parse one event of a publisher, decoded from JSON.

    `customer_id` is the publisher's, for an item that names none; whether the publisher may name another one is not
    decided here. `resources` are the known resource names, `max_bytes` is the limit of `data` as JSON.

    Raises:
        InvalidEvent: Some field is invalid, with a reason for each.
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
    resource = event_type.partition(".")[0]
    data = translated(resource, read.data())
    body = encode(data)
    if len(body) > max_bytes or len(body.encode()) > max_bytes:
        problems.append(Problem("data", f"larger than {max_bytes} bytes as JSON: send a reference instead"))
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
        tags=read.tags(),
    )
    if problems:
        raise InvalidEvent(problems)
    return draft


class _Reader:
    """Reads the fields of an item and collects their errors."""

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

    def tags(self) -> Mapping[str, Any] | None:
        value = self._item.get("tags")
        if value is None:
            return None
        if not isinstance(value, dict):
            self._wrong("tags", 'write an object of tags, such as {"team": "sales"}')
        elif len(value) > MAX_TAGS:
            self._wrong("tags", f"{len(value)} tags, {MAX_TAGS} are the most")
        else:
            for name, each in value.items():
                if name in GATEWAY_TAGS:
                    self._wrong(f"tags.{name}", "the gateway sets this tag itself: choose another name")
                elif not _TAG_NAME.fullmatch(name):
                    self._wrong(
                        f"tags.{name[:64]}",
                        "a tag's name is 1 to 32 lower-case letters, digits and _, beginning with a letter",
                    )
                elif not is_tag_value(each):
                    self._wrong(
                        f"tags.{name}",
                        f"a string of at most {MAX_TAG_LENGTH} characters, a number, true or false",
                    )
            return value
        return None


def is_tag_value(value: object) -> bool:
    """Return whether a value can be a tag's: a short string, a number, true or false."""
    if isinstance(value, str):
        return len(value) <= MAX_TAG_LENGTH
    return isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
