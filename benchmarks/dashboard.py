"""The dashboard of a busy contact centre in Chromium: its start, its memory and its frames."""

from __future__ import annotations

import statistics
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
from playwright.sync_api import Browser, CDPSession, Page

from benchmarks.accounting import Cores, on_cores
from benchmarks.contestants.gateway import NOT_FORKED, UNLIMITED
from benchmarks.publishing import program
from benchmarks.report import note, save, table, working_folder
from deploy.programs import CHROMIUM
from tests.journeys.support.cast import Company, Key, new_id, settle
from tests.journeys.support.cast import Person as Agent
from tests.support.browser import launched
from tests.support.databases import MigratedSqlite
from tests.support.gateway import Gateway, gateway_environment
from voipbin_ws.demo.simulation.model.contact_centre import ContactCentre
from voipbin_ws.demo.simulation.model.load_profiles import Profile
from voipbin_ws.demo.simulation.model.tenants import Person, Queue, Tenant

AGENTS, QUEUES = 40, 6

LOAD = Profile("benchmark", rate=230, talk=(8, 26, 12), patience=(30, 90, 60))
"""About 50 events a second, and 200 calls at any time."""

FRAME_MS = 17
"""A frame of a screen that shows 60 a second, and the clock's own third of a millisecond."""

TURNS_A_SECOND = 5
"""How often the events that happened meanwhile are published."""

MAX_EVENTS_IN_REQUEST = 500

PROBE = """
window.probe = { firstRow: null, frames: [], errors: [] };
addEventListener("error", (event) => probe.errors.push(event.message));
let last = null;
requestAnimationFrame(function frame(now) {
  if (probe.firstRow === null && document.querySelector("[data-call]")) probe.firstRow = performance.now();
  if (last !== null) probe.frames.push(now - last);
  last = now;
  requestAnimationFrame(frame);
});
"""
"""Notes when the first row is there, and the time between frames."""


@dataclass
class Minute:
    """What a minute of events did to the page: milliseconds between its frames, and bytes of its heap afterwards."""

    frames: list[float]
    heap: int
    events: int


@dataclass
class Observed:
    """One opening of the page."""

    bytes: int
    first_row_ms: float
    rows: int
    minutes: list[Minute] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne")
    parser.add_argument("--past", type=int, default=60, help="minutes of events before the page opens (60)")
    parser.add_argument("--minutes", type=int, default=3, help="of events while the page is open (3)")


def run(arguments: Namespace) -> None:
    """Measure one page on a gateway with an hour of events."""
    with _busy(arguments.server, arguments.past) as busy, launched(program(CHROMIUM)) as browser:
        note(f"{busy.publish(arguments.past * 60)} events of {arguments.past} minutes")
        observed = _observe(browser, busy, arguments.minutes)
    frames = sorted(each for minute in observed.minutes for each in minute.frames)
    rows: list[list[object]] = [
        ["transferred until the first row, kB", observed.bytes / 1000],
        ["first row, ms", observed.first_row_ms],
        ["rows", observed.rows],
        ["events a second", statistics.mean(each.events for each in observed.minutes) / 60],
        [f"frames within {FRAME_MS} ms, %", 100 * _share_in_time(frames)],
        ["frame, median ms", statistics.median(frames)],
        ["frame, 99th of 100, ms", frames[len(frames) * 99 // 100]],
        ["heap after the first minute, MB", observed.minutes[0].heap / 1e6],
        [f"heap after {arguments.minutes} minutes, MB", observed.minutes[-1].heap / 1e6],
        ["errors", len(observed.errors)],
    ]
    heaps = [minute.heap for minute in observed.minutes]
    results = {"bytes": observed.bytes, "first_row_ms": observed.first_row_ms, "heap": heaps}
    save("dashboard", {**results, "errors": observed.errors}, table(["", arguments.server], rows))


@dataclass
class Busy:
    """A gateway with a simulated contact centre, whose second is `at`."""

    gateway: Gateway
    company: Company
    centre: ContactCentre
    posts: httpx.Client
    at: float = 0

    def publish(self, until: float) -> int:
        """Publish the events up to a second of the simulation; returns their number."""
        self.at = until
        items = [event.item() for event in self.centre.advance(until)]
        for first in range(0, len(items), MAX_EVENTS_IN_REQUEST):
            self.posts.post(
                "/v1.0/events", json=items[first : first + MAX_EVENTS_IN_REQUEST]
            ).raise_for_status()
        return len(items)


@contextmanager
def _busy(server: str, past_minutes: float) -> Iterator[Busy]:
    key = Key("publisher", may_subscribe=False, may_publish=True)
    queues = tuple(Queue(new_id(), f"Queue {number + 1}") for number in range(QUEUES))
    agents = [Agent(f"Agent {number + 1}", queues=[queue.id for queue in queues]) for number in range(AGENTS)]
    company = Company(
        "Benchmark", [*agents, Agent("manager", role="manager")], [key], [each.id for each in queues]
    )
    people = tuple(Person(agent.id, agent.name, agent.name, "agent") for agent in agents)
    tenant = Tenant(company.id, company.name, "+15550100100", people, queues)
    start = datetime.now(UTC) - timedelta(minutes=past_minutes)
    cores = Cores()
    with working_folder() as folder, on_cores(cores.server):
        environment = gateway_environment(
            MigratedSqlite(folder).create_database(), None, **NOT_FORKED, **UNLIMITED
        )
        gateway = Gateway(server, environment, folder / "server.log")
        try:
            settle(gateway, company)
            with (
                on_cores(cores.load),
                httpx.Client(
                    base_url=gateway.url, headers={"Authorization": f"Bearer {key.secret}"}, timeout=60
                ) as posts,
            ):
                yield Busy(
                    gateway, company, ContactCentre(tenant, LOAD, seed="benchmark", start=start), posts
                )
        finally:
            gateway.kill()


def _observe(browser: Browser, busy: Busy, minutes: int) -> Observed:
    """Open the dashboard, and publish each second what happens in it."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    tools = page.context.new_cdp_session(page)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.add_init_script(
        f"sessionStorage.setItem('voipbin.token', '{busy.company.token('manager')}'); {PROBE}"
    )
    transferred: list[int] = []
    tools.send("Network.enable")
    tools.on("Network.loadingFinished", lambda done: transferred.append(done["encodedDataLength"]))
    page.goto(f"{busy.gateway.url}/")
    page.wait_for_selector("[data-call]")
    page.wait_for_selector("#connection[data-state=live]")
    observed = Observed(
        int(sum(transferred)),
        page.evaluate("probe.firstRow"),
        page.locator("[data-call]").count(),
        errors=errors,
    )
    observed.minutes = [_minute(page, tools, busy) for _ in range(minutes)]
    page.close()
    return observed


def _minute(page: Page, tools: CDPSession, busy: Busy) -> Minute:
    page.evaluate("probe.frames.length = 0")
    events, due = 0, time.monotonic()
    for _ in range(60 * TURNS_A_SECOND):
        events += busy.publish(busy.at + 1 / TURNS_A_SECOND)
        due += 1 / TURNS_A_SECOND
        # Playwright's own events are handled meanwhile.
        page.wait_for_timeout(max(0.0, due - time.monotonic()) * 1000)
    frames = page.evaluate("probe.frames")
    tools.send("HeapProfiler.collectGarbage")
    heap = tools.send("Runtime.getHeapUsage")["usedSize"]
    in_time = 100 * _share_in_time(frames)
    note(f"{events} events, heap {heap / 1e6:.1f} MB, {in_time:.1f} % of frames within {FRAME_MS} ms")
    return Minute(frames, heap, events)


def _share_in_time(frames: list[float]) -> float:
    return sum(each <= FRAME_MS for each in frames) / len(frames)
