"""Filters: what an event costs with 1, 100 and 1,000 distinct filters, beside none."""

from __future__ import annotations

import json
import statistics
import time
import uuid
from argparse import ArgumentParser, Namespace

from benchmarks import event
from benchmarks.report import note, save, table
from events.domain.event import Entry
from events.domain.topics import customer_topic
from events.filters.event_filter import NO_FILTER, EventFilter
from events.filters.expression import canonical, parse
from subscriptions.delivery.feed import Feed
from subscriptions.protocol.frames import text_frame

SUBSCRIBERS = 1_000
CUSTOMER = str(uuid.UUID(int=7))
QUEUES = [str(uuid.UUID(int=number)) for number in range(SUBSCRIBERS)]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--filters", type=int, nargs="+", default=[0, 1, 100, 1_000])
    parser.add_argument("--events", type=int, default=500, help="in a round (500)")
    parser.add_argument("--rounds", type=int, default=5)


def run(arguments: Namespace) -> None:
    """Measure the feed of one customer with 1,000 subscribers, in this process and without sending."""
    costs: dict[int, list[float]] = {count: [] for count in arguments.filters}
    deliveries: dict[int, int] = {}
    # The rounds take turns, so that a change of the machine's speed is in all of them.
    for number in range(arguments.rounds):
        note(f"round {number + 1} of {arguments.rounds}")
        for count, found in costs.items():
            cost, deliveries[count] = _round(count, arguments.events)
            found.append(cost)
    medians = {count: statistics.median(found) for count, found in costs.items()}
    first = next(iter(medians.values()))
    rows = [
        [count or "none", deliveries[count] / arguments.events, cost, cost / first]
        for count, cost in medians.items()
    ]
    save(
        "filters",
        {"microseconds": costs, "subscribers": SUBSCRIBERS},
        table(["distinct filters", "receivers of an event", "µs per event", "ratio to the first"], rows),
    )


def _round(filters: int, events: int) -> tuple[float, int]:
    """Return the microseconds for an event, and the deliveries of all events.

    The subscribers share the filters evenly; the events belong to the filters' queues in turn.
    """
    feed: Feed[int] = Feed(CUSTOMER, "0123456789ab", 0)
    pattern = f"customer_id:{CUSTOMER}:call:*"
    for subscriber in range(SUBSCRIBERS):
        chosen = NO_FILTER if not filters else _of_queue(QUEUES[subscriber % filters])
        feed.attach(subscriber, [pattern], {pattern: chosen})
    head, tail = event.frame(1).split("customer_id:", 1)
    entries = [_entry(seq, head, tail, QUEUES[seq % max(filters, 1)]) for seq in range(1, events + 1)]
    deliveries = 0
    start = time.process_time_ns()
    for entry in entries:
        for ready in feed.offer([entry]):
            for topic, form, subscribers in feed.receivers(ready):
                text_frame(ready.frame(topic, form))
                deliveries += len(subscribers)
    return (time.process_time_ns() - start) / events / 1000, deliveries


def _of_queue(queue_id: str) -> EventFilter:
    return EventFilter(canonical(parse({"field": "queue_id", "op": "eq", "value": queue_id})))


def _entry(seq: int, head: str, tail: str, queue_id: str) -> Entry:
    tags = json.dumps({"status": "answered", "direction": "inbound", "queue_id": queue_id})
    was = json.dumps({"status": "ringing"})
    return Entry(seq, head, tail, (customer_topic(CUSTOMER, "call", event.call_of(seq)),), tags, was)
