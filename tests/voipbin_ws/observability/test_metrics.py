"""Prometheus metrics: their values, their access rule, and the dashboard that uses them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.test import Client
from prometheus_client import CollectorRegistry, generate_latest

from events.counters import database_errors, stored_events
from subscriptions.connections.runtime import Runtime
from subscriptions.delivery.latency_histogram import BUCKETS, LatencyHistogram
from subscriptions.models import AuditRecord
from voipbin_ws.observability.metrics import registry_of

DASHBOARD = Path(__file__).resolve().parents[3] / "deploy" / "grafana" / "voipbin-ws.json"


@pytest_asyncio.fixture
async def process() -> Runtime:
    """The parts of an idle process."""
    return Runtime()


def value(process: Runtime, name: str, **labels: str) -> float | None:
    return registry_of(process).get_sample_value(f"voipbin_ws_{name}", labels)


async def test_a_process_counts_its_sockets(process: Runtime) -> None:
    process.count_in("key:1")
    process.count_in("key:1")
    process.count_in("agent:2")
    process.count_out("key:1", 4408, "TOO_SLOW")
    assert value(process, "connections") == 2
    assert value(process, "connections_opened_total") == 3
    assert value(process, "connections_closed_total", code="4408", reason="TOO_SLOW") == 1


async def test_codes_that_clients_make_up_are_no_numbers_of_their_own(process: Runtime) -> None:
    for code in range(3000, 3100):
        process.count_in("key:1")
        process.count_out("key:1", code, "client-left")
    assert value(process, "connections_closed_total", code="other", reason="client-left") == 100
    assert len(process.ended) == 1


async def test_refusals_are_counted_by_their_rule(process: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process.audit, "_add", lambda *_: None)
    for verdict, rule in (
        ("refused", "unknown-key"),
        ("refused", "unknown-key"),
        ("granted", "own-customer"),
    ):
        process.audit.record_soon([AuditRecord(action="refuse", verdict=verdict, rule=rule)])
    assert value(process, "refusals_total", action="refuse", rule="unknown-key") == 2
    assert value(process, "refusals_total", action="refuse", rule="own-customer") is None


async def test_what_all_threads_count_is_there(process: Runtime) -> None:
    before = value(process, "events_stored_total") or 0
    await asyncio.gather(*(asyncio.to_thread(stored_events.add, count=5) for _ in range(20)))
    assert value(process, "events_stored_total") == before + 100
    database_errors.add("OperationalError")
    assert (value(process, "database_errors_total", error="OperationalError") or 0) >= 1


async def test_latencies_are_a_histogram_weighed_by_deliveries(process: Runtime) -> None:
    process.hub.latencies.add(0.004, 500)
    process.hub.latencies.add(3.0, 1)
    process.hub.latencies.add(1000.0, 2)
    name = "delivery_latency_seconds"
    assert value(process, f"{name}_bucket", le="0.0025") == 0
    assert value(process, f"{name}_bucket", le="0.005") == 500
    assert value(process, f"{name}_bucket", le="5.0") == 501
    assert value(process, f"{name}_bucket", le="+Inf") == value(process, f"{name}_count") == 503
    assert value(process, f"{name}_sum") == pytest.approx(500 * 0.004 + 3 + 2000)


@pytest.mark.parametrize(("seconds", "place"), [(-5.0, 0), (0.001, 0), (0.0011, 1), (60.0, 14), (61.0, 15)])
def test_a_latency_is_in_the_bucket_whose_bound_it_does_not_pass(seconds: float, place: int) -> None:
    latencies = LatencyHistogram()
    latencies.add(seconds, 1)
    assert latencies.counts.index(1) == place
    assert latencies.total_seconds == max(0.0, seconds)
    assert list(BUCKETS) == sorted(BUCKETS)


async def test_each_request_makes_a_registry_without_doubles(process: Runtime) -> None:
    text = generate_latest(registry_of(process)).decode()
    names = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert len(names) == len(set(names)) > 30
    assert generate_latest(registry_of(process)).decode().count("\n") == text.count("\n")
    assert all(help_text.strip() for help_text in re.findall(r"^# HELP \S+ ?(.*)$", text, re.MULTILINE))


# --- Who may read them: refusals; the journeys read them from a real server ---


def ask(**extra: Any) -> Any:
    return Client().get("/metrics", **extra)


@pytest.mark.parametrize(
    "extra",
    [
        {"REMOTE_ADDR": "203.0.113.7"},
        {"REMOTE_ADDR": ""},
        {"headers": {"x-forwarded-for": "203.0.113.7"}},
        {"headers": {"x-forwarded-for": ""}},
        {"headers": {"via": "1.1 proxy"}},
        {"headers": {"forwarded": "for=203.0.113.7"}},
    ],
)
def test_without_a_token_other_machines_are_refused(extra: dict[str, Any]) -> None:
    answer = ask(**extra)
    assert answer.status_code == 403
    assert "METRICS_TOKEN" in answer.json()["message"]


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer wrong", "Basic the-right-one", "the-right-one", "Bearer ä"]
)
def test_with_a_token_requests_without_it_are_refused_even_from_this_machine(
    given: str, settings: Any
) -> None:
    settings.METRICS_TOKEN = "the-right-one"
    answer = ask(headers={"authorization": given}) if given else ask()
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "the-right-one" not in answer.content.decode()


# --- The dashboard ---


def expressions(dashboard: Any) -> Iterator[str]:
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (each["definition"] for each in dashboard["templating"]["list"] if "definition" in each)


def sample_names(registry: CollectorRegistry) -> set[str]:
    """Return all sample names; a metric with labels has a name before it has a sample."""
    names: set[str] = set()
    for family in registry.collect():
        names |= {sample.name for sample in family.samples} | {family.name}
        names |= {f"{family.name}_total"} if family.type == "counter" else set()
        names |= (
            {f"{family.name}_{end}" for end in ("bucket", "sum", "count")}
            if family.type == "histogram"
            else set()
        )
    return names


async def test_every_query_of_the_dashboard_names_a_metric_that_exists(process: Runtime) -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    queried = {
        name for text in expressions(dashboard) for name in re.findall(r"\b(?:voipbin_ws|process)_\w+", text)
    }
    assert len(queried) > 25
    assert queried - sample_names(registry_of(process)) == set()


async def test_every_metric_of_ours_is_on_the_dashboard(process: Runtime) -> None:
    shown = " ".join(expressions(json.loads(DASHBOARD.read_text())))
    ours = {family.name for family in registry_of(process).collect() if family.name.startswith("voipbin_ws_")}
    assert {name for name in ours if name not in shown} == set()


async def test_the_labels_that_the_dashboard_asks_for_are_those_of_the_metrics(process: Runtime) -> None:
    process.count_in("key:1")
    process.count_out("key:1", 4408, "TOO_SLOW")
    Client().get("/agent")
    labels: dict[str, set[str]] = {}
    for family in registry_of(process).collect():
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    for text in expressions(json.loads(DASHBOARD.read_text())):
        for name, selector in re.findall(r"\b(voipbin_ws_\w+)\{([^}]*)\}", text):
            wanted = set(re.findall(r"(\w+)=~?\"", selector)) - {"job", "instance"}
            if wanted:
                assert wanted <= labels[name], name
