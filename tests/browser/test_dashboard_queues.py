"""The dashboard's queues: service level and target as the gateway counts them, misses first, a click as a filter."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.accessibility import violations
from tests.browser.support.centre import Call, Centre, watch
from tests.support.gateways import Gateways

ALPHA, ZULU = str(uuid.uuid4()), str(uuid.uuid4())
TREND = re.compile("^Service level of the last hour, five minutes each: [0-9, %]+$")
NAMES = {ALPHA: "Alpha", ZULU: "Zulu <b>"}


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    return Centre(gateway_of_file(CHECK_INTERVAL_SECONDS="0.2"))


def callers(centre: Centre, queue: str, count: int, wait_seconds: int) -> None:
    named = {"queue_name": NAMES[queue], "wait_time": wait_seconds}
    for _ in range(count):
        call = Call()
        centre.publish(
            call.in_queue("queue.joined", queue, **named), call.in_queue("queue.connected", queue, **named)
        )


def test_a_queue_that_misses_its_target_is_first_and_marked_by_word_and_sign(
    page: Page, centre: Centre
) -> None:
    callers(centre, ALPHA, 6, 1)
    callers(centre, ZULU, 4, 1)
    watch(page, centre)
    rows = page.locator("#queue-rows tr")
    expect(rows.filter(has_text="Alpha")).to_contain_text("100%")
    names = page.locator("#queue-rows [data-cell=name]")
    expect(names).to_have_text(["Alpha", "Support", "Support", "Zulu <b>"])
    # Four of seven in time.
    callers(centre, ZULU, 3, 60)
    late = rows.filter(has_text="Zulu <b>")
    expect(late).to_contain_text("▼ below target")
    expect(late).to_have_attribute("data-breached", "")
    expect(late.locator("[data-cell=level]")).to_have_text("57%")
    expect(late.locator("[data-cell=target]")).to_have_text("80%")
    expect(late.locator("svg")).to_have_attribute("aria-label", TREND)
    expect(names).to_have_text(["Zulu <b>", "Alpha", "Support", "Support"])
    given_up = Call()
    centre.publish(
        given_up.in_queue("queue.joined", ZULU),
        given_up.in_queue("queue.left", ZULU, reason="abandoned", wait_time=30),
    )
    expect(late.locator("[data-cell=abandoned]")).to_have_text("1")
    # The same after loading the page anew.
    page.reload()
    expect(names.first).to_have_text("Zulu <b>")
    expect(late.locator("[data-cell=abandoned]")).to_have_text("1")
    assert violations(page) == []
    # And it is over.
    callers(centre, ZULU, 30, 1)
    expect(names).to_have_text(["Alpha", "Support", "Support", "Zulu <b>"])
    expect(page.locator("#queue-rows")).not_to_contain_text("below target")


def test_a_click_on_a_queue_filters_the_calls_and_another_one_shows_all(page: Page, centre: Centre) -> None:
    here, there = Call("In Alpha"), Call("Elsewhere")
    centre.publish(here.created(), here.in_queue("queue.joined", ALPHA, queue_name="Alpha"), there.created())
    watch(page, centre)
    expect(there.row(page)).to_be_visible()
    button = page.get_by_role("button", name="Alpha", exact=True)
    button.click()
    expect(there.row(page)).to_have_count(0)
    expect(here.row(page)).to_be_visible()
    expect(page.get_by_label("Queue", exact=True)).to_have_value(ALPHA)
    expect(button).to_have_attribute("aria-pressed", "true")
    assert f"queue={ALPHA}" in page.url
    button.focus()
    page.keyboard.press("Enter")
    expect(there.row(page)).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "false")
    centre.publish(here.ended(), there.ended())


def test_figures_of_another_customer_are_not_shown(page: Page, centre: Centre) -> None:
    watch(page, centre, f"?customer={centre.acme.id}", centre.globex.token("staff"))
    expect(page.locator("#queue-rows")).to_contain_text("Alpha")
    expect(page.locator("#card-level")).not_to_have_text("—")
    page.locator("#customer-choice").select_option(label="Globex")
    expect(page.locator("#queue-rows")).not_to_contain_text("Alpha")
    expect(page.locator("#card-level-note")).to_have_text("no callers, last hour")


def test_the_numbers_of_all_queues_stand_below_each_other(page: Page, centre: Centre) -> None:
    call, queue = Call("Somewhere"), str(uuid.uuid4())
    centre.publish(call.created(), call.in_queue("queue.joined", queue, queue_name="Q" * 500))
    watch(page, centre)
    expect(page.locator("#queue-rows")).to_contain_text("QQQ")
    for width in (320, 390, 700, 1000, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        edges = page.evaluate(
            """() => ["q-level", "q-waiting", "q-talking"].map((name) => {
                const cells = [...document.querySelectorAll(`#queue-rows .${name}`)];
                return new Set(cells.map((cell) => Math.round(cell.getBoundingClientRect().right))).size;
            })"""
        )
        assert edges == [1, 1, 1], width
        inside = page.evaluate(
            """() => {
                const panel = document.querySelector("#queue-rows").closest(".panel").getBoundingClientRect();
                const cells = document.querySelectorAll("#queue-rows td");
                const sides = [...cells].map((cell) => cell.getBoundingClientRect());
                return sides.every(({ left, right }) => left >= panel.left && right <= panel.right);
            }"""
        )
        assert inside, width
        # A long name leaves room for the other queues.
        heights = page.locator("#queue-rows tr").evaluate_all("all => all.map((each) => each.clientHeight)")
        assert max(heights) < 100, width
    centre.publish(call.in_queue("queue.left", queue), call.ended())
