"""The states of a past moment, folded from the log.

They begin with the last snapshot before it, and the events since change them as publishing does.
"""

from __future__ import annotations

import copy
import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db.models import Q, Value
from django.db.models.functions import StrIndex

from events.domain.call_state import NOTE_ACTION
from events.domain.event import Draft, concerned_agents, format_timestamp
from events.domain.event_parser import GATEWAY_TAGS
from events.domain.resource_state import MEMBER_RESOURCES, Key, StateEvent, changes_state, key_of
from events.domain.state import State
from events.log import reader, snapshots
from events.log.state_fold import LogEvent, StateFold
from events.models import Event, ResourceState, split_agents

MAX_EVENTS = 50_000
"""The most events that are folded for a request; a snapshot is taken after far fewer."""

MOMENTS_KEPT = 4
"""The moments that a process remembers: their further pages, and where it goes on to later ones."""

WAIT_SECONDS = 10.0
"""How long a request waits for those before it: a process computes one moment at a time."""

_ROWS_AT_ONCE = 5_000
_COLUMNS = (
    *("seq", "event_type", "resource", "resource_id", "timestamp", "stored_at"),
    *("agent_ids", "named_agents", "ended", "tags", "body"),
)
States = Sequence[ResourceState]


class NotKnown(Exception):
    """The states of the moment cannot be computed; the message has the reason."""


class TooBusy(Exception):
    """Other requests for past moments are being computed."""


_turn = threading.RLock()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other thread of this process computes a past moment.

    Raises:
        TooBusy: It takes too long.
    """
    if not _turn.acquire(timeout=WAIT_SECONDS):
        raise TooBusy
    try:
        yield
    finally:
        _turn.release()


class PastStates:
    """The computed moments of a process, for all its threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, int], States] = OrderedDict()

    def at(self, customer_id: str, head: reader.Head, seq: int) -> States:
        """Return the states that had not ended after an event of the log.

        They are in the order of their addresses.

        Raises:
            NotKnown: Events before it were deleted, or there are too many since the last snapshot.
            TooBusy: Try again.
        """
        with one_at_a_time():
            wanted = (customer_id, head.epoch, seq)
            if wanted not in self._kept:
                self._kept[wanted] = self._compute(customer_id, head, seq)
            self._kept.move_to_end(wanted)
            while len(self._kept) > MOMENTS_KEPT:
                self._kept.popitem(last=False)
            return self._kept[wanted]

    def _compute(self, customer_id: str, head: reader.Head, seq: int) -> States:
        after, states = self._start(customer_id, head, seq)
        if seq - after > MAX_EVENTS:
            raise NotKnown(
                f"There are {seq - after} events between this moment and the last snapshot before it, and at most "
                f"{MAX_EVENTS} are read: choose another one; a snapshot is taken every ten minutes"
            )
        fold = _PastFold(customer_id, after, states)
        fold.follow(seq)
        now = reader.head_of(customer_id)
        if now.epoch != head.epoch or now.floor > after:
            raise NotKnown("The log was replaced or shortened meanwhile: try again")
        found = fold.states.live_rows()
        return sorted(found, key=lambda row: (row.resource, row.resource_id, row.member_id))

    def _start(self, customer_id: str, head: reader.Head, seq: int) -> tuple[int, Iterable[ResourceState]]:
        """Return the number and the states from which to go on."""
        found = snapshots.last_before(customer_id, head, seq)
        if found is None and head.floor > 0:
            raise NotKnown(_too_early(customer_id, head))
        after, states = found or (0, [])
        for known_customer, epoch, known_seq in self._kept:
            if (known_customer, epoch) == (customer_id, head.epoch) and after < known_seq <= seq:
                after, states = known_seq, list(self._kept[known_customer, epoch, known_seq])
        # The fold changes the rows.
        return after, map(copy.copy, states)


past_states = PastStates()
"""The computed moments of this process."""


def _too_early(customer_id: str, head: reader.Head) -> str:
    first = snapshots.first_kept(customer_id, head)
    events = Event.objects.filter(customer_id=customer_id, seq__gte=first or 0).order_by("seq")
    at = None if first is None else events.values_list("stored_at", flat=True).first()
    if at is None:
        return "Earlier events were deleted, and the first snapshot of the states is still to come: try again later"
    return (
        "Events before this moment were deleted: the states are known from "
        f"{format_timestamp(at)} on, so choose a later moment"
    )


class _PastFold:
    """The states after an event of the log, which follow it.

    Of what had ended before its start it knows nothing: events say themselves whether their resource was over.
    """

    def __init__(self, customer_id: str, after: int, states: Iterable[ResourceState]) -> None:
        self.states = StateFold()
        self.states.add(states)
        self._customer_id = customer_id
        self._start = self._seq = after

    def follow(self, upto: int) -> None:
        """Apply the events up to this number."""
        while self._seq < upto:
            end = min(self._seq + _ROWS_AT_ONCE, upto)
            events = Event.objects.filter(customer_id=self._customer_id, seq__gt=self._seq, seq__lte=end)
            # A message is never live.
            for row in events.exclude(resource="message").order_by("seq").values_list(*_COLUMNS):
                self.apply(row)
            self._seq = end

    def apply(self, row: tuple[Any, ...]) -> None:
        """Apply an event, a row of _COLUMNS."""
        _, event_type, _, resource_id, *_, ended, _, body = row
        if not changes_state(event_type):
            return
        each = _log_event(self._customer_id, row, json.loads(body))
        key = key_of(event_type, resource_id, each.event.data)
        known = self.states.find(self._customer_id, key)
        is_known = known is not None and (known.live or bool(known.ended_at))
        if ended is False and not is_known:
            self._recall(key)
        # A note says nothing of the call. From the beginning of the log on, nothing is unknown.
        is_note = event_type.endswith(f".{NOTE_ACTION}")
        if ended is not True or is_known or is_note or self._start == 0:
            state = self.states.change(each).state
            if ended and state.live:  # By what was known of another resource that was over at the start.
                state.live, state.ended_at = False, each.event.at
            return
        self.states.put(key, State(each.event.at, live=False, ended_at=each.event.at), each)
        self.states.change(each)
        self.states.forget(self._customer_id, key)

    def _recall(self, call: Key) -> None:
        """Take over a call that had ended before the start, as the gateway concluded wrongly."""
        events = Event.objects.filter(customer_id=self._customer_id, seq__lte=self._start)
        own = Q(resource=call.resource, resource_id=call.resource_id)
        first = events.filter(own).order_by("seq").values_list("seq", flat=True).first()
        if first is None:
            return
        # Valid ids need no escapes in JSON: comparing the text is enough.
        named = StrIndex("body", Value(f'_id": "{call.resource_id}"'))
        of_call = events.filter(seq__gte=first).alias(named=named)
        past = _PastFold(self._customer_id, 0, ())
        places = Q(resource__in=MEMBER_RESOURCES, named__gt=0)
        for row in of_call.filter(own | places).order_by("seq").values_list(*_COLUMNS):
            past.apply(row)
        self.states.forget(self._customer_id, call)
        self.states.add(past.states.rows(self._customer_id, call))


def _log_event(customer_id: str, row: tuple[Any, ...], data: dict[str, Any]) -> LogEvent:
    seq, event_type, resource, resource_id, timestamp, stored_at, *agents, ended, tags, body = row
    concerned, named = (split_agents(each) for each in agents)
    if resource == "call" and ended:
        # The event also has those who serve the queue that the call left, and the state has not.
        draft = Draft(event_type, customer_id, resource, resource_id, named, data, body, timestamp, None)
        own = concerned_agents(draft)
        concerned = tuple(each for each in concerned if each in own)
    event = StateEvent(event_type, resource_id, data, format_timestamp(timestamp), named or None)
    own_tags = None if tags is None else _own_tags(tags)
    return LogEvent(customer_id, seq, stored_at, event, concerned, own_tags)


def _own_tags(tags: str) -> dict[str, Any]:
    """Return the publisher's own tags among those of an event."""
    return {name: value for name, value in json.loads(tags).items() if name not in GATEWAY_TAGS}
