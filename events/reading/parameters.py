"""Parsing query parameters, with a reason for each invalid one.

Sans-I/O.
"""

# Long because each kind of parameter is read here, with the same reasons.

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from events.cloudevents.attributes import is_cloud_events
from events.domain.cursor import InvalidCursor, Position, parse_cursor
from events.domain.event import parse_timestamp
from events.domain.event_parser import Problem
from events.domain.topics import (
    MAX_RESOURCE_ID_LENGTH,
    RESOURCE_ID_CHARACTERS,
    did_you_mean,
    is_canonical_uuid,
    is_resource_id,
    is_resource_name,
    quoted,
)
from events.filters.expression import InvalidFilter, canonical, parse_text

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_WORD_LENGTH = 64
"""The most characters of a status or direction."""

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
"""The earliest moment of which states and figures are computed; its day has begun in every time zone."""

CREDENTIAL_PARAMETERS = ("token", "accesskey")
"""The query parameters for a credential, as in VoIPBIN's REST API: `token` for JWTs and keys, `accesskey` for keys."""

_PLACE = re.compile(r"([0-9a-f]{12}\.[0-9]{1,18})\.([0-9]{1,18})", re.ASCII)
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_TIME_FORM = "write it as 2024-01-15T10:30:00.000000Z (a + must be sent as %2B)"


class InvalidQuery(ValueError):
    """Some parameter is invalid; `problems` has a reason for each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Place:
    """The place of the next page; `start` is the log's position at the first page."""

    start: Position
    last: int

    def __str__(self) -> str:
        return f"{self.start}.{self.last}"


@dataclass(frozen=True, slots=True)
class Paging:
    """The size, order and start of a page; `place` is `None` for the first page."""

    limit: int
    newest_first: bool
    place: Place | None


class Parameters:
    """Reads the parameters one by one and collects their errors."""

    def __init__(self, parameters: Mapping[str, Sequence[str]], known: Sequence[str]) -> None:
        self._parameters = parameters
        self._problems: list[Problem] = []
        for name in parameters:
            if name in CREDENTIAL_PARAMETERS:
                continue
            if name not in known:
                allowed = f"known parameters: {', '.join(known)}" if known else "this address takes none"
                self.wrong(name[:64], f"unknown parameter{did_you_mean(name, known)}; {allowed}")
            elif len(parameters[name]) > 1:
                self.wrong(name, "send it once")

    def wrong(self, name: str, message: str) -> None:
        if len(self._problems) < MAX_LIMIT:
            self._problems.append(Problem(name, message))

    def finish(self) -> None:
        if self._problems:
            raise InvalidQuery(self._problems)

    def _text(self, name: str) -> str | None:
        values = self._parameters.get(name)
        return values[0] if values else None

    def uuid(self, name: str) -> str | None:
        value = self._text(name)
        if value is not None and not is_canonical_uuid(value):
            self.wrong(name, f"{quoted(value)} is no id: write a UUID in lower case with dashes")
            return None
        return value

    def flag(self, name: str) -> bool | None:
        value = self._text(name)
        if value not in (None, "true", "false"):
            self.wrong(name, "write true or false, or leave it out for both")
            return None
        return None if value is None else value == "true"

    def resource_id(self, name: str = "resource_id") -> str | None:
        value = self._text(name)
        if value is not None and not is_resource_id(value):
            self.wrong(name, f"write an id of 1 to {MAX_RESOURCE_ID_LENGTH} {RESOURCE_ID_CHARACTERS}")
            return None
        return value

    def resource(self, resources: Collection[str]) -> str | None:
        value = self._text("resource")
        if value is not None and value not in resources:
            self.wrong("resource", unknown_resource(value, resources))
            return None
        return value

    def event_type(self, resources: Collection[str]) -> str | None:
        value = self._text("type")
        if value is None:
            return None
        resource, dot, action = value.partition(".")
        if not dot or not is_resource_name(action):
            self.wrong(
                "type", f"{quoted(value)} is no event type: write <resource>.<action>, such as call.status"
            )
        elif resource not in resources:
            self.wrong("type", unknown_resource(resource, resources))
        else:
            return value
        return None

    def word(self, name: str) -> str | None:
        value = self._text(name)
        if value is not None and not (0 < len(value) <= MAX_WORD_LENGTH and value.isprintable()):
            self.wrong(name, f"write 1 to {MAX_WORD_LENGTH} characters, just as the data has it")
            return None
        return value

    def search(self, name: str, most: int) -> str | None:
        value = self._text(name)
        if value is not None and not 0 < len(value.strip()) <= most:
            self.wrong(name, f"write 1 to {most} characters, or leave it out for all")
            return None
        return value and value.strip()

    def choice(self, name: str, known: Sequence[str]) -> str | None:
        value = self._text(name)
        if value is not None and value not in known:
            self.wrong(name, f"write one of {', '.join(known)}{did_you_mean(value, known)}")
            return None
        return value

    def whole_number(self, name: str) -> int | None:
        value = self._text(name)
        if value is not None and not _WHOLE_NUMBER.fullmatch(value):
            self.wrong(name, "write a whole number such as 60")
            return None
        return None if value is None else int(value)

    def time(self, name: str) -> datetime | None:
        value = self._text(name)
        if value is None:
            return None
        try:
            return parse_timestamp(value)
        except ValueError:
            self.wrong(name, f"{quoted(value)} is no time: {_TIME_FORM}")
            return None

    def past_moment(self, name: str, now: datetime) -> datetime | None:
        moment = self.time(name)
        if moment is None:
            return None
        if moment > now:
            self.wrong(name, "this moment is still to come: choose one of the past")
        elif moment < EARLIEST:
            self.wrong(name, "this moment is before any event: choose one after 1970-01-01")
        return moment

    def since(self, other_name: str) -> datetime | None:
        """Return the time of `since`, or of the other name that it has."""
        if (value := self._text("since")) is None:
            return self.time(other_name)
        if other_name in self._parameters:
            self.wrong("since", f"the same as {other_name}: send one of the two")
        with suppress(InvalidCursor):
            parse_cursor(value)
            self.wrong(
                "since", f"this is a cursor, and since is a time: {_TIME_FORM}; a cursor is sent as after"
            )
            return None
        return self.time("since")

    def wants_cloud_events(self) -> bool:
        try:
            return is_cloud_events(self._text("format"))
        except ValueError as error:
            self.wrong("format", str(error))
            return False

    def filter(self) -> str | None:
        """Return the canonical text of the filter, `None` if there is none."""
        value = self._text("filter")
        if value is None:
            return None
        try:
            return canonical(parse_text(value))
        except InvalidFilter as error:
            self.wrong("filter", str(error))
            return None

    def cursor(self, name: str) -> Mapping[str, int] | None:
        value = self._text(name)
        if value is None:
            return None
        try:
            return parse_cursor(value)
        except InvalidCursor:
            self.wrong(
                name, "this is no cursor: send one back exactly as an event, an ack or an answer gave it"
            )
            return None

    def paging(self) -> Paging:
        limit, order = self._text("limit"), self._text("order")
        if limit is not None and not (_WHOLE_NUMBER.fullmatch(limit) and 1 <= int(limit) <= MAX_LIMIT):
            self.wrong(
                "limit", f"write a whole number from 1 to {MAX_LIMIT}; without it, it is {DEFAULT_LIMIT}"
            )
            limit = None
        if order not in (None, "asc", "desc"):
            self.wrong(
                "order", "write asc for the oldest first (which it is without), or desc for the newest"
            )
        return Paging(int(limit or DEFAULT_LIMIT), order == "desc", self._place())

    def _place(self) -> Place | None:
        value = self._text("next")
        if value is None:
            return None
        found = _PLACE.fullmatch(value)
        if not found:
            self.wrong(
                "next", "send it back exactly as the last page gave it, with the same other parameters"
            )
            return None
        epoch, _, seq = found[1].partition(".")
        return Place(Position(epoch, int(seq)), int(found[2]))


def unknown_resource(name: str, resources: Collection[str]) -> str:
    """Return the message about an unknown resource."""
    return (
        f"{quoted(name)} is no known resource such as call, message or queue{did_you_mean(name, resources)}"
    )
