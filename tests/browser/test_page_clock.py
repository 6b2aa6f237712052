"""The pages on a computer whose clock is wrong, or is set while a page is open."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.support.centre import Call, Centre, watch
from tests.browser.support.desktop import AtDesk, card
from tests.support.gateways import Gateways

# The browser's clock is `clockShift` milliseconds ahead.
SHIFTED_CLOCK = """
window.clockShift = 0;
window.Date = class extends Date {
  constructor(...args) { args.length ? super(...args) : super(Date.now()); }
  static now() { return super.now() + window.clockShift; }
};
"""
SECONDS = re.compile(r"^0:[0-5]\d$")


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    return Centre(gateway_of_file("uvicorn"))


@pytest.fixture(scope="module")
def centre_on_daphne(gateway_of_file: Gateways) -> Centre:
    """Of the servers' own making is only the header with the time."""
    return Centre(gateway_of_file("daphne"))


def shift(page: Page, milliseconds: int) -> None:
    page.add_init_script(f"{SHIFTED_CLOCK} window.clockShift = {milliseconds};")


@pytest.mark.parametrize(
    ("where", "exact"),
    [("centre_on_daphne", False), ("centre", False), ("centre", True)],
    ids=["header-daphne", "header-uvicorn", "body"],
)
@pytest.mark.parametrize("shifted", [600_000, -600_000], ids=["ahead", "behind"])
def test_durations_follow_the_gateways_clock(
    request: pytest.FixtureRequest, page: Page, where: str, shifted: int, exact: bool
) -> None:
    centre = request.getfixturevalue(where)

    def answer(route: Route) -> None:
        response = route.fetch()
        headers, body = response.headers, response.json()
        # The answers have both: the page must understand each alone.
        del (headers if exact else body)["date" if exact else "now"]
        route.fulfill(status=200, headers=headers, json=body)

    page.route("**/v1.0/me", answer)
    shift(page, shifted)
    call = Call()
    watch(page, centre)
    centre.publish(call.created(), call.in_queue("queue.joined", centre.acme.queues[0]))
    total = call.row(page).locator("[data-cell=total]")
    expect(total).to_have_text(SECONDS)
    expect(total).not_to_have_text("0:00")
    page.reload()
    expect(total).to_have_text(SECONDS)
    expect(total).not_to_have_text("0:00")


def test_a_clock_that_is_set_while_the_page_is_open_changes_no_duration(page: Page, centre: Centre) -> None:
    shift(page, 0)
    call = Call()
    watch(page, centre)
    centre.publish(call.created())
    total = call.row(page).locator("[data-cell=total]")
    for shifted in (600_000, -600_000):
        with page.expect_response("**/v1.0/me"):
            page.evaluate("shifted => { window.clockShift = shifted }", shifted)
        expect(total).to_have_text(SECONDS)
        expect(total).not_to_have_text("0:00")
    # A clock that was set back does not hide that the data is old.
    centre.gateway.stop()
    try:
        expect(page.locator("#board-view")).to_have_attribute("data-stale", "")
    finally:
        centre.gateway.resume()


@pytest.mark.parametrize("shifted", [600_000, -600_000], ids=["ahead", "behind"])
def test_the_desk_shows_a_call_and_its_duration(page: Page, centre: Centre, shifted: int) -> None:
    shift(page, shifted)
    desk = AtDesk(centre, centre.acme.person("granted agent"))
    desk.publish(desk.is_now("available"))
    desk.open(page)
    call = Call()
    desk.rings(call)
    desk.talks(call)
    time = card(page, call).locator("[data-cell=time]")
    for _ in range(2):
        expect(card(page, call)).to_contain_text("Talking")
        expect(time).to_have_text(SECONDS)
        expect(time).not_to_have_text("0:00")
        page.reload()
    desk.clear()
