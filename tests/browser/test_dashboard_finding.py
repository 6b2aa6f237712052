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


def test_of_a_thousand_calls_only_the_visible_ones_have_rows(page: Page, centre: Centre) -> None:
    calls = [Call(f"Caller {number:04}") for number in range(1000)]
    centre.publish(*(call.created() for call in calls))
    watch(page, centre, "?sort=from")
    expect(page.locator("#card-active")).to_have_text("1000")
    expect(page.get_by_role("table", name="Live calls")).to_have_attribute("aria-rowcount", "1001")
    expect(calls[0].row(page)).to_be_visible()
    assert page.locator("#rows tr").count() < 100
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
