"""The dashboard empty, paused, as wallboard, in dark, in two tabs, for platform staff, and its accessibility."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.accessibility import violations, violations_light_and_dark
from tests.browser.support.centre import Call, Centre, expect_live, watch
from tests.support.browser import Pages
from tests.support.gateways import Gateways


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    return Centre(gateway_of_file())


def test_the_command_on_an_empty_board_makes_a_call_appear(page: Page, centre: Centre) -> None:
    watch(page, centre)
    expect(page.get_by_role("heading", name="No calls yet")).to_be_visible()
    expect(page.locator("#card-level")).to_have_text("—")
    expect(page.locator("#card-longest")).to_have_text("—")
    command = page.locator("#first-call").inner_text()
    assert f"{centre.gateway.url}/v1.0/events" in command
    assert violations(page) == []
    # The command on the page publishes a call.
    body = command.split("-d '")[1].removesuffix("'")
    published = page.evaluate(
        """async ({ key, body }) => {
            const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
            return (await fetch("/v1.0/events", { method: "POST", headers, body })).status;
        }""",
        {"key": centre.acme.key("that publishes"), "body": body},
    )
    assert published == 201
    expect(page.locator("[data-call='my-first-call']")).to_contain_text("Ringing")
    centre.publish({"event_type": "call.ended", "data": {"id": "my-first-call", "status": "hangup"}})


def test_a_paused_page_counts_new_events_and_shows_them_after_resuming(page: Page, centre: Centre) -> None:
    call, later = Call(), Call()
    centre.publish(call.created())
    watch(page, centre)
    expect(call.row(page)).to_contain_text("Ringing")
    page.keyboard.press("p")
    banner = page.locator("#paused-banner")
    expect(banner).to_contain_text("No new events")
    total = call.row(page).locator("[data-cell=total]").inner_text()
    centre.publish(call.answered(), later.created())
    expect(banner).to_contain_text("1 new call and 2 events since")
    expect(call.row(page)).to_contain_text("Ringing")
    expect(later.row(page)).to_have_count(0)
    # The search applies to the paused board.
    page.get_by_label("Search calls").fill("Dana")
    expect(later.row(page)).to_have_count(0)
    assert call.row(page).locator("[data-cell=total]").inner_text() == total
    page.get_by_role("button", name="Resume").first.click()
    expect(call.row(page)).to_contain_text("Answered")
    expect(later.row(page)).to_be_visible()
    expect(banner).to_be_hidden()
    centre.publish(call.ended(), later.ended())


def test_the_wallboard_shows_the_numbers_without_controls_and_keeps_the_screen_on(
    page: Page, centre: Centre
) -> None:
    page.add_init_script(
        "navigator.wakeLock.request = async () => { window.awake = true; return { released: false, release() {} } }"
    )
    watch(page, centre, "?view=wall")
    expect(page.locator("#card-active")).to_be_visible()
    expect(page.locator("#agent-rows")).to_be_visible()
    expect(page.get_by_role("table", name="Live calls")).to_be_hidden()
    expect(page.get_by_label("Search calls")).to_be_hidden()
    page.wait_for_function("() => window.awake")
    assert page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")
    assert page.locator("#card-active").evaluate("each => parseFloat(getComputedStyle(each).fontSize)") >= 40
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement !== null")
    page.keyboard.press("w")
    expect(page.get_by_role("table", name="Live calls")).to_be_visible()
    page.wait_for_function("() => document.fullscreenElement === null")
    assert page.url == f"{centre.gateway.url}/"


def test_the_theme_follows_the_system_until_one_is_chosen(pages: Pages, centre: Centre) -> None:
    page = pages.open(color_scheme="dark")
    watch(page, centre)
    ground = "() => getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(ground)
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"dark => ({ground})() !== dark", arg=dark)
    light = page.evaluate(ground)
    for _ in range(2):
        page.locator("#theme").click()
    expect(page.locator("#theme")).to_have_accessible_name("Theme: dark")
    assert page.evaluate(ground) == dark != light
    page.reload()
    assert page.evaluate(ground) == dark


def test_each_tab_has_its_own_view(page: Page, centre: Centre) -> None:
    call = Call(f"Both {uuid.uuid4().hex[:8]}")
    other = page.context.new_page()
    watch(page, centre)
    watch(other, centre, "?direction=outbound")
    centre.publish(call.created())
    expect(call.row(page)).to_be_visible()
    expect(call.row(other)).to_have_count(0)
    page.keyboard.press("p")
    other.get_by_label("Direction", exact=True).select_option("")
    expect(call.row(other)).to_be_visible()
    centre.publish(call.answered())
    expect(call.row(other)).to_contain_text("Answered")
    expect(call.row(page)).to_contain_text("Ringing")
    centre.publish(call.ended())
    other.close()


def test_platform_staff_choose_the_customer(page: Page, centre: Centre) -> None:
    ours, theirs = Call("Acme's caller"), Call("Globex's caller")
    centre.publish(ours.created())
    centre.publish(theirs.created(), whose=centre.globex)
    watch(page, centre, token=centre.globex.token("staff"))
    expect(theirs.row(page)).to_be_visible()
    page.get_by_label("Customer").select_option("Acme")
    expect(ours.row(page)).to_be_visible()
    expect(theirs.row(page)).to_have_count(0)
    assert page.url.endswith(f"/?customer={centre.acme.id}")
    expect(page.locator("#queue-rows")).to_contain_text("Support")
    ours.row(page).click()
    expect(page.locator("#story-steps .title")).to_have_text(["Ringing"])
    page.reload()
    expect(page.locator("#story-steps .title")).to_have_text(["Ringing"])
    expect_live(page)
    centre.publish(ours.answered())
    expect(ours.row(page)).to_contain_text("Answered")
    assert "Globex's caller" not in page.content()
    # Others cannot choose a customer, not even by the address.
    watch(page, centre, f"?customer={centre.globex.id}")
    expect(ours.row(page)).to_be_visible()
    expect(page.get_by_label("Customer")).to_be_hidden()
    assert page.url == f"{centre.gateway.url}/"
    centre.publish(ours.ended())
    centre.publish(theirs.ended(), whose=centre.globex)


def test_axe_finds_no_violation(page: Page, centre: Centre) -> None:
    queue, agent = centre.acme.queues[0], centre.acme.people[0]
    waiting, talking, offered, rings, gone = (
        Call(name) for name in ("Waits", "Talks", "Offered", "Rings", "Gone")
    )
    centre.publish(
        *(call.created() for call in (waiting, talking, offered, rings, gone)),
        *(call.in_queue("queue.joined", queue) for call in (waiting, talking, offered)),
        offered.event("call.assigned", status="answered", agent_id=agent.id),
        talking.in_queue("queue.connected", queue, agent_id=agent.id, wait_time=3),
        talking.recording("recording.completed", duration=5, reference_url="https://recordings.test/1.wav"),
    )
    centre.agent_is("busy")
    watch(page, centre)
    talking.row(page).click()
    expect(page.get_by_role("link", name="Open")).to_be_visible()
    page.locator("#story-steps summary").first.click()
    centre.publish(gone.ended())
    expect(gone.row(page)).to_contain_text("Ended")
    page.keyboard.press("p")
    expect(page.locator("#paused-banner")).to_be_visible()
    assert violations_light_and_dark(page) == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert violations_light_and_dark(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    expect(page.get_by_role("table", name="Live calls")).to_be_hidden()
    assert violations_light_and_dark(page) == []
    centre.publish(*(call.ended() for call in (waiting, talking, offered, rings)))
