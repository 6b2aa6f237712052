"""The queries of the reading operations, parsed from their parameters.

Sans-I/O.
"""

# Long because all queries are read alike.

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from events.reading.call_results import Outcome
from events.reading.parameters import Paging, Parameters

STATE_PARAMETERS = (
    *("active", "resource_id", "agent_id", "status", "direction", "since", "updated_after", "filter"),
    *("customer_id", "limit", "order", "next"),
)
CALL_PARAMETERS = (
    *STATE_PARAMETERS,
    *("began_from", "began_before", "number", "name", "queue_id", "outcome", "min_wait", "result"),
)
PAST_STATE_PARAMETERS = (
    *("at", "resource", "resource_id", "agent_id", "status", "direction", "filter"),
    *("customer_id", "limit", "next"),
)
HISTORY_PARAMETERS = (
    *("type", "resource", "resource_id", "call_id", "agent_id", "since", "from", "to", "after", "filter"),
    *("customer_id", "limit", "order", "next", "format"),
)


@dataclass(frozen=True, slots=True)
class StateQuery:
    """A query for current states. `None` means no condition, or the client's own customer.

    `filter` is in canonical form, here and below. `parties` are the spellings of the other party's number, which no
    parameter of this address gives.
    """

    paging: Paging
    customer_id: str | None = None
    active: bool | None = None
    resource_id: str | None = None
    agent_id: str | None = None
    status: str | None = None
    direction: str | None = None
    updated_after: datetime | None = None
    filter: str | None = None
    parties: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class CallQuery:
    """A query for calls: that for states, and conditions on how they went.

    `begin` is included, `end` is not; `min_wait` is in seconds. `with_result`: items have the result.
    """

    states: StateQuery
    begin: datetime | None
    end: datetime | None
    number: str | None
    name: str | None
    queue_id: str | None
    outcome: Outcome | None
    min_wait: int | None
    with_result: bool

    @property
    def is_search(self) -> bool:
        """Whether there is more than a query for states."""
        wanted = (self.begin, self.end, self.number, self.name)
        return self.needs_results or any(value is not None for value in wanted)

    @property
    def needs_results(self) -> bool:
        wanted = (self.queue_id, self.outcome, self.min_wait)
        return self.with_result or any(value is not None for value in wanted)


@dataclass(frozen=True, slots=True)
class PastStateQuery:
    """A query for the states of a past moment.

    `None` means no condition, or the client's own customer.
    """

    customer_id: str | None
    at: datetime
    resource: str | None
    resource_id: str | None
    agent_id: str | None
    status: str | None
    direction: str | None
    filter: str | None
    paging: Paging


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A query for past events. `None` means no condition, or the client's own customer.

    `call_id` selects a call's events and those of other resources whose data names the call in a field that ends in
    `_id`. `begin` is included, `end` is not; `after` is a parsed cursor.
    """

    customer_id: str | None
    event_type: str | None
    resource: str | None
    resource_id: str | None
    call_id: str | None
    agent_id: str | None
    begin: datetime | None
    end: datetime | None
    after: Mapping[str, int] | None
    filter: str | None
    paging: Paging
    wants_cloud_events: bool


def read_state_query(parameters: Mapping[str, Sequence[str]]) -> StateQuery:
    """Parse the parameters of `GET /v1.0/resources/<resource>`.

    Raises:
        InvalidQuery: With a reason for each invalid parameter.
    """
    read = Parameters(parameters, STATE_PARAMETERS)
    query = _state_query(read)
    read.finish()
    return query


def read_call_query(parameters: Mapping[str, Sequence[str]]) -> CallQuery:
    """Parse the parameters of `GET /v1.0/calls`.

    Raises:
        InvalidQuery: With a reason for each invalid parameter.
    """
    read = Parameters(parameters, CALL_PARAMETERS)
    outcome = read.choice("outcome", tuple(Outcome))
    query = CallQuery(
        states=_state_query(read),
        begin=read.time("began_from"),
        end=read.time("began_before"),
        number=read.word("number"),
        name=read.word("name"),
        queue_id=read.resource_id("queue_id"),
        outcome=None if outcome is None else Outcome(outcome),
        min_wait=read.whole_number("min_wait"),
        with_result=read.flag("result") or False,
    )
    if query.number is not None and not any(letter.isdecimal() for letter in query.number):
        read.wrong("number", "write a telephone number in any spelling, or at least three of its digits")
    if query.begin and query.end and query.begin >= query.end:
        read.wrong("began_before", "it must be later than began_from")
    read.finish()
    return query


def _state_query(read: Parameters) -> StateQuery:
    return StateQuery(
        customer_id=read.uuid("customer_id"),
        active=read.flag("active"),
        resource_id=read.resource_id(),
        agent_id=read.uuid("agent_id"),
        status=read.word("status"),
        direction=read.word("direction"),
        updated_after=read.since("updated_after"),
        filter=read.filter(),
        paging=read.paging(),
    )


def read_past_state_query(
    parameters: Mapping[str, Sequence[str]], *, resources: Collection[str], now: datetime
) -> PastStateQuery:
    """Parse the parameters of `GET /v1.0/states`; `resources` are the known resource names.

    Raises:
        InvalidQuery: With a reason for each invalid parameter.
    """
    read = Parameters(parameters, PAST_STATE_PARAMETERS)
    at = read.past_moment("at", now)
    if "at" not in parameters:
        read.wrong("at", "name the moment, such as 2024-01-15T10:30:00Z; the present is at /v1.0/resources/…")
    query = PastStateQuery(
        customer_id=read.uuid("customer_id"),
        at=at or now,
        resource=read.resource(resources),
        resource_id=read.resource_id(),
        agent_id=read.uuid("agent_id"),
        status=read.word("status"),
        direction=read.word("direction"),
        filter=read.filter(),
        paging=read.paging(),
    )
    if query.resource_id and not query.resource:
        read.wrong("resource_id", "say of which resource: add resource=call or the like")
    read.finish()
    return query


def read_history_query(
    parameters: Mapping[str, Sequence[str]], *, resources: Collection[str]
) -> HistoryQuery:
    """Parse the parameters of `GET /v1.0/events`; `resources` are the known resource names.

    Raises:
        InvalidQuery: With a reason for each invalid parameter.
    """
    read = Parameters(parameters, HISTORY_PARAMETERS)
    event_type = read.event_type(resources)
    resource = read.resource(resources)
    if event_type and resource and event_type.partition(".")[0] != resource:
        read.wrong("type", f"{event_type} is no event of the resource {resource}: leave one of them out")
    resource_id = read.resource_id()
    if resource_id and not event_type and not resource:
        read.wrong("resource_id", "say of which resource: add resource=call or the like")
    query = HistoryQuery(
        customer_id=read.uuid("customer_id"),
        event_type=event_type,
        resource=resource or (event_type.partition(".")[0] if event_type else None),
        resource_id=resource_id,
        call_id=read.resource_id("call_id"),
        agent_id=read.uuid("agent_id"),
        begin=read.since("from"),
        end=read.time("to"),
        after=read.cursor("after"),
        filter=read.filter(),
        paging=read.paging(),
        wants_cloud_events=read.wants_cloud_events(),
    )
    if query.begin and query.end and query.begin >= query.end:
        read.wrong("to", "it must be later than since")
    read.finish()
    return query


def read_format(parameters: Mapping[str, Sequence[str]]) -> bool:
    """Parse the parameters of `GET /v1.0/events/<id>`; return whether to write a CloudEvent.

    Raises:
        InvalidQuery: With a reason for each invalid parameter.
    """
    read = Parameters(parameters, ("format",))
    wants_cloud_events = read.wants_cloud_events()
    read.finish()
    return wants_cloud_events
