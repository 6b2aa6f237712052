"""The layout of the pages: in windows of all widths, for fingers, in high contrast, and on paper."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import Call, Centre, expect_live, watch
from tests.browser.support.desktop import AtDesk
from tests.journeys.support.cast import company
from tests.support.browser import Pages
from tests.support.gateways import Gateways

WIDTHS = (320, 390, 640, 768, 800, 900, 1000, 1180, 1440, 1920)
PAGES = {"dashboard": "/", "wallboard": "/?view=wall", "history": "/?view=history", "desk": "/agent"}

# What lies beyond the window's sides. Chips, column heads, quick replies and the admin's lists scroll in boxes.
OUTSIDE = """() => [...document.querySelectorAll("button, select, input, textarea, a, h1, h2, .value, .tooltip")]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }))
  .filter((each) => !each.closest(".chips, thead, .quick, .results"))
  .filter((each) => each.getBoundingClientRect().left < -0.5 || each.getBoundingClientRect().right > innerWidth + 0.5)
  .map((each) => each.id || each.textContent.trim())"""

CUT_STATUSES = """() => [...document.querySelectorAll("#agent-rows .status")]
  .filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth)
  .map((each) => each.textContent.trim())"""

SMALL_TARGETS = """() => [...document.querySelectorAll("button, select, input, textarea, summary")]
  .filter((each) => each.checkVisibility() && !["checkbox", "radio"].includes(each.type))
  .filter((each) => { const { width, height } = each.getBoundingClientRect(); return width < 24 || height < 24 })
  .map((each) => each.id || each.textContent.trim())"""

SMALL_FIELDS = """() => [...document.querySelectorAll("input, select, textarea")]
  .filter((each) => !["checkbox", "radio"].includes(each.type) && parseFloat(getComputedStyle(each).fontSize) < 16)
  .map((each) => each.id)"""


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    """A customer with a long name, and calls with long names in a queue with a long name."""
    acme = company("Nordlicht Kundenservice und Vertriebsgesellschaft mbH & Co. KG")
    centre = Centre(gateway_of_file(), acme)
    for name in ("Maximiliane Konstantinopoulos-Featherstonehaugh", "Li"):
        call = Call(name)
        joined = call.in_queue(
            "queue.joined", acme.queues[0], queue_name="Beschwerdemanagement Nordrhein-Westfalen"
        )
        centre.publish(call.created(), joined)
    connecting = Call("Connecting")
    joined = connecting.in_queue("queue.joined", acme.queues[0], agent_id=acme.people[0].id)
    centre.publish(connecting.created(), joined, Call("Out", direction="outbound").created())
    return centre


def open_page(page: Page, centre: Centre, address: str) -> None:
    if address == "/agent":
        desk = AtDesk(centre, centre.acme.person("granted agent"))
        desk.open(page)
    else:
        watch(page, centre, address[1:])
        expect(page.locator("#card-active")).to_have_text("4")


def header_rows(page: Page) -> int:
    tops = "all => new Set(all.map((each) => Math.round(each.getBoundingClientRect().bottom / 20))).size"
    rows: int = page.locator(".bar button:visible").evaluate_all(tops)
    return rows


@pytest.mark.parametrize("address", PAGES.values(), ids=PAGES.keys())
def test_at_every_width_nothing_is_out_of_reach(page: Page, centre: Centre, address: str) -> None:
    open_page(page, centre, address)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, width
        assert page.evaluate(OUTSIDE) == [], width
        if width >= 1440 and "wall" not in address:
            assert header_rows(page) == 1


def test_the_status_of_an_agent_has_its_room_in_large_type(page: Page, centre: Centre) -> None:
    watch(page, centre, "?view=wall")
    expect(page.locator("#agent-rows .status >> visible=true").first).to_be_visible()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(CUT_STATUSES) == [], width


def test_every_width_shows_the_other_party_of_a_call(page: Page, centre: Centre) -> None:
    number = f"+1555{uuid.uuid4().int % 10_000_000:07d}"
    ours, theirs = {"target": "+15550100100"}, {"target": number, "target_name": "Omar Haddad"}
    outbound = Call(direction="outbound", source=ours, destination=theirs)
    unknown = [Call(source=""), Call(direction="outbound", source=ours, destination={})]
    centre.publish(outbound.created(), *(each.created() for each in unknown))
    watch(page, centre)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        expect(outbound.row(page).get_by_text("Omar Haddad").locator("visible=true")).to_have_count(1)
        if width < 1000:
            expect(outbound.row(page).get_by_role("button")).to_contain_text(
                f"Omar Haddad {number}", use_inner_text=True
            )
            expect(outbound.row(page).get_by_text(ours["target"]).locator("visible=true")).to_have_count(0)
        for each in unknown:
            expect(each.row(page).get_by_text("Unknown caller").locator("visible=true")).to_have_count(1)
    unknown[1].row(page).click()
    expect(page.locator("#story-title")).to_have_text("Unknown caller")
    expect(page.locator("#story-to")).to_have_text("Unknown caller")
    page.keyboard.press("Escape")
    centre.publish(outbound.ended(), *(each.ended() for each in unknown))


def test_the_caller_has_room_at_every_width(page: Page, centre: Centre) -> None:
    open_page(page, centre, "/")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 700})
        cell = page.locator("#rows td.c-from").first.bounding_box()
        assert cell is not None
        assert cell["width"] >= 150, width
        cut = "each => each.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length"
        assert page.locator("#rows .state > span").evaluate_all(cut) == 0, width
    page.set_viewport_size({"width": 1440, "height": 900})
    sizes = page.locator("#rows .direction svg").evaluate_all("all => all.map((each) => each.clientWidth)")
    assert set(sizes) == {13}


@pytest.mark.parametrize("address", ["/", "/agent"])
def test_fields_and_targets_suit_fingers(pages: Pages, centre: Centre, address: str) -> None:
    page = pages.open(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(f"{centre.gateway.url}{address}")
    expect(page.get_by_label("User name")).to_be_visible()
    assert page.evaluate(SMALL_TARGETS) == page.evaluate(SMALL_FIELDS) == []
    open_page(page, centre, address)
    expect_live(page)
    assert page.evaluate(SMALL_TARGETS) == page.evaluate(SMALL_FIELDS) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_in_high_contrast_the_open_call_and_the_chosen_status_are_marked(
    pages: Pages, centre: Centre
) -> None:
    page = pages.open(forced_colors="active")
    open_page(page, centre, "/")
    page.locator("#rows tr").first.click()
    outline = "element => getComputedStyle(element).outlineStyle"
    assert page.locator("#rows tr[data-open]").evaluate(outline) == "solid"
    assert page.locator("#story-shares span").first.evaluate(
        "element => getComputedStyle(element).backgroundColor !== getComputedStyle(document.body).backgroundColor"
    )
    open_page(page, centre, "/agent")
    assert page.locator("[data-status-choice][aria-pressed=true]").first.evaluate(outline) == "solid"


def test_the_dashboard_is_printed_without_controls_and_gaps(
    page: Page, centre: Centre, tmp_path: Path
) -> None:
    open_page(page, centre, "/")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 1000})  # A4, without its margins.
    # Paper is light, also for those whose screen is dark.
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(23, 27, 36)"
    for hidden in ("#search", "#sign-out", "#pause", ".tip"):
        expect(page.locator(hidden).first).to_be_hidden()
    cards, calls = page.locator(".cards").bounding_box(), page.locator(".calls").bounding_box()
    assert cards is not None
    assert calls is not None
    assert 0 <= calls["y"] - cards["y"] - cards["height"] < 40
    assert page.locator("#scroller").evaluate("element => element.scrollHeight <= element.clientHeight")
