"""The event before and after it is numbered: its agents, topics, and frame."""

# Long because the parts of a frame are built and taken apart in one place.

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from events.domain.state import is_agent_id, named_in
from events.domain.topics import AGENT_SCOPE, agent_topic, customer_topic

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_ALMOST = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d)?([.,]\d+)?(.*)", re.ASCII | re.DOTALL)
_EXAMPLE = "2024-01-15T10:30:00.000000Z"

_AGENT_IDS = ', "agent_ids": ['
_PHASES = ', "phases": '
_TOPIC = ', "topic": "'
_ID = ', "id": "'
_TIMESTAMP = '", "timestamp": "'
_TYPE = len('{"event_type": "')


class Form(Enum):
    """How a subscriber receives an event.

    LEFT: its resource matches the subscription's filter no more. WITHDRAWN: nor does it match the access key's, so that
    the event has no content but the ids.
    """

    WHOLE = 0
    LEFT = 1
    WITHDRAWN = 2


@dataclass(frozen=True, slots=True)
class Draft:
    """A valid event that has no number yet.

    `agent_ids` are the agents that the publisher named; `timestamp` is the publisher's, or `None`; `body` is `data` as
    JSON. `preceding_type` is the type of an event with the same data that is stored just before, in one transaction.
    If `repeat_seconds` is set, the idempotency key is a digest of the bytes that were received, and counts for so long:
    then the same bytes are a new event. `tags` are the publisher's, `None` if it sent none: the resource keeps its own.
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
    preceding_type: str | None = None
    repeat_seconds: int | None = None
    tags: Mapping[str, str | int | float | bool] | None = None

    def digest(self) -> str:
        """Return the hex SHA-256 of the content, which identifies a repeated event."""
        content: list[Any] = [
            self.event_type,
            self.agent_ids,
            self.timestamp and format_timestamp(self.timestamp),
            self.data,
        ]
        # Without tags the digest is that of earlier versions.
        if self.tags is not None:
            content.append(self.tags)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """A numbered event of a customer's log, ready to be sent.

    A frame is `head`, the topic that matched the subscription, and `tail`. `topics` are all topics of the event, the
    customer's first. `tags` and `was` are JSON, as `events.filters.tags` stored them; `None` in events of earlier
    versions, and `was` where no tag changed.
    """

    seq: int
    head: str
    tail: str
    topics: tuple[str, ...]
    tags: str | None = None
    was: str | None = None

    def frame(self, topic: str, form: Form = Form.WHOLE) -> str:
        """Return the frame for a subscriber that receives the event by `topic`.

        An agent's topics name no other agent: of `agent_ids` they have the agent's own id, or none, and of the agents'
        new phases the own one as `phase`. A customer's topics have no phases: they follow from the customer's events.
        """
        if form is Form.WITHDRAWN:
            return f"{self._bare_head}{topic}{self._withdrawn_tail}"
        tail = self.tail if form is Form.WHOLE else _with_left(self.tail)
        head = self.head
        if head[-len(_TOPIC) - 1] != '"':
            head = _head_for(head, topic)
        return f"{head}{topic}{tail}"

    @property
    def _bare_head(self) -> str:
        """The head without agents and phases."""
        begin = self.head.index(_TIMESTAMP) + len(_TIMESTAMP)
        return self.head[: self.head.index('"', begin) + 1] + _TOPIC

    @property
    def _withdrawn_tail(self) -> str:
        """The tail with the ids that a client needs to remove the resource, or the call's place."""
        _, _, resource, resource_id = self.topics[0].split(":", 3)
        data = json.loads('{"topic": "' + self.tail)["data"]
        ids = {name: data[name] for name in (f"{resource}_id", "id") if data.get(name) == resource_id}
        if resource != "call" and isinstance(call_id := data.get("call_id"), str):
            ids["call_id"] = call_id
        _, mark, end = self.tail.rpartition(_ID)
        return f'", "data": {json.dumps(ids)}, "left": true{mark}{end}'

    @property
    def event_type(self) -> str:
        """The type of the event."""
        return self.head[_TYPE : self.head.index('"', _TYPE)]

    @property
    def event_id(self) -> str:
        """The id of the event."""
        return self.tail.rpartition('", "cursor": "')[0].rpartition('"')[2]

    @property
    def size(self) -> int:
        """The approximate size in memory and on a connection, in bytes."""
        tail = self.tail if self.tail.isascii() else self.tail.encode()
        return len(self.head) + len(tail) + sum(map(len, self.topics))


def make_entry(
    *,
    seq: int,
    epoch: str,
    event_id: str,
    event_type: str,
    timestamp: datetime,
    topics: Iterable[str],
    body: str,
    named_agents: Sequence[str] = (),
    ended: bool | None = None,
    phases: str | None = None,
    tags: str | None = None,
    was: str | None = None,
) -> Entry:
    """Build the entry of a stored event; `body` is its data as JSON, sent as it was stored.

    `named_agents` are those that the publisher named beside the data. `ended` is true for the end of the resource and
    for late events after it, false if the event corrected an end. `phases` is JSON: the agents' new phases with a call.
    """
    head = f'{{"event_type": "{event_type}", "timestamp": "{format_timestamp(timestamp)}"'
    # Other heads end with the timestamp's quotation mark, by which `Entry.frame` tells them apart.
    if named_agents:
        head += _AGENT_IDS + ", ".join(map(json.dumps, named_agents)) + "]"
    if phases:
        head += _PHASES + phases
    active = "" if ended is None else f', "active": {"false" if ended else "true"}'
    tail = f'", "data": {body}{active}, "id": "{event_id}", "cursor": "{epoch}.{seq}"}}'
    return Entry(seq, head + _TOPIC, tail, tuple(topics), tags, was)


def _with_left(tail: str) -> str:
    """Return a tail that says that the resource matches the filter no more."""
    before, mark, after = tail.rpartition(_ID)
    return f'{before}, "left": true{mark}{after}'


def _head_for(head: str, topic: str) -> str:
    """Return the head with the agents and phases that a topic shows."""
    fields, _, phases = head.removesuffix(_TOPIC).partition(_PHASES)
    if topic.startswith(AGENT_SCOPE):
        agent = topic.split(":", 2)[1]
        fields, named, agents = fields.partition(_AGENT_IDS)
        if named:
            own = f'"{agent}"'
            fields += f"{_AGENT_IDS}{own if own in agents else ''}]"
        if phases and (phase := json.loads(phases).get(agent)):
            fields += f', "phase": {json.dumps(phase)}'
    return fields + _TOPIC


# The events of a commit share their times.
@lru_cache(maxsize=256)
def format_timestamp(moment: datetime) -> str:
    """Format a time with a zone as UTC with six digits and a Z, as in the published examples."""
    # Not strftime: its %Y does not pad years below 1000.
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


@lru_cache(maxsize=256)
def parse_timestamp(text: str) -> datetime:
    """Parse an RFC 3339 time with its zone; digits after the microsecond are ignored.

    Raises:
        ValueError: The text is no such time.
    """
    found = _RFC3339.fullmatch(text)
    if not found:
        raise ValueError(f"{_fault_of(text)}write it as {_EXAMPLE}")
    day, time, fraction, zone = found.groups()
    if zone[1:] >= "24":
        raise ValueError(f"there is no zone {zone}: write it as {_EXAMPLE} or 2024-01-15T12:30:00+02:00")
    micro = (fraction or "0")[:6].ljust(6, "0")
    try:
        moment = datetime.fromisoformat(f"{day}T{time}.{micro}{'+00:00' if zone in 'Zz' else zone}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"there is no such time ({error}): write it as {_EXAMPLE}") from None


def data_time(value: object) -> datetime | None:
    """Parse a time within an event's data; `None` for another value.

    VoIPBIN's times are UTC, mostly without a zone. Its year 9999 means "not yet", and year 1 is Go's zero time.
    """
    if isinstance(value, str):
        for text in (value, f"{value}Z"):
            with suppress(ValueError):
                moment = parse_timestamp(text)
                return moment if 1 < moment.year < 9999 else None
    return None


def _fault_of(text: str) -> str:
    """Return what is wrong with a time that is almost one of RFC 3339, or ""."""
    found = _ALMOST.fullmatch(text)
    if not found:
        return ""
    seconds, fraction, zone = found.groups()
    if re.fullmatch(r"[+-]\d\d(\d\d)?", zone):
        return f"the zone {zone} lacks its colon, as in +02:00: "
    if not zone:
        return "the zone is missing: "
    if seconds is None:
        return "the seconds are missing: "
    if fraction and fraction.startswith(","):
        return "a point stands before the fraction, not a comma: "
    if fraction and len(fraction) > 10:
        return "the fraction has more than nine digits: "
    return ""


def concerned_agents(draft: Draft, serving: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the agents whom the event itself concerns: named, in its data, and `serving`.

    `serving` are the agents of the queue of a queue's event; for other events it is empty.
    """
    found = [*draft.agent_ids, *_agents_in(draft.data)]
    if draft.resource == "agent":
        found.append(draft.resource_id)
    found += serving
    # The data is the publisher's: a value that is no agent's id gets no topic.
    return tuple(dict.fromkeys(each for each in found if is_agent_id(each)))


def agents_beside_data(draft: Draft) -> tuple[str, ...]:
    """Return the agents that the publisher named, unless the data names the same."""
    named = draft.agent_ids
    return named if named and named_in(draft.data, named) != named_in(draft.data) else ()


def _agents_in(data: Mapping[str, Any]) -> list[Any]:
    found = [data.get("agent_id"), data.get("service_agent_id")]
    if data.get("owner_type") == "agent":
        found.append(data.get("owner_id"))
    return [each for each in found if is_agent_id(each)]


def topics_of(customer_id: str, resource: str, resource_id: str, agent_ids: Iterable[str]) -> tuple[str, ...]:
    """Return all topics of an event, the customer's first."""
    return (
        customer_topic(customer_id, resource, resource_id),
        *(agent_topic(agent_id, resource, resource_id) for agent_id in agent_ids),
    )


def new_event_id() -> uuid.UUID:
    """Generate the id of an event."""
    return uuid.uuid4()
