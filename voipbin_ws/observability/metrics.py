"""Prometheus metrics of a process, collected from its parts at each scrape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from events.announcements.announcer import announcer
from events.counters import database_errors, log_waits, mismatched_events, quota_refusals, stored_events
from subscriptions.accounts.logins import login_failures
from subscriptions.audit.head_file import read_last
from subscriptions.connections.runtime import Runtime
from subscriptions.delivery.latency_histogram import BUCKETS
from subscriptions.delivery.stream_transport import SSE
from voipbin_ws import __version__
from voipbin_ws.http import request_log
from voipbin_ws.http.connections import http_connections

PREFIX = "voipbin_ws"
_BOUNDS = [*map(floatToGoString, BUCKETS), "+Inf"]


def registry_of(process: Runtime) -> CollectorRegistry:
    """Return all metrics of this process, to be collected in its event loop."""
    registry = CollectorRegistry(auto_describe=False)
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    registry.register(_GatewayCollector(process))
    return registry


class _GatewayCollector(Collector):
    def __init__(self, process: Runtime) -> None:
        self._process = process

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily(
            f"{PREFIX}_build_info", "The gateway's version; always 1.", labels=["version"]
        )
        build.add_metric([__version__], 1)
        yield build
        yield from self._sockets()
        yield from self._events()
        yield from self._layer_and_log()
        yield from self._audit_log()
        yield from request_log.requests.collect()
        yield from request_log.durations.collect()
        yield _gauge("http_connections", "Open HTTP connections, without WebSockets.", len(http_connections))
        cut = "HTTP connections that were cut, by what they waited for."
        yield _counters(
            "http_connections_cut", cut, "awaited", {(name,): n for name, n in http_connections.cut.items()}
        )

    def _sockets(self) -> Iterator[Metric]:
        process = self._process
        yield _gauge("connections", "Open WebSockets and event streams.", process.connections)
        yield _gauge("event_streams", "Open event streams.", process.presence.count(SSE))
        yield _counter("connections_opened", "WebSockets that were accepted.", process.opened)
        closed = "WebSockets that are over, by close code and reason: one of ours, or client-left."
        yield _counters("connections_closed", closed, "code reason", process.ended)
        refused = "Messages of clients that were not processed, because they were too many."
        yield _counter("messages_refused", refused, process.refused_messages)
        subscribers = list(process.hub.subscribers)
        held = [each for subscriber in subscribers for each in subscriber.subscriptions.values()]
        subscriptions = sum(len(topics) for each in held for topics in each.topics.values())
        waiting = [subscriber.outbox.waiting for subscriber in subscribers]
        yield _gauge("subscriptions", "Topics that are held, by all connections together.", subscriptions)
        yield _gauge("outbox_bytes", "Bytes that wait for clients to read them.", sum(waiting))
        yield _gauge(
            "outbox_largest_bytes", "Bytes that wait for the slowest client.", max(waiting, default=0)
        )
        yield _gauge("draining", "Whether the process is stopping.", process.is_draining)

    def _events(self) -> Iterator[Metric]:
        process = self._process
        yield _counter("events_stored", "Events that were published here.", stored_events.counts().get((), 0))
        waits = "Publish requests that waited for a log that another transaction held, by the outcome."
        yield _counters("log_waits", waits, "outcome", log_waits.counts())
        ways = {("live",): process.hub.deliveries, ("replay",): process.replayer.deliveries}
        yield _counters("deliveries", "Events given to sockets, as they happened or replayed.", "way", ways)
        latencies = process.hub.latencies
        yield HistogramMetricFamily(
            f"{PREFIX}_delivery_latency_seconds",
            "From an event's commit until it was written to each connection that receives it.",
            buckets=list(zip(_BOUNDS, accumulate(latencies.counts), strict=True)),
            sum_value=latencies.total_seconds,
        )
        yield _counter(
            "replays", "Times that a client was sent what it had missed.", process.replayer.replays
        )

        exceeded = "Requests and connections that were refused, by the quota that they exceed."
        yield _counters("quota_refusals", exceeded, "quota", quota_refusals.counts())
        mismatched = "Events whose data is not that of their event type, by outcome: report or refuse."
        yield _counters("mismatched_events", mismatched, "event_type outcome", mismatched_events.counts())
        yield _gauge(
            "fullest_storage_ratio",
            "The share of its quota of stored data that the fullest customer has used.",
            process.presence.fullest_storage,
        )

    def _layer_and_log(self) -> Iterator[Metric]:
        hub = self._process.hub
        events, seconds = hub.missing
        yield _gauge("logs_followed", "Customers with a subscriber in this process.", hub.open_logs)
        yield _gauge("log_lag_events", "Events that are stored and still have to be read here.", events)
        yield _gauge("log_lag_seconds", "For how long the oldest of them is known to be missing.", seconds)
        yield _counter(
            "gap_fills", "Times that events were read from the log, since no news came.", hub.gap_fills
        )
        yield _gauge(
            "layer_silence_seconds",
            "Since the last message of the channel layer; a few seconds are usual.",
            hub.layer.silence_seconds,
        )
        yield _gauge(
            "layer_lagging",
            "Whether the channel layer is silent and the log is read instead.",
            hub.layer.is_silent,
        )
        yield _counter(
            "bell_failures", "Announcements that the channel layer did not take.", announcer.failures
        )
        errors = database_errors.counts()
        yield _counters("database_errors", "Questions that the database did not answer.", "error", errors)

    def _audit_log(self) -> Iterator[Metric]:
        audit = self._process.audit
        yield _gauge("audit_queue", "Audit records that are not stored yet.", audit.waiting)
        yield _counter("audit_lost", "Audit records that could not be stored.", audit.lost)
        head = GaugeMetricFamily(
            f"{PREFIX}_audit_head",
            "The audit log's last number, noted each hour, and digest.",
            labels=["digest"],
        )
        if (noted := self._process.audit_rounds.noted) is not None:
            head.add_metric([noted.digest], noted.position)
        yield head
        verified = GaugeMetricFamily(
            f"{PREFIX}_audit_verified_timestamp_seconds", "When verify_audit --remember last ran here."
        )
        problems = GaugeMetricFamily(f"{PREFIX}_audit_problems", "What that found: 0 if the chain is whole.")
        if (last := read_last()) is not None:
            verified.add_metric([], last.at)
            problems.add_metric([], last.problems)
        yield verified
        yield problems
        failures = "Log-ins that failed, by the rule."
        yield _counters("login_failures", failures, "rule", login_failures.counts())
        yield _counters("refusals", "What clients were refused, by the rule.", "action rule", audit.refusals)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", help_text, value=value)


def _counter(name: str, help_text: str, value: float) -> Metric:
    return CounterMetricFamily(f"{PREFIX}_{name}", help_text, value=value)


def _counters(name: str, help_text: str, labels: str, counts: Mapping[Any, int]) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}_{name}", help_text, labels=labels.split())
    for values, count in counts.items():
        family.add_metric([str(value) for value in values], count)
    return family
