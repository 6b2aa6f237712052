"""The dashboard's alerts: rules, list, title, notification, sound and mute."""

# Long because the rules and the page are judged together.

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.accessibility import violations_light_and_dark
from tests.browser.support.centre import Call, Centre, expect_live, watch
from tests.browser.support.desktop import COUNT_TONES
from tests.support.browser import Pages
from tests.support.gateways import Gateways

# --- Rules, without a page ---

RUN = """async ({ rules, steps }) => {
    const { Alerts, DEFAULT_RULES } = await import("/dashboard/alert-rules.js");
    const alerts = new Alerts();
    Object.assign(alerts.rules, DEFAULT_RULES, rules);
    const nothing = { waits: [], queues: [], agents: [], isStale: false };
    const raised = steps.map(([second, facts]) => (
        alerts.check({ ...nothing, ...facts }, second * 1000).map(({ key }) => key)
    ));
    return { raised, list: alerts.list.map(({ key, isOpen }) => [key, isOpen]), unseen: alerts.unseen };
}"""
Steps = list[tuple[int, dict[str, Any]]]


def run(page: Page, steps: Steps, **rules: Any) -> Any:
    return page.evaluate(RUN, {"rules": rules, "steps": steps})


def wait(since: int = 0, queue: str = "q") -> dict[str, Any]:
    return {"waits": [{"queueId": queue, "queueName": "Support", "since": since * 1000}]}


def idle(waiting: int = 1, available: int | None = 0) -> dict[str, Any]:
    return {"queues": [{"id": "q", "name": "Support", "waiting": waiting, "available": available}]}


def breached(is_breached: bool = True) -> dict[str, Any]:
    return {"queues": [{"id": "q", "name": "Support", "waiting": 0, "isBreached": is_breached}]}


def away(group: str = "away") -> dict[str, Any]:
    return {"agents": [{"id": "a", "name": "Ann", "group": group, "since": 0}]}


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ((60, wait()), (61, wait()), "wait q"),
        ((900, away()), (901, away()), "away a"),
        ((14, idle()), (15, idle()), "nobody q"),
        ((9, {"isStale": True}), (10, {"isStale": True}), "stale"),
        ((0, breached(False)), (1, breached()), "level q"),
    ],
)
def test_a_condition_raises_one_alert_while_it_lasts(
    modules: Page, before: tuple[int, Any], after: tuple[int, Any], key: str
) -> None:
    start = (0, before[1])
    again = (after[0] + 3600, after[1])
    found = run(modules, [start, before, after, again])
    assert found["raised"] == [[], [], [key], []]
    assert found["list"] == [[key, True]]
    assert found["unseen"] == 1


@pytest.mark.parametrize(
    ("facts", "rules"),
    [
        (wait(), {"waitSeconds": 0}),
        (away(), {"awayMinutes": 0}),
        (away("wrapUp"), {}),
        (idle(), {"nobody": False}),
        (idle(waiting=0), {}),
        (idle(available=1), {}),
        (idle(available=None), {}),
        ({"isStale": True}, {"stale": False}),
        (breached(), {"level": False}),
    ],
)
def test_what_no_rule_names_raises_nothing(modules: Page, facts: Any, rules: dict[str, Any]) -> None:
    assert run(modules, [(0, facts), (90_000, facts)], **rules)["list"] == []


def test_a_queue_has_one_alert_however_many_callers_wait(modules: Page) -> None:
    many = {"waits": wait()["waits"] * 30 + wait(queue="r")["waits"]}
    assert run(modules, [(61, many)])["raised"] == [["wait q", "wait r"]]


def test_an_alert_is_over_with_its_condition_and_a_quick_return_is_no_new_one(modules: Page) -> None:
    found = run(modules, [(61, wait()), (70, {}), (100, wait(since=30)), (171, {}), (300, wait(since=200))])
    assert found["raised"] == [["wait q"], [], [], [], ["wait q"]]
    assert run(modules, [(61, wait()), (70, {})])["list"] == [["wait q", False]]


def test_moments_without_an_available_agent_raise_nothing(modules: Page) -> None:
    steps: Steps = [(second, idle(available=second // 10 % 2)) for second in range(200)]
    assert run(modules, steps)["list"] == []


def test_without_live_data_nothing_else_is_raised_or_over(modules: Page) -> None:
    stale = {"isStale": True} | idle() | away()
    found = run(modules, [(61, wait()), (62, stale), (2000, stale), (2001, wait())])
    assert found["list"] == [["stale", False], ["wait q", True]]


def test_the_last_twenty_are_kept(modules: Page) -> None:
    steps: Steps = [(61 + number, wait(queue=f"q{number}")) for number in range(25)]
    kept = [key for key, _ in run(modules, steps)["list"]]
    assert kept == [f"wait q{number}" for number in range(24, 4, -1)]


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "",
        "{",
        "7",
        "null",
        '{"waitSeconds": -1}',
        '{"waitSeconds": "60", "sound": 1, "mutedUntil": "x"}',
    ],
)
def test_rules_that_cannot_be_read_are_the_defaults(modules: Page, stored: str | None) -> None:
    script = """async (stored) => {
        const { DEFAULT_RULES, readRules } = await import("/dashboard/alert-rules.js");
        return [readRules(stored), DEFAULT_RULES];
    }"""
    found, defaults = modules.evaluate(script, stored)
    assert found == defaults


# --- With a gateway ---

# Notes the notifications of the page, which has the permission and seems to be in the background.
NOTE_NOTIFICATIONS = """
window.notified = [];
window.Notification = class extends EventTarget {
    static permission = "granted";
    static async requestPermission() { return "granted"; }
    constructor(title, { body }) { super(); window.notified.push([title, body]); }
    close() {}
};
document.hasFocus = () => false;
"""


# What the page receives when another tab has changed the rules.
OTHER_TAB = """(key) => {
    localStorage.setItem(key, JSON.stringify({ waitSeconds: 7 }));
    dispatchEvent(new StorageEvent("storage", { key }));
}"""

# Makes the page a hidden tab, whose timers run only when it wakes, such as once a minute.
SLEEPY = """(() => {
    const timeout = window.setTimeout, perform = performance.now.bind(performance), dateNow = Date.now;
    let isAsleep = false, shift = 0, held = [], wakes = 0;
    window.setTimeout = (run, ms, ...rest) => timeout(() => (isAsleep ? held.push(run) : run(...rest)), ms);
    performance.now = () => perform() + shift;
    Date.now = () => dateNow() + shift;
    window.sleep = () => {
        isAsleep = true;
        window.requestAnimationFrame = () => 0;
        Object.defineProperty(document, "hidden", { value: true });
    };
    window.wakeAfter = (ms) => {
        // Those that are due at the same time run together, after the figures have come.
        const wake = () => {
            shift += ms;
            held.splice(0).forEach((run) => run());
            document.documentElement.dataset.wakes = ++wakes;
        };
        timeout(wake, 1500);
    };
})()"""


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    return Centre(gateway_of_file())


@pytest.fixture
def late(centre: Centre) -> Iterator[Call]:
    """A call that has waited in Support for two minutes."""
    call = Call(f"Late {uuid.uuid4().hex[:6]}")
    joined = (datetime.now(UTC) - timedelta(minutes=2)).isoformat().replace("+00:00", "Z")
    events = (call.created(), call.in_queue("queue.joined", centre.acme.queues[0]))
    centre.publish(*(event | {"timestamp": joined} for event in events))
    yield call
    # No caller gave up: the queue does not miss its target.
    centre.publish(call.in_queue("queue.left", centre.acme.queues[0], reason="done"), call.ended())


def rules(page: Page) -> None:
    """Open the form with the rules."""
    page.get_by_role("button", name="Alerts").click()
    page.get_by_text("Alert me", exact=True).click()


def test_a_long_wait_is_listed_counted_and_leads_to_its_queue(page: Page, centre: Centre, late: Call) -> None:
    watch(page, centre)
    expect(page.locator("#alerts-count")).to_have_text("1")
    expect(page).to_have_title("⚠ 1 (1) Live calls")
    expect(page.locator("#raised-alerts")).to_contain_text("Support: A caller has waited longer than 1:00.")
    page.get_by_role("button", name="Alerts").click()
    row = page.locator("#alert-rows li")
    expect(row).to_contain_text("Support A caller has waited longer than 1:00.")
    expect(row).to_contain_text("⚠ now")
    expect(page.locator("#alerts-count")).to_have_text("")
    expect(page).to_have_title("(1) Live calls")
    row.get_by_role("button").click()
    expect(page.locator("#alerts")).to_be_hidden()
    assert page.url.endswith(f"?queue={centre.acme.queues[0]}")
    centre.publish(late.in_queue("queue.left", centre.acme.queues[0], reason="done"), late.ended())
    page.get_by_role("button", name="Alerts").click()
    expect(row).to_contain_text("over")


def test_sound_and_notification_follow_the_rules_and_can_be_muted(
    pages: Pages, centre: Centre, late: Call
) -> None:
    page = pages.open()
    page.add_init_script(COUNT_TONES + NOTE_NOTIFICATIONS)
    quiet = json.dumps({"waitSeconds": 0, "nobody": False, "sound": True, "desktop": True})
    person = centre.acme.person("manager").id
    page.add_init_script(
        f"localStorage.getItem('voipbin.alerts.{person}') ?? "
        f"localStorage.setItem('voipbin.alerts.{person}', '{quiet}')"
    )
    watch(page, centre)
    rules(page)
    page.get_by_label("when a caller waits longer than").fill("100")
    page.get_by_label("when a caller waits longer than").press("Tab")
    expect(page.locator("#alert-rows li")).to_have_count(1)
    assert page.evaluate("window.notified") == [["Support", "A caller has waited longer than 1:40."]]
    assert page.evaluate("window.tones") == 1
    page.get_by_role("button", name="Mute for 15 min").click()
    expect(page.locator("#mute-note")).to_contain_text("Muted until")
    # The agents' page is the only one that changes: nobody is available.
    page.get_by_label("when callers wait and no agent is available").check()
    expect(page.locator("#alert-rows li")).to_have_count(2, timeout=40_000)
    assert len(page.evaluate("window.notified")) == page.evaluate("window.tones") == 1
    # The rules and the mute outlive the page.
    page.reload()
    expect_live(page)
    rules(page)
    expect(page.locator("#mute-note")).to_contain_text("Muted until")
    expect(page.get_by_label("when a caller waits longer than")).to_have_value("100")
    expect(page.get_by_label("when callers wait and no agent is available")).to_be_checked()
    page.evaluate(OTHER_TAB, f"voipbin.alerts.{person}")
    expect(page.locator("#mute-note")).to_have_text("")
    expect(page.get_by_label("when a caller waits longer than")).to_have_value("7")


def test_a_hidden_tab_raises_alerts_although_its_timers_hardly_run(page: Page, centre: Centre) -> None:
    page.add_init_script(SLEEPY)
    call = Call("Soon late")
    watch(page, centre)
    queue, other = centre.acme.queues[:2]
    half = datetime.now(UTC) - timedelta(seconds=30)
    joined = {"timestamp": half.isoformat().replace("+00:00", "Z")}
    centre.publish(call.created() | joined, call.in_queue("queue.joined", queue) | joined)
    expect(call.row(page)).to_be_visible()
    page.evaluate("sleep()")
    # A minute without events: the data is as old until the gateway has answered.
    page.evaluate("wakeAfter(60_000)")
    waits = page.locator("#alert-rows li", has_text="A caller has waited longer than 1:00.")
    expect(waits).to_have_count(1)
    late = Call("Late already")
    centre.publish(late.created() | joined, late.in_queue("queue.joined", other) | joined)
    expect(waits).to_have_count(2)
    page.evaluate("wakeAfter(60_000)")
    expect(page.locator("html")).to_have_attribute("data-wakes", "2")
    assert page.locator("#alert-rows li", has_text="No live data").count() == 0
    left = [
        call.in_queue("queue.left", queue, reason="done"),
        late.in_queue("queue.left", other, reason="done"),
    ]
    centre.publish(*left, call.ended(), late.ended())


def test_the_loss_of_the_connection_is_an_alert(pages: Pages, centre: Centre) -> None:
    page = pages.open()
    watch(page, centre)
    page.context.set_offline(True)
    expect(page.locator("#stale-banner")).to_be_visible(timeout=60_000)
    expect(page.locator("#alerts-count")).to_have_text("1", timeout=60_000)
    page.context.set_offline(False)
    expect_live(page)
    page.get_by_role("button", name="Alerts").click()
    expect(page.locator("#alert-rows li")).to_contain_text("No live data")
    expect(page.locator("#alert-rows li")).to_contain_text("over")


def test_signing_out_leaves_no_alert_behind(page: Page, centre: Centre, late: Call) -> None:
    watch(page, centre, token=centre.acme.token("admin"))
    expect(page.locator("#alerts-count")).to_have_text("1")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.locator("#alert-rows li").count() == 0
    assert "Support" not in page.locator("#alerts").inner_html()


def test_axe_finds_no_violation(page: Page, centre: Centre, late: Call) -> None:
    watch(page, centre)
    expect(page.locator("#alerts-count")).to_have_text("1")
    rules(page)
    expect(page.locator("#alert-rows li")).to_have_count(1)
    assert violations_light_and_dark(page) == []
