"""Acting on the dashboard: on calls from the row, the timeline and by keyboard, and on agents."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.support.accessibility import violations_light_and_dark
from tests.browser.support.centre import Call, Centre, expect_live, open_with_token, watch
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
    return Centre(gateway_of_file(PLATFORM_API_URL=theirs.url, PLATFORM_ANSWER_SECONDS="2"))


@pytest.fixture
def orders(theirs: Platform) -> Platform:
    """The platform, which accepts every request."""
    theirs.answers, theirs.requests = [(200, {})], []
    return theirs


@pytest.fixture
def call(centre: Centre) -> Iterator[Call]:
    """A call that waits in Support."""
    call = Call(f"Dana {uuid.uuid4().hex[:6]}")
    centre.publish(call.created(), call.in_queue("queue.joined", centre.acme.queues[0]))
    yield call
    centre.publish(call.ended())


def state(call: Call, page: Page) -> Locator:
    return call.row(page).locator(".state")


def agent_row(page: Page, agent_id: str) -> Locator:
    return page.locator(f"#agent-rows [data-agent='{agent_id}']")


def act(page: Page, call: Call, label: str) -> None:
    """Choose an action in the menu of a call's row."""
    call.row(page).get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name=label).click()


def test_hanging_up_is_confirmed_and_pending_until_the_event(
    page: Page, centre: Centre, orders: Platform, call: Call
) -> None:
    watch(page, centre)
    name = call.data["source"]["target_name"]
    act(page, call, "Hang up…")
    dialog = page.get_by_role("alertdialog", name=f"Hang up on {name}?")
    dialog.get_by_role("button", name="Cancel").click()
    assert orders.requests == []
    act(page, call, "Hang up…")
    dialog.get_by_role("button", name="Hang up").click()
    expect(state(call, page)).to_have_text("Hanging up…")
    expect(dialog).to_be_hidden()
    call.row(page).get_by_role("button", name="Actions").click()
    expect(page.get_by_role("menuitem", name="Hang up…")).to_be_disabled()
    page.keyboard.press("Escape")
    centre.publish(call.ended())
    expect(state(call, page)).to_have_text("Ended")
    (method, path, body, _), *more = wait_until(lambda: orders.requests, "the order")
    assert (method, path, more) == ("POST", f"/v1.0/calls/{call.id}/hangup", [])
    assert body["agent_id"] == centre.acme.person("manager").id


def test_a_refusal_is_shown_with_its_reason_and_can_be_tried_again(
    page: Page, centre: Centre, orders: Platform, call: Call
) -> None:
    watch(page, centre, f"?call={call.id}")
    orders.answers = [(409, {"message": "The trunk is down"}), (200, {})]
    panel = page.locator("#story")

    def send_to_voicemail() -> None:
        panel.get_by_role("button", name="Voicemail…").click()
        page.get_by_role("button", name="Send to voicemail").click()

    send_to_voicemail()
    expect(page.locator("#notice")).to_contain_text("The trunk is down")
    expect(state(call, page)).to_have_text("Waiting")
    send_to_voicemail()
    expect(panel.locator("#story-pending")).to_have_text("Sending to voicemail…")
    expect(page.locator("#notice")).to_be_hidden()
    centre.publish(call.in_queue("queue.left", centre.acme.queues[0], reason="voicemail"))
    expect(panel.locator("#story-pending")).to_have_text("")


def test_a_call_is_transferred_to_a_queue_an_agent_or_a_number(
    page: Page, centre: Centre, orders: Platform, call: Call
) -> None:
    agent = centre.acme.people[0]
    watch(page, centre, f"?call={call.id}")
    dialog = page.get_by_role("dialog", name="Transfer ")
    target, number = dialog.get_by_label("To"), dialog.get_by_label("Phone number")
    expect(page.locator("#story")).to_be_focused()
    page.keyboard.press("t")
    expect(dialog).to_be_visible()
    # Where the call waits already is no target.
    assert f"queue {centre.acme.queues[0]}" not in target.inner_html()
    target.select_option(f"agent {agent.id}")
    dialog.get_by_role("button", name="Transfer").click()
    expect(state(call, page)).to_have_text("Transferring…")
    centre.publish(call.event("call.assigned", status="ringing", agent_id=agent.id))
    expect(state(call, page)).to_have_text("Connecting")
    page.keyboard.press("t")
    target.select_option("number")
    number.fill("0")
    number.press("Enter")
    expect(dialog).to_contain_text("Enter a phone number")
    number.fill("+49 40 1234-567")
    number.press("Enter")
    expect(state(call, page)).to_have_text("Transferring…")
    centre.publish(call.event("call.assigned", status="answered", agent_id=centre.acme.person("manager").id))
    expect(state(call, page)).not_to_have_text("Transferring…")
    wait_until(lambda: len(orders.requests) == 2, "both orders")
    assert [body["to"] for _, _, body, _ in orders.requests] == [
        {"type": "agent", "id": agent.id},
        {"type": "tel", "id": "+49401234567"},
    ]


def test_an_action_whose_event_does_not_come_is_reported(
    page: Page, centre: Centre, orders: Platform, call: Call
) -> None:
    watch(page, centre, f"?call={call.id}")
    page.keyboard.press("h")
    page.get_by_role("alertdialog").get_by_role("button", name="Hang up").click()
    expect(state(call, page)).to_have_text("Hanging up…")
    expect(page.locator("#notice")).to_contain_text("nothing has changed yet")
    expect(state(call, page)).to_have_text("Waiting")


def test_a_dialog_closes_when_its_call_ends(page: Page, centre: Centre, call: Call) -> None:
    watch(page, centre, f"?call={call.id}")
    page.keyboard.press("h")
    expect(page.get_by_role("alertdialog")).to_be_visible()
    centre.publish(call.ended())
    expect(page.get_by_role("alertdialog")).to_be_hidden()
    expect(page.locator("#notice")).to_contain_text("The call has ended")


def test_a_status_is_chosen_and_shown_once_its_event_comes(
    page: Page, centre: Centre, orders: Platform
) -> None:
    agent = centre.acme.people[0]
    centre.agent_is("available")
    watch(page, centre)
    row = agent_row(page, agent.id)
    expect(row.locator(".status")).to_have_text("available")
    row.get_by_role("button", name=f"Actions on {agent.name}").click()
    expect(page.get_by_role("menuitemradio", name="Available")).to_be_disabled()
    page.keyboard.press("Enter")
    expect(row.locator(".status")).to_have_text("away")
    orders.answers = [(200, {"status": "busy"})]
    row.get_by_role("button").click()
    page.get_by_role("menuitemradio", name="Offline").click()
    expect(page.locator("#notice")).to_contain_text("Offline after the present call.")
    expect(row.locator(".status")).to_have_text("away")
    assert [(path, body["status"]) for _, path, body, _ in orders.requests] == [
        (f"/v1.0/agents/{agent.id}/status", "away"),
        (f"/v1.0/agents/{agent.id}/status", "offline"),
    ]


def test_an_agent_is_signed_out_of_its_desktop(pages: Pages, centre: Centre) -> None:
    agent = centre.acme.person("granted agent")
    board, desk = pages.open(), pages.open()
    open_with_token(desk, f"{centre.gateway.url}/agent", agent.token)
    expect_live(desk)
    watch(board, centre)
    agent_row(board, agent.id).get_by_role("button").click()
    board.get_by_role("menuitem", name="Sign out…").click()
    board.get_by_role("alertdialog").get_by_role("button", name="Sign out").click()
    expect(board.locator("#notice")).to_contain_text("Signed out everywhere.")
    expect(desk.get_by_label("Password")).to_be_visible()


def test_who_may_not_act_sees_no_control(pages: Pages, centre: Centre, call: Call) -> None:
    page = pages.open()
    watch(page, centre, f"?call={call.id}", token=centre.acme.key("of the customer"))
    expect(call.row(page)).to_be_visible()
    for selector in (".c-act", "#story-acts", "#agent-rows .act"):
        assert page.locator(selector).locator("visible=true").count() == 0, selector
    page.locator("#story").press("h")
    expect(page.get_by_role("alertdialog")).to_have_count(0)


def test_nothing_can_be_done_while_the_page_is_paused(page: Page, centre: Centre, call: Call) -> None:
    watch(page, centre, f"?call={call.id}")
    page.keyboard.press("p")
    expect(page.locator("#paused-banner")).to_be_visible()
    expect(page.locator("#story-hangup")).to_be_disabled()
    call.row(page).get_by_role("button", name="Actions").click()
    expect(page.get_by_role("menuitem", name="Transfer…")).to_be_disabled()


def test_axe_finds_no_violation_in_menus_dialogs_and_notices(
    page: Page, centre: Centre, orders: Platform, call: Call
) -> None:
    watch(page, centre)
    page.locator("#agent-rows .act").locator("visible=true").first.click()
    expect(page.get_by_role("menu")).to_be_visible()
    assert violations_light_and_dark(page) == []
    page.keyboard.press("Escape")
    call.row(page).get_by_role("button", name="Timeline").click()
    expect(page.locator("#story-acts")).to_be_visible()
    page.keyboard.press("t")
    page.get_by_label("To", exact=True).select_option("number")
    page.get_by_role("button", name="Transfer", exact=True).click()
    expect(page.locator("#transfer-error")).not_to_be_empty()
    assert violations_light_and_dark(page) == []
    page.keyboard.press("Escape")
    orders.answers = [(409, {"message": "The trunk is down"})]
    page.keyboard.press("h")
    expect(page.get_by_role("alertdialog")).to_be_visible()
    assert violations_light_and_dark(page) == []
    page.get_by_role("alertdialog").get_by_role("button", name="Hang up").click()
    expect(page.locator("#notice")).to_be_visible()
    assert violations_light_and_dark(page) == []
