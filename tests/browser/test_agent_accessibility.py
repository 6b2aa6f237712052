"""Accessibility of the agent desktop by axe-core, in each state, light and dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.accessibility import violations_light_and_dark
from tests.browser.support.centre import Call, Centre
from tests.browser.support.desktop import AtDesk, card, message, new_number, thread
from tests.support.gateways import Gateways


@pytest.fixture(scope="module")
def desk(gateway_of_file: Gateways) -> AtDesk:
    centre = Centre(gateway_of_file())
    return AtDesk(centre, centre.acme.person("granted agent"))


def test_axe_finds_no_violation(page: Page, desk: AtDesk) -> None:
    page.goto(f"{desk.centre.gateway.url}/agent")
    expect(page.get_by_label("User name")).to_be_visible()
    assert violations_light_and_dark(page) == []
    desk.open(page)
    assert violations_light_and_dark(page) == []
    rings, talks, waits, missed = (Call(name) for name in ("Rings", "Talks", "Waits", "Missed"))
    number, stopped = new_number(), new_number()
    desk.rings(missed)
    desk.publish(missed.event("call.ended", status="hangup", agent_id=desk.person.id))
    desk.rings(talks)
    desk.talks(talks)
    desk.rings(rings)
    desk.waits(waits)
    desk.publish(
        message(number, "Hello", name="Dana"),
        message(number, "We are open", inbound=False, automatic=True),
        message(number, "Good day", inbound=False, status="failed"),
        message(stopped, "STOP"),
    )
    expect(card(page, rings)).to_be_visible()
    thread(page, number).click()
    assert violations_light_and_dark(page) == []
    thread(page, stopped).click()
    expect(page.locator("#opted-out")).to_be_visible()
    assert violations_light_and_dark(page) == []
    desk.clear()


def test_the_keyboard_alone_reaches_everything(page: Page, desk: AtDesk) -> None:
    number = new_number()
    desk.publish(message(number, "Hello"))
    desk.open(page)
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.textContent.trim().slice(0, 40)"))
        if number in reached[-1]:
            break
    assert {"Sign out", "Available", "Away", "Offline", "Start shift"} <= set(reached)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reply")).to_be_focused()
