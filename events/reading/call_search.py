"""The search for calls by what their states and their places in queues say."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Max, Min, QuerySet

from events.domain.event import format_timestamp
from events.domain.phone_number import canonical_number
from events.domain.state import State
from events.domain.strict_json import decode
from events.domain.visibility import Visible
from events.models import ResourceState, split_agents
from events.reading.call_results import CallResult, QueuePlace, result_of
from events.reading.paging import Row
from events.reading.queries import CallQuery
from events.reading.states import LIVE, PROGRESS, RESOURCE_ID, SINCE, is_readable

_PLACE_COLUMNS = ("customer_id", "resource", "resource_id", "member_id", "event_type", "since", "live")
_PARTIES = ("source", "destination")
_NAMES = ("target_name", "name")
_FEWEST_DIGITS = 3
"""A part of a number with fewer digits is in nearly all."""

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "æ": "ae", "œ": "oe"})


class CallSearch:
    """The conditions of a query on calls, and the results of those that were found."""

    def __init__(self, visible: Visible, query: CallQuery, region: str) -> None:
        """`region` is the ISO 3166 code of the customer's region, "" if it has none."""
        self._visible = visible
        self._query = query
        self._region = region
        self._number = None if query.number is None else canonical_number(query.number, region)
        self._digits = "" if query.number is None else _digits(canonical_number(query.number)).lstrip("0")
        self._words = folded(query.name or "").split()
        self._results: dict[str, CallResult] = {}

    def narrow(self, calls: QuerySet[ResourceState]) -> QuerySet[ResourceState]:
        """Narrow the calls to those that began in the query's time, whose ends an index has."""
        times = {"since__gte": self._query.begin, "since__lt": self._query.end}
        wanted = {name: value for name, value in times.items() if value is not None}
        if not wanted:
            return calls
        of_time = ResourceState.objects.filter(
            customer_id=self._visible.customer_id, resource="call", **wanted
        ).aggregate(first=Min("id"), last=Max("id"))
        if of_time["first"] is None:
            return calls.none()
        return calls.filter(**wanted, id__gte=of_time["first"], id__lte=of_time["last"])

    def select(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows of the wanted calls, and note their results."""
        if self._number is not None or self._words:
            rows = [row for row in rows if self._has_party(decode(row[-1]))]
        if not self._query.needs_results:
            return rows
        places = self._places([row[RESOURCE_ID] for row in rows])
        found = {row[RESOURCE_ID]: _result(row, places.get(row[RESOURCE_ID], ())) for row in rows}
        wanted = [row for row in rows if self._is_wanted(found[row[RESOURCE_ID]])]
        self._results |= {row[RESOURCE_ID]: found[row[RESOURCE_ID]] for row in wanted}
        return wanted

    def more(self, row: Row) -> Mapping[str, Any]:
        """Return the fields that a call's item has beside those of every state."""
        if not self._query.with_result:
            return {}
        result = self._results[row[RESOURCE_ID]].as_json()
        shown = self._visible.shown_agents("call", row[RESOURCE_ID], result["agent_ids"])
        return {"result": {**result, "agent_ids": list(shown)}}

    def _is_wanted(self, result: CallResult) -> bool:
        query = self._query
        return (
            (query.outcome is None or result.outcome == query.outcome)
            and (query.queue_id is None or query.queue_id in result.queue_ids)
            and (query.min_wait is None or (result.wait_seconds or 0) >= query.min_wait)
        )

    def _has_party(self, data: Mapping[str, Any]) -> bool:
        parties = [data.get(name) for name in _PARTIES]
        if self._number is not None and not any(self._is_number(_number_of(each)) for each in parties):
            return False
        text = folded("\n".join(map(_name_of, parties)))
        return all(word in text for word in self._words)

    def _is_number(self, number: str) -> bool:
        found = canonical_number(number, self._region)
        if found == self._number:
            return bool(found)
        return len(self._digits) >= _FEWEST_DIGITS and self._digits in _digits(found)

    def _places(self, call_ids: Sequence[str]) -> Mapping[str, Sequence[QueuePlace]]:
        """Return the readable places of calls in queues."""
        visible = self._visible
        found: dict[str, list[QueuePlace]] = {}
        rows = ResourceState.objects.filter(
            customer_id=visible.customer_id, resource="queue", member_id__in=call_ids
        ).only(*_PLACE_COLUMNS, "agent_ids", "progress", "body")
        for row in rows:
            if not visible.includes("queue", row.resource_id, split_agents(row.agent_ids)):
                continue
            if is_readable(row, visible.filter):
                state = _state(row.live, row.since, row.progress, row.body)
                found.setdefault(row.member_id, []).append(QueuePlace(row.resource_id, state))
        return found


def folded(text: str) -> str:
    """Return a text without case and accents, for comparisons.

    The pages have the same in shared/text.js.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _result(row: Row, places: Sequence[QueuePlace]) -> CallResult:
    return result_of(_state(row[LIVE], row[SINCE], row[PROGRESS], row[-1]), places)


def _state(live: bool, since: Any, progress: str, body: str) -> State:
    state = State(format_timestamp(since), live=live, data=decode(body))
    state.read_progress(decode(progress))
    return state


def _number_of(party: object) -> str:
    number = party.get("target") if isinstance(party, dict) else party
    return number if isinstance(number, str) else ""


def _name_of(party: object) -> str:
    values = [party.get(name) for name in _NAMES] if isinstance(party, dict) else [party]
    return "\n".join(value for value in values if isinstance(value, str))


def _digits(number: str) -> str:
    return "".join(letter for letter in number if letter.isdigit())
