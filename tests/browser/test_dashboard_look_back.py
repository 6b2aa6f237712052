"""Looking back: the board as it was, how it went on, and back to live."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.support.accessibility import violations
from tests.browser.support.centre import Call, Centre, expect_live, watch
from tests.support.gateways import Gateways

# --- Without a page ---

PLAY = """async ({ pages, moments }) => {
    const { LookBack } = await import("/dashboard/look-back.js");
    const lookBack = new LookBack();
    const item = { resource_id: "a", active: true, event_type: "call.created", since: "2024-01-15T10:29:00Z",
        updated_at: "2024-01-15T10:29:00Z", cursor: "000000000001.1", state: {}, data: { id: "a" } };
    const me = { queues: [], agents: [{ id: "x", name: "Ann", role: "agent", status: "busy" }] };
    lookBack.begin({ me, calls: [item], queues: [], agents: [] }, Date.parse("2024-01-15T10:30:00Z"), "000000000001.1");
    const found = [];
    for (const moment of moments) {
        if (pages.length) lookBack.add(pages.shift());
        lookBack.clock.set(Date.parse(`2024-01-15T10:${moment}Z`));
        const changed = lookBack.advance();
        const live = [...lookBack.board.calls.values()].filter(({ state }) => state !== "ended").map(({ id }) => id);
        found.push([live.join(), changed, new Date(lookBack.now).toISOString().slice(14, 19)]);
    }
    return { found, cursor: lookBack.cursor, status: [...lookBack.board.agents.values()][0].status };
}"""


def event(event_type: str, moment: str, call_id: str, number: int) -> dict[str, Any]:
    return {
        "event_type": event_type,
        "timestamp": f"2024-01-15T10:{moment}Z",
        "topic": f"customer_id:c:call:{call_id}",
        "data": {"id": call_id},
        "id": str(number),
        "cursor": f"000000000001.{number}",
        **({"active": False} if event_type == "call.ended" else {}),
    }


def test_events_come_in_the_order_of_the_log_when_the_clock_reaches_them(modules: Page) -> None:
    ms = 1705314600000  # 10:30
    pages = [
        {
            "events": [
                event("call.created", "30:10", "b", 2),
                event("call.created", "30:05", "late", 3),
                event("call.ended", "31:00", "a", 4),
            ],
            "cursor": "000000000001.9",
            "next": "000000000001.9.4",
            "readAt": ms + 600_000,
        },
        {"events": [event("call.created", "32:00", "c", 9)], "cursor": "000000000001.9", "next": None}
        | {"readAt": ms + 300_000},
    ]
    result = modules.evaluate(PLAY, {"pages": pages, "moments": ["30:09", "30:10", "33:00", "59:00"]})
    assert result["found"] == [
        ["a", False, "30:09"],
        # Published after the one of 30:10, although it happened before.
        ["a,b,late", True, "30:10"],
        ["b,late,c", True, "33:00"],
        # Later events are not loaded yet: the clock waits.
        ["b,late,c", False, "35:00"],
    ]
    assert result["cursor"] == "000000000001.9"
    # What an agent does now says nothing of then.
    assert result["status"] == ""


HOURS = """async (moments) => {
    const { LookBack } = await import("/dashboard/look-back.js");
    const lookBack = new LookBack();
    return moments.map((moment) => {
        lookBack.clock.set(Date.parse(moment));
        return new Date(lookBack.hour(Infinity).begin).toISOString();
    });
}"""


def test_the_hour_of_a_moment_is_that_of_the_clock_also_when_it_is_repeated(oslo: Page) -> None:
    hours = {
        "2024-10-27T00:30:09.5Z": "2024-10-27T00:00:00.000Z",
        "2024-10-27T01:30:09.5Z": "2024-10-27T01:00:00.000Z",
        "2024-03-31T01:00:00Z": "2024-03-31T01:00:00.000Z",
        "2024-07-15T22:10:00Z": "2024-07-15T22:00:00.000Z",
    }
    assert oslo.evaluate(HOURS, list(hours)) == list(hours.values())


# --- The page ---


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    return Centre(gateway_of_file())


def moment_after(centre: Centre) -> str:
    """Return a moment after all events so far, when it has passed."""
    headers = {"Authorization": f"Bearer {centre.acme.token('manager')}"}
    events = httpx.get(f"{centre.gateway.url}/v1.0/events?order=desc&limit=1", headers=headers).json()
    last = datetime.fromisoformat(events["items"][0]["timestamp"]) + timedelta(milliseconds=20)
    while time.time() < last.timestamp() + 0.02:
        time.sleep(0.01)
    return last.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_past_moment_is_shown_played_and_left(page: Page, centre: Centre) -> None:
    queue = centre.acme.queues[0]
    early, late, now = Call("Early"), Call("Late"), Call("Now")
    centre.publish(early.created(), early.in_queue("queue.joined", queue))
    moment = moment_after(centre)
    centre.publish(early.ended(), late.created(), late.answered())
    moment_after(centre)
    centre.publish(now.created())
    watch(page, centre, f"?at={moment}&view=wall")
    bar = page.get_by_role("region", name="Look back")
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("Not live: ")
    expect(page.locator("#card-waiting")).to_have_text("1")
    page.goto(f"{centre.gateway.url}/?at={moment}")
    expect(bar).to_contain_text("Not live: ")
    expect(page.get_by_role("heading", level=1, name="Past calls")).to_be_visible()
    expect(early.row(page)).to_contain_text("Waiting")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#card-level-note")).to_have_text("no callers, last hour")
    expect(page).to_have_title("Not live: " + datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M:%S"))
    # Nothing of the present is shown, and nothing can be done.
    centre.publish(Call("Later").created())
    page.locator(".agents .act:visible").first.click()
    expect(page.get_by_role("menu")).to_have_text("Not live: nothing can be changed in the past.")
    page.keyboard.press("Escape")
    early.row(page).click()
    expect(page.locator("#story-acts")).to_be_hidden()
    # The timeline ends with the moment: the call ended later.
    expect(page.locator("#story-steps .title")).to_have_text(["Ringing", "Waiting in Support"])
    expect(page.locator("#story-word")).to_have_text("Waiting")
    page.locator("#story-close").click()
    expect(page.locator("#rows tr")).to_have_count(1)
    assert not violations(page)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    # The address leads to the same moment.
    page.reload()
    expect(early.row(page)).to_contain_text("Waiting")
    # So does the dialog, which shows seconds, or an hour that comes twice.
    page.keyboard.press("b")
    with page.expect_request("**/v1.0/states?**") as request:
        page.keyboard.press("Enter")
    assert parse_qs(urlsplit(request.value.url).query)["at"] == [moment]
    expect(page.get_by_role("heading", level=1, name="Past calls")).to_be_visible()
    # The history is that of now.
    page.get_by_role("button", name="History").click()
    expect(bar).to_be_hidden()
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Past calls")).to_be_visible()
    page.get_by_role("button", name="+1 min").click()
    expect_present(page, late, now)
    # By keyboard.
    page.keyboard.press("b")
    dialog = page.get_by_role("dialog", name="Look back")
    dialog.get_by_label("Date and time").fill("2999-01-01T00:00:00")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("This moment is still to come.")
    page.keyboard.press("Escape")
    page.goto(f"{centre.gateway.url}/?at={moment}")
    expect(early.row(page)).to_contain_text("Waiting")
    page.get_by_label("Speed").select_option("20×")
    page.get_by_role("button", name="Play").click()
    # It ends where the present begins.
    expect_present(page, late, now)


def expect_present(page: Page, *calls: Call) -> None:
    expect(page.get_by_role("region", name="Look back")).to_be_hidden()
    for call in calls:
        expect(call.row(page)).to_be_visible()
    assert "at=" not in page.url
    expect(page).to_have_title("Live calls")
    expect_live(page)


def not_kept(route: Route) -> None:
    route.fulfill(status=410, json={"code": "NOT_KEPT", "message": "Choose a later moment"})


def test_others_see_nothing_and_what_is_not_known_is_said(page: Page, centre: Centre) -> None:
    call = Call("Secret")
    centre.publish(call.created())
    moment = moment_after(centre)
    watch(page, centre, f"?at={moment}", centre.globex.token("manager"))
    expect(page.get_by_role("region", name="Look back")).to_contain_text("Not live: ")
    expect(page.locator("#empty")).to_be_visible()
    # Steps add up while a moment is loaded, and the buttons stay under the pointer.
    play = page.get_by_role("button", name="Play")
    before = play.bounding_box()
    play.click()
    assert page.get_by_role("button", name="Stop").bounding_box() == before
    page.get_by_role("button", name="Stop").click()
    page.route("**/v1.0/states?**", lambda route: None)
    steps = []
    for _ in range(2):
        with page.expect_request("**/v1.0/states?**") as request:
            page.get_by_role("button", name="−1 min").click()
        steps.append(datetime.fromisoformat(parse_qs(urlsplit(request.value.url).query)["at"][0]))
    assert steps[0] - steps[1] == timedelta(minutes=1)
    # The dialog says what it does, and forgets what was cancelled.
    page.get_by_role("button", name="Another moment…").click()
    dialog = page.get_by_role("dialog", name="Look back")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).to_have_text("Loading…")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#look-back-note")).to_have_text("")
    page.unroute("**/v1.0/states?**")
    page.get_by_role("button", name="Back to live").click()
    expect(page.get_by_role("region", name="Look back")).to_be_hidden()
    page.goto(f"{centre.gateway.url}/?at=2020-01-01T00:00:00Z")
    expect(page.locator("#look-back-note")).to_have_text("The gateway had not stored any event yet.")
    page.get_by_label("Moment of the hour").press("ArrowRight")
    expect(page.get_by_role("region", name="Look back")).to_contain_text("00:00:10")
    page.route("**/v1.0/states?**", not_kept)
    page.get_by_role("button", name="Another moment…").click()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("Choose a later moment")
    page.unroute("**/v1.0/states?**")
    # A moment to come is the present.
    page.goto(f"{centre.gateway.url}/?at=2999-01-01T00:00:00Z")
    expect(page).not_to_have_url(re.compile("at="))
    page.route("**/v1.0/states?**", not_kept)
    page.goto(f"{centre.gateway.url}/?at={moment}")
    expect(dialog.get_by_role("alert")).to_have_text("Choose a later moment")
