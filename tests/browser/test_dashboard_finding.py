"""Finding calls on the dashboard: search, filters, order, and a thousand of them."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import Call, Centre, watch
from tests.support.gateways import Gateways


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    return Centre(gateway_of_file())


def test_search_filters_and_order_stay_in_the_address(page: Page, centre: Centre) -> None:
    mark = uuid.uuid4().hex[:8]
    one, other = Call(f"Zoe {mark}"), Call(f"Adam {mark}", direction="outbound")
    centre.publish(one.created(), other.created())
    watch(page, centre)
    page.keyboard.press("/")
    page.keyboard.type(mark)
    rows = page.locator("#rows tr")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="From").click()
    expect(rows.first).to_contain_text("Adam")
    page.get_by_role("button", name="From").click()
    expect(rows.first).to_contain_text("Zoe")
    expect(page.get_by_role("columnheader", name="From")).to_have_attribute("aria-sort", "descending")
    page.get_by_label("Direction", exact=True).select_option("outbound")
    expect(rows).to_have_count(1)
    page.reload()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Adam")
    page.get_by_role("button", name="Waiting").click()
    expect(page.get_by_role("heading", name="No call matches the filters")).to_be_visible()
    page.get_by_role("button", name="Show all calls").click()
    expect(one.row(page)).to_be_visible()
    expect(other.row(page)).to_be_visible()
    centre.publish(one.ended(), other.ended())


def test_what_no_longer_exists_stays_chosen_until_all_are_shown(page: Page, centre: Centre) -> None:
    call, queue, agent = Call("Somewhere else"), str(uuid.uuid4()), str(uuid.uuid4())
    centre.publish(call.created())
    watch(page, centre, f"?view=history&queue={queue}&by={agent}")
    for label, value in {"Queue of past calls": queue, "Agent": agent}.items():
        chosen = page.get_by_label(label, exact=True)
        expect(chosen).to_have_value(value)
        expect(chosen.locator("option:checked")).to_contain_text(value[:8])
    page.get_by_role("button", name="Live calls").click()
    expect(page.get_by_label("Queue", exact=True).locator("option:checked")).to_have_text(
        f"Queue {queue[:8]}"
    )
    expect(call.row(page)).to_have_count(0)
    page.get_by_role("button", name="Show all calls").click()
    expect(call.row(page)).to_be_visible()
    expect(page.get_by_label("Queue", exact=True).locator("option:checked")).to_have_text("All queues")
    centre.publish(call.ended())


def test_search_finds_what_people_type(page: Page, centre: Centre) -> None:
    number = f"+1555{uuid.uuid4().int % 10_000_000:07d}"
    source = {"type": "tel", "target": number, "target_name": "Rosa O’Connor-Sørensen"}
    call, other = Call(source=source), Call("Zoë Łukasz")
    centre.publish(call.created(), other.created())
    watch(page, centre)
    three, four = number[5:8], number[8:]
    found = [
        "o'connor",
        "O’CONNOR",
        "sorensen",
        "SØRENSEN",
        number,
        f"(555) {three}-{four}",
        f"555.{three}.{four}",
    ]
    found += [f"001555{three}{four}", f"+1 (555) {three} {four}", f"{three}-{four}", "rosa ringing"]
    for words in found:
        page.get_by_label("Search calls").fill(words)
        expect(call.row(page)).to_be_visible()
        expect(other.row(page)).to_have_count(0)
    for words in ("zoe", "lukasz", "ZOË ŁUKASZ"):
        page.get_by_label("Search calls").fill(words)
        expect(other.row(page)).to_be_visible()
        expect(call.row(page)).to_have_count(0)
    centre.publish(call.ended(), other.ended())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Dana \u202e6100555 rekcah", "Dana 6100555 rekcah"),
        ("Dana \u2066hidden\u2069\u200f", "Dana hidden"),
        ("Da\u200bna\u00ad\u2060 \ufeffW", "Dana W"),
        ("\u200b\u2060\u3164\u00a0", ""),
        ("دانا", "دانا"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
    ],
)
def test_no_character_of_a_name_reorders_or_hides_text(
    page: Page, centre: Centre, name: str, shown: str
) -> None:
    call = Call(name)
    centre.publish(call.created())
    watch(page, centre)
    assert call.row(page).locator("[data-cell=fromName]").text_content() == shown
    assert call.row(page).locator("[data-cell=from]").text_content() == "+15552004711"
    centre.publish(call.ended())


def test_of_a_thousand_calls_only_the_visible_ones_have_rows(page: Page, centre: Centre) -> None:
    calls = [Call(f"Caller {number:04}") for number in range(1000)]
    centre.publish(*(call.created() for call in calls))
    watch(page, centre, "?sort=from")
    expect(page.locator("#card-active")).to_have_text("1,000")
    expect(page.get_by_role("table", name="Live calls")).to_have_attribute("aria-rowcount", "1001")
    expect(calls[0].row(page)).to_be_visible()
    assert page.locator("#rows tr").count() < 100
    widths = page.locator("#calls thead th").evaluate_all("cells => cells.map(cell => cell.offsetWidth)")
    assert sum(widths) == pytest.approx(page.locator("#calls").evaluate("table => table.clientWidth"), abs=4)
    page.locator("#scroller").evaluate("element => element.scrollTo(0, element.scrollHeight)")
    expect(calls[999].row(page)).to_be_in_viewport()
    expect(calls[999].row(page)).to_have_attribute("aria-rowindex", "1001")
    expect(calls[0].row(page)).to_have_count(0)
    # After a burst of events the page is correct.
    centre.publish(*(call.answered() for call in calls[:500]), *(call.created() for call in calls[500:]))
    centre.publish(*(call.ended() for call in calls[:-1]))
    expect(page.locator("#card-active")).to_have_text("1")
    expect(page.locator("#state-filter")).to_contain_text("Ringing 1")
    centre.publish(calls[999].ended())
    expect(page.get_by_role("heading", name="No calls right now")).to_be_visible()
