"""The wallboard of a link: its figures, pages, key, connection, and the dialog that makes the link."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.accessibility import violations, violations_light_and_dark
from tests.browser.support.centre import Call, Centre, watch
from tests.journeys.support.cast import company, new_id
from tests.support.browser import Pages
from tests.support.gateways import Gateways

KEYS = "/v1.0/control/access-keys"

ROTATION = """async ({ entries, fit, steps }) => {
    const { PageRotation } = await import("/wallboard/page-rotation.js");
    const rotation = new PageRotation();
    return steps.map(([action, at]) => {
        if (action === "pause") rotation.isPaused = !rotation.isPaused;
        else if (action) rotation.turn(action === "next" ? 1 : -1, at);
        return [rotation.show(entries, fit, at).join(""), rotation.page, rotation.count];
    });
}"""

SUM = """async ({ queues, now }) => {
    const { lineOf, queueLines } = await import("/wallboard/wall-figures.js");
    const { sumOf } = await import("/dashboard/figures.js");
    const targets = { target_percent: 80, target_seconds: 20, wait_alarm_seconds: 60 };
    const usual = { targets, longest_wait_since: null, is_breached: false, buckets: [] };
    const whole = queues.map((each) => ({ ...usual, ...each }));
    const sum = sumOf(whole);
    const lines = queueLines(whole, now).map(({ name, longest, late }) => [name, longest, late]);
    return { lines, sum: sum && lineOf(sum, now) };
}"""


def test_pages_turn_with_the_time_unless_they_are_kept(modules: Page) -> None:
    steps = [["", 0], ["", 11_000], ["", 12_000], ["next", 13_000], ["", 24_999], ["", 25_000]]
    found = modules.evaluate(ROTATION, {"entries": list("abcdefg"), "fit": 3, "steps": steps})
    assert found == [
        ["abc", 0, 3],
        ["abc", 0, 3],
        ["def", 1, 3],
        ["g", 2, 3],
        ["g", 2, 3],
        ["abc", 0, 3],
    ]
    steps = [["", 0], ["pause", 1], ["", 60_000], ["before", 60_001], ["pause", 60_002], ["", 72_002]]
    found = modules.evaluate(ROTATION, {"entries": list("abcd"), "fit": 2, "steps": steps})
    assert [text for text, *_ in found] == ["ab", "ab", "ab", "cd", "cd", "ab"]
    assert modules.evaluate(ROTATION, {"entries": [], "fit": 0, "steps": [["", 0]]}) == [["", 0, 1]]


def test_queues_below_their_target_come_first_and_some_are_counted_together(modules: Page) -> None:
    def queue(name: str, **figures: Any) -> dict[str, Any]:
        counts = {"waiting": 0, "answered": 0, "answered_in_time": 0, "abandoned": 0, "service_level": None}
        return {"queue_id": name, "name": name, **counts, **figures}

    queues = [
        queue(
            "A",
            waiting=2,
            answered=8,
            answered_in_time=8,
            abandoned=1,
            longest_wait_since="2024-01-15T10:00:00Z",
        ),
        queue("C", is_breached=True, answered=2, answered_in_time=1, abandoned=1),
        queue("B", waiting=1, longest_wait_since="2024-01-15T09:59:30Z"),
    ]
    found = modules.evaluate(SUM, {"queues": queues, "now": 1_705_312_870_000})
    assert found["lines"] == [["C", None, None], ["A", 70_000, "bad"], ["B", 100_000, "bad"]]
    assert {name: found["sum"][name] for name in ("waiting", "longest", "level", "abandoned", "agents")} == {
        "waiting": 3,
        "longest": 100_000,
        "level": 75.0,
        "abandoned": 2,
        "agents": None,
    }
    assert modules.evaluate(SUM, {"queues": [], "now": 0}) == {"lines": [], "sum": None}


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    """A customer with many queues, in which callers wait."""
    acme = company("Acme")
    acme.queues += [new_id() for _ in range(22)]
    centre = Centre(gateway_of_file(), acme)
    for number in range(3):
        call = Call(f"Dana {number}")
        centre.publish(call.created(), call.in_queue("queue.joined", acme.queues[number]))
    return centre


def control(centre: Centre, method: str, path: str = "", **content: Any) -> Any:
    headers = {"Authorization": f"Bearer {centre.acme.token('admin')}"}
    answer = httpx.request(
        method, f"{centre.gateway.url}{KEYS}{path}", json=content or None, headers=headers, timeout=30
    )
    answer.raise_for_status()
    return answer.json() if answer.content else None


def make(centre: Centre, *queues: str) -> Any:
    return control(centre, "POST", kind="display", label="Front <wall>", queue_ids=list(queues))


def expect_live(page: Page) -> None:
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=60_000)


def test_a_screen_shows_figures_turns_pages_and_survives_restarts_and_the_end_of_its_key(
    page: Page, centre: Centre
) -> None:
    made = make(centre)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(f"{request.url} {request.headers.get('referer')}"))
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(made["link"])
    expect_live(page)
    expect(page.get_by_role("heading", name="Front <wall>")).to_be_visible()
    expect(page).to_have_title("Front <wall>")
    expect(page.locator("#customer")).to_have_text("Acme")
    expect(page.locator("#card-waiting")).to_have_text("3")
    expect(page.locator("#card-agents-note")).to_contain_text("2 offline")
    call = Call("Erin Secret")
    centre.publish(call.created(), call.in_queue("queue.joined", centre.acme.queues[3]))
    expect(page.locator("#card-waiting")).to_have_text("4")
    assert "Secret" not in page.content()
    rows = page.locator("#wall-rows tr")
    fit = rows.count()
    assert 1 < fit < len(centre.acme.queues)
    expect(page.locator("#page-number")).to_contain_text("Page 1 of")
    page.get_by_role("button", name="Next page").click()
    expect(page.locator("#page-number")).to_contain_text("Page 2 of")
    page.get_by_role("button", name="Keep this page").click()
    expect(page.get_by_role("button", name="Turn pages")).to_have_attribute("aria-pressed", "true")
    key = made["secret"]
    assert not any(key in each for each in requests if "/v1.0/ws" not in each)

    page.goto("about:blank")
    page.goto(f"{centre.gateway.url}/wallboard/")
    expect_live(page)
    centre.gateway.kill()
    expect(page.locator("#stale-banner")).to_contain_text("Showing data from")
    centre.gateway.restart()
    page.evaluate("() => dispatchEvent(new Event('online'))")
    expect_live(page)
    expect(page.locator("#stale-banner")).to_be_hidden()
    expect(page.locator("#card-waiting")).to_have_text("4")

    renewed = control(centre, "POST", f"/{made['id']}/rotate")
    control(centre, "DELETE", f"/{made['id']}")
    expect(page.get_by_role("heading", name="This wallboard link does not work")).to_be_visible()
    expect(page.locator("#ended-reason")).to_have_text("This access key was revoked")
    assert page.locator("#wall").is_hidden()
    page.goto(renewed["link"])
    expect_live(page)
    centre.publish(call.ended())


def test_axe_finds_no_violation_and_nothing_lies_outside(pages: Pages, centre: Centre) -> None:
    page = pages.open(reduced_motion="reduce")
    page.goto(make(centre, *centre.acme.queues[:12])["link"])
    expect_live(page)
    for width, height in ((320, 640), (390, 844), (1024, 600), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), width
        assert violations_light_and_dark(page) == [], width
    page.goto(f"{centre.gateway.url}/wallboard/#key=vb_wrong")
    expect(page.locator("#ended-reason")).to_have_text("This access key is not known")
    assert violations_light_and_dark(page) == []


def test_an_admin_makes_renews_and_revokes_a_link_on_the_dashboard(
    pages: Pages, centre: Centre, page: Page
) -> None:
    watch(page, centre, token=centre.acme.token("admin"))
    views = page.get_by_role("button", name="Views")
    views.click()
    page.get_by_role("menuitem", name="Wallboard links…").click()
    dialog = page.get_by_role("dialog", name="Wallboard links")
    dialog.get_by_role("button", name="Make link").click()
    expect(dialog.get_by_role("alert")).to_have_text("Enter a name.")
    dialog.get_by_label("Name").fill("Lobby")
    dialog.get_by_label("Support").first.check()
    dialog.get_by_role("button", name="Make link").click()
    expect(dialog.get_by_role("img", name="QR code of the link")).to_be_visible()
    assert dialog.locator("svg path").count() == 2
    link = dialog.get_by_label("Link", exact=True).input_value()
    assert link.startswith(f"{centre.gateway.url}/wallboard/#key=vb_")
    assert violations(page) == []
    screen = pages.open()
    screen.goto(link)
    expect_live(screen)
    expect(screen.locator("#wall-rows tr")).to_have_count(1)
    dialog.get_by_role("button", name="Renew Lobby").click()
    expect(dialog.locator("#new-link-note")).to_have_text("The old link works for another day.")
    assert dialog.get_by_label("Link", exact=True).input_value() != link
    expect(dialog.locator("#link-rows li", has_text="Lobby")).to_have_count(2)
    dialog.locator("#link-rows li", has_text="replaced").get_by_role("button", name="Revoke").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    expect(dialog.locator("#link-rows li", has_text="Lobby")).to_have_count(1)
    expect(screen.get_by_role("heading", name="This wallboard link does not work")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    assert "vb_" not in page.content()
    watch(page, centre)
    views.click()
    expect(page.get_by_role("menuitem", name="Save this view…")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Wallboard links…")).to_have_count(0)
