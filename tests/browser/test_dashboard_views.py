"""The dashboard's saved views."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import Call, Centre, expect_live, watch
from tests.support.gateways import Gateways

SAVE = """async ({ stored, saves, query }) => {
    const { SavedViews } = await import("/dashboard/saved-views.js");
    const views = new SavedViews(stored);
    const problems = saves.map(([name, query]) => views.save(name, query));
    const again = new SavedViews(String(views));
    return { problems, views: again.names.map((name) => [name, again.queryOf(name)]), name: again.nameOf(query) };
}"""


def saved(page: Page, *saves: tuple[str, str], stored: str | None = None, query: str = "") -> Any:
    return page.evaluate(SAVE, {"saves": saves, "stored": stored, "query": query})


def test_a_view_keeps_all_but_the_open_call_and_the_customer(modules: Page) -> None:
    found = saved(
        modules, ("Late", "queue=q&call=c&customer=x&state=waiting"), query="queue=q&state=waiting&call=d"
    )
    assert found["views"] == [["Late", "queue=q&state=waiting"]]
    assert found["name"] == "Late"


def test_a_name_is_needed_and_an_equal_one_replaces(modules: Page) -> None:
    found = saved(modules, (" ", "q=1"), ("A", "q=1"), (" A ", "q=2"))
    assert found["problems"] == ["Enter a name.", "", ""]
    assert found["views"] == [["A", "q=2"]]


def test_the_number_of_views_is_limited(modules: Page) -> None:
    found = saved(modules, *((f"view {number}", "") for number in range(31)))
    assert found["problems"][-1] == "There are 30 views already. Delete one first."
    assert len(found["views"]) == 30


@pytest.mark.parametrize("stored", ["", "{", "7", "null", '{"a": 1}', '[["a", 1]]'])
def test_views_that_cannot_be_read_are_none(modules: Page, stored: str) -> None:
    assert saved(modules, stored=stored)["views"] == []


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    return Centre(gateway_of_file())


def test_a_view_is_saved_by_name_opened_and_deleted(page: Page, centre: Centre) -> None:
    queue = centre.acme.queues[0]
    call = Call()
    centre.publish(call.created(), call.in_queue("queue.joined", queue))
    watch(page, centre, f"?state=waiting&queue={queue}&sort=total&agents=away&call={call.id}")
    views = page.get_by_role("button", name="Views")
    views.click()
    page.get_by_role("menuitem", name="Save this view…").click()
    page.get_by_role("dialog", name="Save this view").get_by_label("Name").fill("My <b>queue</b>")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Save this view")).to_be_hidden()
    page.goto(f"{centre.gateway.url}/?view=history")
    expect_live(page)
    views.click()
    page.get_by_role("menuitemradio", name="My <b>queue</b>").click()
    expect(call.row(page)).to_be_visible()
    assert page.url.endswith(f"/?state=waiting&queue={queue}&sort=total&agents=away")
    page.go_back()
    expect(page.locator("#history")).to_be_visible()
    page.go_forward()
    expect(call.row(page)).to_be_visible()
    views.click()
    page.get_by_role("menuitem", name="Delete “My <b>queue</b>”").click()
    views.click()
    expect(page.get_by_role("menuitemradio")).to_have_count(0)
    centre.publish(call.ended())
