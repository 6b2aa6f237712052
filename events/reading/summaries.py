"""Summaries at the end of a log: built from stored states and the day's log, then kept."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import Q
from django.utils.module_loading import import_string

from events.domain.strict_json import encode
from events.log import reader, snapshots
from events.log.state_fold import state_of
from events.models import Event, ResourceState, StoredSummary
from events.reading.look_back import NotKnown, one_at_a_time, past_states
from events.summary.customer_summary import Summary
from events.summary.fold import BREACHED, SummaryFold
from events.summary.profile import CustomerProfile
from events.summary.stored_fold import dump, load
from events.summary.summary_event import summary_event

T = TypeVar("T")

LOOKBACK_SECONDS = 2 * 3600
"""How long before the first figure the log is read: callers of then may be answered later."""

PROFILE_SECONDS = 5.0
"""How long a profile is used before it is read again."""

MAX_NUMBERS = 200_000
"""The most numbers of a log that are searched for the figures of a past moment; stored ones need far fewer."""

MOST_CUSTOMERS = 50
"""The most customers whose summaries a process keeps for requests."""

_NUMBERS_AT_ONCE = 10_000
_RELEVANT = Q(resource__in=["queue", "agent", "sla"]) | Q(resource="call", ended=True)
_RESTORED = ("queue", "agent", "sla")
_COLUMNS = ("event_type", "resource", "resource_id", "timestamp", "ended", "tags", "was", "body")


def profile_of(customer_id: str) -> CustomerProfile:
    """Return the profile of a customer, by the setting EVENTS_CUSTOMER_PROFILE."""
    found: CustomerProfile = import_string(settings.EVENTS_CUSTOMER_PROFILE)(customer_id)
    return found


def build(customer_id: str) -> Summary:
    """Return a customer's summary at the end of its log."""
    head = reader.head_of(customer_id)
    profile = profile_of(customer_id)
    horizon, before = _horizon(customer_id, head, profile, time.time())
    if (summary := _stored(customer_id, head, before, profile)) is None:
        summary = Summary(customer_id, head.epoch, before, SummaryFold(profile), time.monotonic())
        live = ResourceState.objects.filter(customer_id=customer_id, live=True, seq__lte=head.last_seq)
        _restore(summary, horizon, live.filter(resource__in=_RESTORED))
    _follow(summary, head.last_seq)
    return summary


def build_past(customer_id: str, at: datetime) -> Summary:
    """Return a customer's summary as it was at a past moment, by the present targets.

    Raises:
        NotKnown: It cannot be computed.
        TooBusy: Other moments are being computed.
    """
    head = reader.head_of(customer_id)
    profile = profile_of(customer_id)
    # The profile has the present statuses; of that moment, only the log knows them.
    profile = replace(profile, agents=dict.fromkeys(profile.agents, ""))
    end = reader.last_stored_before(customer_id, at + timedelta(microseconds=1), head)
    with one_at_a_time():
        horizon, before = _horizon(customer_id, head, profile, at.timestamp())
        before = min(before, end)
        stored = snapshots.figures_before(customer_id, head, before, end)
        fold = None if stored is None else load(stored.content, profile)
        if stored is not None and fold is not None:
            summary = Summary(customer_id, head.epoch, stored.position.seq, fold, time.monotonic())
        else:
            summary = Summary(customer_id, head.epoch, before, SummaryFold(profile), time.monotonic())
            _restore(summary, horizon, past_states.at(customer_id, head, before))
        if end - summary.seq > MAX_NUMBERS:
            raise NotKnown(
                f"More than {MAX_NUMBERS} events would have to be counted for the figures of this moment"
            )
        _follow(summary, end)
    return summary


def _horizon(customer_id: str, head: reader.Head, profile: CustomerProfile, now: float) -> tuple[float, int]:
    """Return from when on events count for a moment's figures, and the last number before."""
    horizon = min(profile.midnight(now), now - 3600) - LOOKBACK_SECONDS
    return horizon, reader.last_stored_before(customer_id, datetime.fromtimestamp(horizon, UTC), head)


def store(summary: Summary) -> None:
    """Store a summary, so that other processes need not read its day."""
    values = {"epoch": summary.epoch, "seq": summary.seq, "body": encode(dump(summary.fold))}
    StoredSummary.objects.update_or_create(customer_id=summary.customer_id, defaults=values)


def _stored(customer_id: str, head: reader.Head, before: int, profile: CustomerProfile) -> Summary | None:
    """Return the stored summary.

    `None` if it is of another log, of an earlier day, or was counted otherwise.
    """
    rows = StoredSummary.objects.filter(
        customer_id=customer_id, epoch=head.epoch, seq__gt=max(before, head.floor), seq__lte=head.last_seq
    )
    if (row := rows.first()) is None or (fold := load(json.loads(row.body), profile)) is None:
        return None
    return Summary(customer_id, head.epoch, row.seq, fold, time.monotonic())


def brought_up_to_date(summary: Summary) -> Summary:
    """Return the summary at the end of the log.

    It is the same one, or a new one if the log or the targets are others. After an error it can be called again.
    """
    if time.monotonic() - summary.profile_read_at > PROFILE_SECONDS and not refresh(summary):
        return build(summary.customer_id)
    head = reader.head_of(summary.customer_id)
    if head.epoch != summary.epoch or not head.floor <= summary.seq <= head.last_seq:
        return build(summary.customer_id)
    _follow(summary, head.last_seq)
    return summary


def refresh(summary: Summary) -> bool:
    """Read the profile again; return false if the figures must be counted anew."""
    profile = profile_of(summary.customer_id)
    if profile.counting() != summary.fold.profile.counting():
        return False
    summary.fold.profile = profile
    for queue_id, line in summary.fold.lines.items():
        line.targets = profile.targets_of(queue_id)
    summary.profile_read_at = time.monotonic()
    return True


@dataclass(slots=True)
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    summary: Summary | None = None


class Summaries:
    """The summaries that a process keeps, for all its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def read(self, customer_id: str, use: Callable[[Summary], T]) -> T:
        """Return what `use` makes of the customer's summary at the end of its log."""
        with self._lock:
            kept = self._kept.setdefault(customer_id, _Kept())
            self._kept.move_to_end(customer_id)
            while len(self._kept) > MOST_CUSTOMERS:
                self._kept.popitem(last=False)
        with kept.lock:
            known, kept.summary = kept.summary, None
            # If it fails half-way, the next request builds it anew.
            summary = build(customer_id) if known is None else brought_up_to_date(known)
            result = use(summary)
            kept.summary = summary
            return result


summaries = Summaries()
"""The summaries of this process."""


def _restore(summary: Summary, horizon: float, states: Iterable[ResourceState]) -> None:
    """Take over the live states that began before the events that are read."""
    fold = summary.fold
    begin = datetime.fromtimestamp(horizon, UTC)
    for row in states:
        if row.resource == "queue" and row.member_id and row.since < begin:
            state = state_of(row)
            connected_at = None
            if state.status == "connected" and (since := _moment(state.status_since)) < horizon:
                connected_at = since
            fold.restore_place(row.resource_id, row.member_id, row.since.timestamp(), connected_at)
        elif row.resource == "agent" and row.seq <= summary.seq:
            state = state_of(row)
            fold.restore_agent(row.resource_id, state.status, _moment(state.status_since or state.since))
        elif row.event_type == BREACHED and row.seq <= summary.seq:
            fold.restore_breach(row.resource_id, row.updated_at.timestamp())


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _follow(summary: Summary, upto: int) -> None:
    """Apply the events up to this number of the log, page by page."""
    while summary.seq < upto:
        end = min(summary.seq + _NUMBERS_AT_ONCE, upto)
        events = Event.objects.filter(
            _RELEVANT, customer_id=summary.customer_id, seq__gt=summary.seq, seq__lte=end
        )
        # The whole page first: reading it may fail, applying it may not.
        for row in list(events.order_by("seq").values_list(*_COLUMNS)):
            event_type, resource, resource_id, timestamp, ended, tags, was, body = row
            at = timestamp.timestamp()
            summary.fold.apply(
                summary_event(event_type, resource, resource_id, at, ended, tags, was, json.loads(body))
            )
        summary.seq = end
