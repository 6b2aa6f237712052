"""Summaries: what an event costs a process that has a subscriber to them, and the frames of a second."""

from __future__ import annotations

import json
import statistics
import time
import uuid
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from benchmarks.report import note, save, table
from events.domain.event import Entry, make_entry
from events.domain.topics import SUMMARY_OF_ALL, SUMMARY_RESOURCE, customer_topic
from events.summary.customer_summary import Summary
from events.summary.fold import SummaryFold
from events.summary.profile import CustomerProfile, QueueProfile, Targets
from subscriptions.delivery.subscriber import PLAIN
from subscriptions.delivery.summary_frames import WantedSummary, figures_of, summary_frame

CUSTOMER = str(uuid.UUID(int=7))
EPOCH = "0123456789ab"
AGENTS = [str(uuid.UUID(int=number)) for number in range(100, 140)]
QUEUES = [str(uuid.UUID(int=number)) for number in range(200, 206)]
EVENTS_A_SECOND = 50

_LIFE = (
    ("call.created", "ringing", 0),
    ("call.status", "answered", 1),
    ("queue.joined", "waiting", 2),
    ("queue.connecting", "connecting", 12),
    ("agent.status", "ringing", 12),
    ("queue.connected", "connected", 15),
    ("call.assigned", "answered", 15),
    ("agent.status", "busy", 15),
    ("queue.left", "connected", 195),
    ("call.ended", "hangup", 195),
    ("agent.status", "available", 200),
)
"""The events of a call, the status after each, and its second."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--calls", type=int, default=5_000, help="in a round, over a day (5000)")
    parser.add_argument("--rounds", type=int, default=5)


def run(arguments: Namespace) -> None:
    """Measure the fold of a day of 40 agents and 6 queues, in this process and without sending."""
    entries = list(_day(arguments.calls))
    folds: list[float] = []
    frames: list[float] = []
    for number in range(arguments.rounds):
        note(f"round {number + 1} of {arguments.rounds}")
        summary = Summary(CUSTOMER, EPOCH, 0, SummaryFold(_profile()), 0.0)
        start = time.process_time_ns()
        summary.take(entries)
        folds.append((time.process_time_ns() - start) / len(entries) / 1000)
        frames.append(_frames_of_a_second(summary))
    fold, frame = statistics.median(folds), statistics.median(frames)
    a_second = fold * EVENTS_A_SECOND + frame
    rows: list[list[object]] = [
        ["folding an event", fold],
        [f"the frames of {len(QUEUES)} queues and of all, once a second", frame],
        [f"share of an event at {EVENTS_A_SECOND} events a second", a_second / EVENTS_A_SECOND],
    ]
    results = {"fold_us": folds, "frames_us": frames, "events": len(entries)}
    save("summaries", results, table(["", "CPU µs"], rows))


def _profile() -> CustomerProfile:
    queues = {each: QueueProfile(f"Queue {each[-3:]}", Targets(), tuple(AGENTS)) for each in QUEUES}
    return CustomerProfile(queues=queues)


def _frames_of_a_second(summary: Summary) -> float:
    """Return the microseconds for all frames at the end of the day."""
    now, turns = time.time(), 20
    start = time.process_time_ns()
    for _ in range(turns):
        for name in (SUMMARY_OF_ALL, *QUEUES):
            wanted = WantedSummary(name, customer_topic(CUSTOMER, SUMMARY_RESOURCE, name), with_agents=True)
            summary_frame(summary, wanted, figures_of(summary, name, now), now, PLAIN)
    return (time.process_time_ns() - start) / turns / 1000


def _day(calls: int) -> Iterator[Entry]:
    """Yield the events of calls that begin at even distances, the last one now."""
    now = datetime.now(UTC)
    lives = []
    for number in range(calls):
        begin = now - timedelta(seconds=200) - timedelta(days=1) * (1 - number / calls)
        lives += [(begin + timedelta(seconds=life[2]), place, number) for place, life in enumerate(_LIFE)]
    for seq, (at, place, number) in enumerate(sorted(lives), start=1):
        event_type, status, _ = _LIFE[place]
        call, queue = str(uuid.UUID(int=number + 10**6)), QUEUES[number % len(QUEUES)]
        agent = AGENTS[number % len(AGENTS)]
        resource = event_type.partition(".")[0]
        resource_id = {"call": call, "queue": queue, "agent": agent}[resource]
        data = {f"{resource}_id": resource_id, "id": resource_id, "call_id": call, "status": status}
        is_over = event_type in ("queue.left", "call.ended")
        yield make_entry(
            seq=seq,
            epoch=EPOCH,
            event_id=str(uuid.UUID(int=seq)),
            event_type=event_type,
            timestamp=at,
            topics=(customer_topic(CUSTOMER, resource, resource_id),),
            body=json.dumps({**data, "source": {"type": "tel", "target": "+15551234567"}, "agent_id": agent}),
            ended=True if is_over else None,
            tags=json.dumps({"status": status, "queue_id": queue}),
        )
