"""The queries of the reading operations, parsed from their parameters.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from events.reading.parameters import Paging, Parameters

STATE_PARAMETERS = (
    *("active", "resource_id", "agent_id", "status", "direction", "since", "updated_after", "filter"),
    *("customer_id", "limit", "order", "next"),
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

    customer_id: str | None
    active: bool | None
    resource_id: str | None
    agent_id: str | None
    status: str | None
    direction: str | None
    updated_after: datetime | None
    filter: str | None
    paging: Paging
    parties: frozenset[str] | None = None


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
    query = StateQuery(
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
