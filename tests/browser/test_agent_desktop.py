"""The agent desktop for calls, in Chromium, with a real gateway and a scripted platform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import Call, Centre, expect_live
from tests.browser.support.desktop import COUNT_TONES, AtDesk, card, expect_status
from tests.subscriptions.support.platform_server import Platform, platform
from tests.support.browser import Pages
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def theirs() -> Iterator[Platform]:
    with platform() as server:
        yield server


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways, theirs: Platform) -> Centre:
    """One gateway for the tests that leave it running."""
    return Centre(gateway_of_file(PLATFORM_API_URL=theirs.url, PLATFORM_ANSWER_SECONDS="1"))


@pytest.fixture
def desk(centre: Centre, theirs: Platform) -> Iterator[AtDesk]:
    """The granted agent, available, with a platform that accepts every request."""
    theirs.answers, theirs.requests = [(200, {})], []
    desk = AtDesk(centre, centre.acme.person("granted agent"))
    desk.publish(desk.is_now("available"))
    yield desk
    desk.clear()


# --- Session and status ---


def test_an_agent_signs_in_and_signing_out_leaves_nothing_behind(page: Page, desk: AtDesk) -> None:
    call = Call("Somebody private")
    desk.rings(call)
    desk.sign_in(page)
    expect(page.locator("#person")).to_have_text("granted agent")
    expect(card(page, call)).to_contain_text("Somebody private")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    assert "Somebody private" not in page.content()
    assert page.evaluate("() => sessionStorage.length") == 0
    desk.ends(call)


def test_the_status_is_chosen_and_the_platforms_status_is_shown(
    page: Page, desk: AtDesk, theirs: Platform
) -> None:
    desk.open(page)
    expect_status(page, "Available")
    page.get_by_role("button", name="Away").click()
    expect_status(page, "Away")
    expect(page.get_by_role("button", name="Away")).to_have_attribute("aria-pressed", "true")
    assert [(method, body["status"]) for method, _, body, _ in theirs.requests] == [("PUT", "away")]
    page.reload()
    expect_live(page)
    expect_status(page, "Away")
    expect(page.locator("#status-time")).not_to_have_text("")
    desk.publish(desk.is_now("busy"))
    expect_status(page, "Busy")
    expect(page.get_by_role("button", name="Away")).to_have_attribute("aria-pressed", "false")
    theirs.answers = [(200, {"status": "busy", "next_status": "offline"})]
    page.get_by_role("button", name="Offline").click()
    expect(page.locator("#status-note")).to_have_text("Offline after this call")
    expect_status(page, "Busy")
    desk.publish(desk.is_now("offline"))
    expect(page.locator("#status-note")).to_have_text("")
    desk.publish(desk.is_now("busy"))
    expect_status(page, "Busy")
    theirs.answers = [(409, {"message": "Not today"})]
    page.get_by_role("button", name="Available").click()
    expect(page.locator("#status-error")).to_contain_text("Not today")
    expect_status(page, "Busy")


# --- Calls ---


def test_a_call_waits_rings_is_accepted_and_ends(pages: Pages, desk: AtDesk, theirs: Platform) -> None:
    page = pages.open()
    page.add_init_script(COUNT_TONES)
    desk.open(page)
    # It also sets the status, which would replace that of the call if it came later.
    with page.expect_response("**/status"):
        page.get_by_role("button", name="Start shift").click()
    expect(page.get_by_role("button", name="Sound: on")).to_be_visible()
    armed = page.evaluate("() => window.tones")
    assert armed > 0
    call = Call()
    desk.waits(call)
    expect(page.locator("#waiting-rows")).to_contain_text("Dana Whitfield")
    expect(page.locator("#toasts")).to_contain_text("Dana Whitfield is waiting in Support")
    assert page.evaluate("() => window.tones") > armed
    customer = {
        "name": "Dana Whitfield",
        "queue": "Support",
        "wait": 65,
        "previous_calls": 3,
        "last_purchase": "Desk lamp",
        "loyalty_tier": "gold",
        "newsletter": True,
    }
    desk.rings(call, customer=customer)
    shown = card(page, call)
    expect(shown).to_contain_text("Ringing")
    expect(shown.locator("dl > div")).to_have_text(
        [
            *("QueueSupport", "Waited1:05", "Previous calls3", "Last purchaseDesk lamp"),
            *("Loyalty tiergold", "Newsletteryes"),
        ]
    )
    expect(page.locator("#toasts")).not_to_contain_text("waits")
    expect(page.locator("#alarm")).to_have_text("Dana Whitfield is calling you")
    page.wait_for_function("() => document.title.includes('Dana Whitfield is calling')")
    expect_status(page, "Ringing")
    shown.get_by_role("button", name="Accept").click()
    expect(shown.get_by_role("button", name="Accepting…")).to_be_disabled()
    order = {"customer_id": desk.centre.acme.id, "agent_id": desk.person.id}
    wait_until(
        lambda: theirs.requests[-1] == ("POST", f"/v1.0/calls/{call.id}/accept", order, None), "the order"
    )
    desk.talks(call)
    expect(shown).to_contain_text("Talking")
    expect(shown.get_by_role("button", name="Accept")).to_be_hidden()
    expect(page.locator("#waiting-rows li")).to_have_count(0)
    page.wait_for_function("() => document.title === 'Agent desktop'")
    desk.ends(call)
    expect(shown).to_have_count(0)
    expect(page.locator("#recent-rows li").first).to_contain_text("Dana Whitfield Ended")


def test_a_keyboard_shortcut_accepts_a_call(page: Page, desk: AtDesk, theirs: Platform) -> None:
    desk.open(page)
    call = Call()
    desk.rings(call)
    expect(card(page, call)).to_be_visible()
    page.keyboard.press("Alt+KeyA")
    expect(card(page, call).get_by_role("button", name="Accepting…")).to_be_visible()
    accepting = f"/v1.0/calls/{call.id}/accept"
    wait_until(lambda: theirs.requests and theirs.requests[-1][1] == accepting, "the order")
    desk.ends(call)


def test_a_missed_call_is_shown_as_missed(page: Page, desk: AtDesk) -> None:
    desk.open(page)
    call = Call("Mister Missed")
    desk.rings(call)
    expect(card(page, call)).to_be_visible()
    event = call.event("call.status", status="ringing", agent_id=None, missed_by=desk.person.id)
    desk.publish(event | {"agent_ids": [desk.person.id]}, desk.is_now("away"))
    expect(card(page, call)).to_have_count(0)
    expect(page.locator("#recent-rows li").first).to_contain_text("Mister Missed Missed")
    expect(page.locator("#toasts")).to_contain_text("Missed: Mister Missed")
    page.reload()
    expect_live(page)
    expect(card(page, call)).to_have_count(0)


def test_a_call_is_transferred_and_another_sent_to_voicemail(
    page: Page, desk: AtDesk, theirs: Platform
) -> None:
    desk.open(page)
    call, other = Call("First"), Call("Second")
    desk.rings(call)
    expect(card(page, call).get_by_role("button", name="Transfer")).to_be_disabled()
    desk.talks(call)
    card(page, call).get_by_label("Transfer to").select_option(f"queue {desk.centre.acme.queues[1]}")
    card(page, call).get_by_role("button", name="Transfer").click()
    expect(card(page, call).get_by_role("button", name="Transferring…")).to_be_visible()
    to = {"type": "queue", "id": desk.centre.acme.queues[1]}
    wait_until(lambda: theirs.requests and theirs.requests[-1][2].get("to") == to, "the order")
    left = call.in_queue("queue.left", desk.queue, reason="transferred", agent_id=desk.person.id)
    desk.publish(left, desk.is_now("available"))
    expect(card(page, call)).to_have_count(0)
    expect(page.locator("#recent-rows li").first).to_contain_text("First Transferred")
    desk.rings(other)
    card(page, other).get_by_role("button", name="Voicemail").click()
    expect(card(page, other).get_by_role("button", name="Sending…")).to_be_visible()
    desk.publish(other.in_queue("queue.left", desk.queue, reason="voicemail"), desk.is_now("available"))
    expect(page.locator("#recent-rows li").first).to_contain_text("Second Sent to voicemail")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((409, {"message": "It does not ring there any more"}), "It does not ring there any more"),
        ((500, {}), "answers 500"),
        ((-1, None), "did not answer within 1 s"),
    ],
)
def test_a_failed_action_shows_its_error_and_can_be_repeated(
    page: Page, desk: AtDesk, theirs: Platform, answer: Any, says: str
) -> None:
    desk.open(page)
    call = Call()
    desk.rings(call)
    theirs.answers = [answer, (200, {})]
    accept = card(page, call).get_by_role("button", name="Accept")
    accept.click()
    expect(card(page, call).get_by_role("alert")).to_contain_text(says)
    expect(accept).to_be_enabled()
    accept.click()
    expect(card(page, call).locator(".error")).to_have_text("")
    expect(card(page, call).get_by_role("button", name="Accepting…")).to_be_visible()
    desk.ends(call)


def test_calls_of_other_agents_are_never_shown(page: Page, desk: AtDesk) -> None:
    desk.open(page)
    colleagues, strangers, own = Call("A colleague's"), Call("A stranger's"), Call("My own")
    desk.publish(colleagues.event("call.assigned", agent_id=desk.centre.acme.person("agent").id))
    desk.publish(strangers.event("call.assigned"), whose=desk.centre.globex)
    desk.rings(own)
    expect(card(page, own)).to_be_visible()
    assert "A colleague's" not in page.content()
    assert "A stranger's" not in page.content()
    desk.ends(own)


def test_no_event_is_lost_between_the_state_and_the_subscription(page: Page, desk: AtDesk) -> None:
    staying, ending, beginning = Call("Staying"), Call("Ending"), Call("Beginning")
    desk.rings(staying)
    desk.rings(ending)

    def meanwhile(route: Any) -> None:
        desk.ends(ending)
        desk.rings(beginning)
        desk.publish(staying.event("call.status", status="answered", agent_id=desk.person.id))
        route.continue_()

    # At this point the calls are loaded, and no topic is subscribed yet.
    page.route("**/v1.0/resources/queue?*", meanwhile)
    desk.open(page)
    expect(card(page, beginning)).to_contain_text("Ringing")
    expect(card(page, staying)).to_contain_text("Talking")
    expect(card(page, ending)).to_have_count(0)
    desk.ends(staying)
    desk.ends(beginning)
