"""The agent desktop in a hidden tab, whose timers Chromium runs once in a minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.support.centre import Call, Centre
from tests.browser.support.desktop import AtDesk
from tests.faults.support.default_chromium import Browser, Tab, default_chromium
from tests.faults.support.drill import LONG
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

HIDDEN_SECONDS = 420 if LONG else 0
RINGS = 10 if LONG else 1
WITHIN_SECONDS = 2.0
# `make drills` uses Chromium as it comes; here it need not hide the tab for minutes.
SOON = ["--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1"]

# Notes when the ring tone starts and stops and when the title changes, and when a timer runs.
WATCH = """
window.ticks = 0;
window.lastTick = performance.now();
setInterval(() => { window.lastTick = performance.now(); window.ticks += 1; }, 200);
window.rings = 0;
window.notified = [];
window.Notification = class extends EventTarget {
  static permission = "granted";
  constructor(title) { super(); window.notified.push(title); }
  close() { window.notified.push("closed"); }
};
for (const [name, step] of [["start", 1], ["stop", -1]]) {
  const original = AudioBufferSourceNode.prototype[name];
  AudioBufferSourceNode.prototype[name] = function (...args) {
    if (this.loop) window.rings += step;
    return original.apply(this, args);
  };
}
"""


@pytest.fixture
def browser(chromium: Path, tmp_path: Path) -> Iterator[Browser]:
    with default_chromium(chromium, tmp_path, [] if LONG else SOON) as browser:
        yield browser


@pytest.fixture
def desk(gateway: Gateways) -> AtDesk:
    centre = Centre(gateway())
    return AtDesk(centre, centre.acme.person("granted agent"))


def open_desk(browser: Browser, desk: AtDesk) -> Tab:
    """Open the desk in a new tab, and start the shift."""
    url = desk.centre.gateway.url
    tab = browser.new_tab()
    tab.open(f"{url}/static/voipbin_ws/shared/icon.svg")
    tab.evaluate(f"sessionStorage.setItem('voipbin.token', '{desk.person.token}')")
    tab.open(f"{url}/agent", script=WATCH)
    wait_until(lambda: tab.evaluate("document.querySelector('#connection').dataset.state") == "live", "live")
    wait_until(lambda: not tab.evaluate("document.querySelector('#start-shift').disabled"), "the button")
    tab.evaluate("document.querySelector('#start-shift').click()", click=True)
    wait_until(lambda: tab.evaluate("document.querySelector('#start-shift').hidden"), "sound")
    return tab


def hide(browser: Browser, tab: Tab) -> None:
    """Hide the tab until its timers are throttled."""
    browser.new_tab()
    wait_until(lambda: tab.evaluate("document.hidden"), "the tab to be hidden")
    wait_until(lambda: tab.evaluate("performance.now() - lastTick > 3000"), "throttled timers", timeout=900)


def is_alerting(tab: Tab, call: Call) -> bool:
    name = call.data["source"]["target_name"]
    shown = tab.evaluate("({ rings, title: document.title, notified: notified.at(-1) })")
    return bool(shown == {"rings": 1, "title": f"☎ {name} is calling", "notified": f"{name} is calling"})


def test_a_hidden_desktop_rings_at_once(
    browser: Browser, desk: AtDesk, record_property: Callable[[str, object], None]
) -> None:
    tab = open_desk(browser, desk)
    browser.new_tab()
    time.sleep(HIDDEN_SECONDS)  # The drill's hidden time is its subject.
    took = []
    for number in range(RINGS):
        hide(browser, tab)
        call = Call(f"Caller {number}")
        ticks = tab.evaluate("ticks")
        began = time.monotonic()
        desk.rings(call)
        wait_until(lambda call=call: is_alerting(tab, call), "the alert")  # type: ignore[misc]
        took.append(time.monotonic() - began)
        assert tab.evaluate("ticks") == ticks, "a timer of the page ran meanwhile: try again"
        desk.ends(call)
        wait_until(lambda: tab.evaluate("rings === 0 && document.title === 'Agent desktop'"), "silence")
        assert tab.evaluate("notified.at(-1)") == "closed"
    record_property("alerted after (s)", ", ".join(f"{seconds:.2f}" for seconds in took))
    assert max(took) < WITHIN_SECONDS


def test_one_of_several_desktops_rings_and_another_one_when_it_closes(browser: Browser, desk: AtDesk) -> None:
    first, second = open_desk(browser, desk), open_desk(browser, desk)
    call = Call("Dana")
    desk.rings(call)
    shown = "document.querySelectorAll('#calls [data-phase=offered]').length"
    wait_until(lambda: first.evaluate(shown) == second.evaluate(shown) == 1, "the call in both tabs")
    wait_until(lambda: first.evaluate("rings") == 1, "the first tab's ring tone")
    assert second.evaluate("rings") == 0
    first.close()
    wait_until(lambda: second.evaluate("rings") == 1, "the second tab's ring tone")
