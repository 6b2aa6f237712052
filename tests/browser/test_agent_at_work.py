"""An agent's work around a call: notes, earlier calls, transfers, the day, and being away."""

# Long because the stories of one shift share a gateway.

from __future__ import annotations

import uuid
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import Call, Centre, expect_live, open_with_token, watch
from tests.browser.support.desktop import AtDesk, card, expect_status, message, new_number, thread
from tests.journeys.support.cast import Company, Key, Person, settle
from tests.journeys.support.conversation import post
from tests.subscriptions.support.platform_server import Platform, platform
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def theirs() -> Iterator[Platform]:
    with platform() as server:
        yield server


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways, theirs: Platform) -> Centre:
    """One gateway for all tests: each uses its own callers."""
    return Centre(gateway_of_file(PLATFORM_API_URL=theirs.url))


@pytest.fixture
def desk(centre: Centre, theirs: Platform) -> Iterator[AtDesk]:
    """The granted agent, available."""
    theirs.answers, theirs.requests = [(200, {})], []
    desk = AtDesk(centre, centre.acme.person("granted agent"))
    desk.publish(desk.is_now("available"))
    yield desk
    desk.clear()


def caller(name: str, number: str | None = None) -> Call:
    source = {"type": "tel", "target": number or new_number(), "target_name": name}
    return Call(name, source=source)


def talked(desk: AtDesk, call: Call) -> None:
    """Publish a call that the agent had, up to its end; the agent is busy after it."""
    desk.rings(call)
    desk.talks(call)
    desk.publish(call.event("call.ended", status="hangup", duration=73))


def test_after_a_call_the_note_is_stored_by_ready_and_shown_with_the_next_call(
    page: Page, desk: AtDesk, theirs: Platform, centre: Centre
) -> None:
    number = new_number()
    first = caller("Dana Whitfield", number)
    desk.open(page)
    talked(desk, first)
    expect(page.locator("#no-call-text")).to_contain_text("Wrap-up: 0:0")
    expect(page.locator("#no-call-text")).not_to_contain_text("on its way")
    expect(page.locator("#note-title")).to_have_text("Note on the last call: Dana Whitfield")
    page.get_by_label("Not interested").check()
    page.get_by_label("Note", exact=True).fill("Has bought elsewhere")
    page.get_by_role("button", name="Ready").click()
    expect(page.locator("#note-status")).to_have_text("Saved")
    expect_status(page, "Available")
    assert theirs.requests[-1][2]["status"] == "available"
    row = page.locator("#recent-rows li").first
    expect(row).to_contain_text("Ended · 1:13")
    expect(row).to_contain_text("Not interested Has bought elsewhere")
    # With the next call of the same number, for an agent who did not have the first.
    other = AtDesk(centre, centre.acme.person("agent"))
    second = caller("Dana Whitfield", number)
    other.rings(second)
    other.open(page)
    expect(card(page, second).locator(".earlier li")).to_have_count(1)
    expect(card(page, second).locator(".earlier")).to_contain_text("Not interested")
    expect(card(page, second).locator(".earlier")).to_contain_text("Has bought elsewhere")
    expect(card(page, second).locator(".earlier")).to_contain_text("1:13")
    address = f"https://crm.example.com/search?q=%2B{number[1:]}&name=Dana%20Whitfield"
    expect(card(page, second).get_by_role("link", name="Open in the CRM")).to_have_attribute("href", address)
    other.ends(second)
    # And in the timeline of the dashboard.
    watch(page, centre, f"?call={first.id}")
    expect(page.get_by_text("Noted by granted agent")).to_be_visible()
    expect(page.get_by_text("Not interested: Has bought elsewhere")).to_be_visible()


def test_a_note_that_is_not_saved_survives_a_reload_and_another_call(page: Page, desk: AtDesk) -> None:
    first, second = caller("Omar Haddad"), caller("Lena Fischer")
    desk.open(page)
    talked(desk, first)
    page.get_by_label("Note", exact=True).fill("Half a")
    page.reload()
    expect_live(page)
    expect(page.get_by_label("Note", exact=True)).to_have_value("Half a")
    desk.rings(second)
    desk.talks(second)
    expect(page.locator("#note-title")).to_have_text("Note: Lena Fischer")
    expect(page.get_by_label("Note", exact=True)).to_have_value("")
    page.get_by_role("button", name="Note on the call with Omar Haddad").click()
    expect(page.get_by_label("Note", exact=True)).to_have_value("Half a")
    page.get_by_label("Note", exact=True).fill("Half a sentence")
    page.get_by_role("button", name="Save note").click()
    expect(page.locator("#note-status")).to_have_text("Saved")
    expect(page.locator("#recent-rows li").first).to_contain_text("Half a sentence")
    expect(page.get_by_role("button", name="Save note")).to_be_disabled()


def test_a_note_that_does_not_fit_is_refused_whole_and_holds_the_agent_back(page: Page, desk: AtDesk) -> None:
    call = caller("Noor Ali")
    desk.open(page)
    talked(desk, call)
    expect(page.locator("#note-title")).to_have_text("Note on the last call: Noor Ali")
    note, save = page.get_by_label("Note", exact=True), page.get_by_role("button", name="Save note")
    note.evaluate(
        "(field, text) => { field.focus(); document.execCommand('insertText', false, text); }", "☎" * 2001
    )
    expect(page.locator("#note-length")).to_have_text("1 character too many")
    expect(save).to_be_disabled()
    page.get_by_role("button", name="Ready").click()
    expect(note).to_be_focused()
    expect_status(page, "Busy")
    note.fill("😀" * 2000)  # As many characters as fit, of two code units each.
    page.get_by_role("button", name="Ready").click()
    expect(page.locator("#note-status")).to_have_text("Saved")
    expect_status(page, "Available")


def test_a_note_that_two_tabs_write_shows_what_it_would_replace(page: Page, desk: AtDesk) -> None:
    call = caller("Tim Berg")
    other = page.context.new_page()
    for tab in (page, other):
        desk.open(tab)
    talked(desk, call)
    for tab in (page, other):
        expect(tab.locator("#note-title")).to_have_text("Note on the last call: Tim Berg")
    page.get_by_label("Note", exact=True).fill("Of the first tab")
    other.get_by_label("Note", exact=True).fill("Of the second tab")
    other.get_by_role("button", name="Save note").click()
    expect(other.locator("#note-status")).to_have_text("Saved")
    status = page.locator("#note-status")
    expect(status).to_have_text("Changed elsewhere meanwhile. Your text replaces it: Of the second tab")
    expect(page.get_by_label("Note", exact=True)).to_have_value("Of the first tab")
    # One tab ends the wrap-up, and the other one follows.
    page.get_by_role("button", name="Ready").click()
    expect(status).to_have_text("Saved")
    for tab in (page, other):
        expect_status(tab, "Available")
        expect(tab.get_by_label("Note", exact=True)).to_have_value("Of the first tab")
    other.close()


def test_a_refusal_is_shown_until_the_call_goes_on(page: Page, desk: AtDesk, theirs: Platform) -> None:
    call = caller("Noor Ali")
    desk.open(page)
    desk.rings(call)
    theirs.answers = [(409, {"message": "It does not ring there any more"})]
    shown = card(page, call)
    shown.get_by_role("button", name="Accept").click()
    expect(shown.locator(".error")).to_contain_text("It does not ring there any more")
    desk.talks(call)  # Another tab has accepted it.
    expect(shown).to_have_attribute("data-phase", "talking")
    expect(shown.locator(".error")).to_have_text("")


def test_a_call_is_transferred_to_a_colleague_with_a_status_or_to_a_number(
    page: Page, desk: AtDesk, theirs: Platform, centre: Centre
) -> None:
    ann = centre.acme.person("agent")
    centre.publish({"event_type": "agent.status", "data": {"agent_id": ann.id, "status": "away"}})
    call = caller("Ines Costa")
    desk.open(page)
    desk.rings(call)
    desk.talks(call)
    shown = card(page, call)
    choices = shown.get_by_label("Transfer to")
    expect(choices.locator("option")).to_have_text(["Support", "Support", "agent (away)", "A number…"])
    choices.select_option(label="agent (away)")
    shown.get_by_role("button", name="Transfer", exact=True).click()
    wait_until(lambda: theirs.requests and theirs.requests[-1][1].endswith("/transfer"), "the transfer")
    assert theirs.requests[-1][2]["to"] == {"type": "agent", "id": ann.id}
    desk.publish(call.event("call.assigned", agent_id=ann.id))
    expect(shown).to_have_count(0)
    again = caller("Ines Costa")
    desk.rings(again)
    desk.talks(again)
    shown = card(page, again)
    # Also on a page that has the call before it knows the targets, the first is chosen.
    page.reload()
    expect(shown.locator("select option")).to_have_count(4)
    assert shown.locator("select").evaluate("select => select.selectedIndex") == 0
    shown.get_by_label("Transfer to").select_option(label="A number…")
    transfer = shown.get_by_role("button", name="Transfer", exact=True)
    expect(transfer).to_be_disabled()
    shown.get_by_label("Telephone number").fill("+1 555 010 0199")
    theirs.answers = [(409, {"message": "This number is barred"})]
    transfer.click()
    expect(shown.locator(".error")).to_contain_text("This number is barred")
    assert theirs.requests[-1][2]["to"] == {"type": "tel", "id": "+15550100199"}
    # The red button stands apart from the others.
    places = [shown.get_by_role("button", name=name).bounding_box() for name in ("Hang up", "Transfer")]
    hang_up, others = (place for place in places if place is not None)
    assert hang_up["x"] > others["x"] + others["width"] + 40 or hang_up["y"] > others["y"] + others["height"]


def test_an_agent_is_away_with_a_reason_and_sees_who_else_sets_the_status(
    page: Page, desk: AtDesk, centre: Centre
) -> None:
    desk.open(page)
    reasons = page.get_by_role("group", name="Reason for being away")
    expect(reasons).to_be_hidden()
    page.get_by_role("button", name="Away").click()
    expect(reasons.get_by_role("button")).to_have_text(["Lunch 30 min", "Meeting"])
    reasons.get_by_role("button", name="Lunch").click()
    detail = page.locator("#status-detail")
    expect(detail).to_contain_text("Lunch · back at ")
    expect(reasons.get_by_role("button", name="Lunch")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect_live(page)
    expect(detail).to_contain_text("Lunch · back at ")
    expect(detail).not_to_contain_text("set by")
    httpx.put(
        f"{centre.gateway.url}/v1.0/agents/{desk.person.id}/status",
        json={"status": "offline"},
        headers={"Authorization": f"Bearer {centre.acme.token('manager')}"},
        timeout=30,
    ).raise_for_status()
    expect_status(page, "Offline")
    expect(detail).to_have_text("set by manager")
    expect(reasons).to_be_hidden()
    desk.publish(desk.is_now("available"))
    expect(detail).to_have_text("")


def test_the_day_counts_what_the_agent_handled_and_missed(page: Page, centre: Centre) -> None:
    new = Person(f"nora {uuid.uuid4().hex[:6]}")
    firm = Company("Initech", [new], [Key("that publishes", may_subscribe=False, may_publish=True)])
    settle(centre.gateway, firm)
    call = caller("Dana Whitfield")
    named = {"agent_id": new.id}

    def publish(*items: dict[str, object]) -> None:
        assert post(centre.gateway, firm.key("that publishes"), list(items)).status_code == 201

    open_with_token(page, f"{centre.gateway.url}/agent", new.token)
    expect_live(page)
    expect(page.locator("#my-day dd")).to_have_text(["0", "0:00", "0"])
    publish(
        call.event("call.assigned", status="ringing", **named), call.event("call.status", status="answered")
    )
    publish(call.event("call.ended", status="hangup", duration=73))
    expect(page.locator("#my-day dd")).to_have_text(["1", "1:13", "0"])
    missed = caller("Omar Haddad")
    publish(missed.event("call.assigned", status="ringing", **named))
    publish(missed.event("call.ended", status="canceled"))
    expect(page.locator("#my-day dd")).to_have_text(["1", "1:13", "1"])
    # Without reasons and dispositions of the customer there is nothing to choose from.
    expect(page.locator("#dispositions")).to_be_hidden()


def test_a_message_is_written_to_a_new_number_and_to_a_caller(
    page: Page, desk: AtDesk, theirs: Platform
) -> None:
    number = new_number()
    call = caller("Dina Weiss")
    desk.open(page)
    page.get_by_role("button", name="New message").click()
    page.get_by_label("Number to write to").fill("nobody")
    page.keyboard.press("Enter")
    expect(page.locator("#new-error")).to_contain_text("Write a telephone number")
    page.get_by_label("Number to write to").fill(f"+1 ({number[2:5]}) {number[5:8]}-{number[8:]}")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reply")).to_be_focused()
    page.keyboard.type("Your parcel is here")
    page.keyboard.press("Enter")
    wait_until(lambda: theirs.requests and theirs.requests[-1][1] == "/v1.0/messages", "the message")
    assert theirs.requests[-1][2]["destinations"] == [{"type": "tel", "target": number}]
    desk.publish(message(number, "Your parcel is here", inbound=False))
    expect(page.locator("#bubbles li")).to_have_count(1)
    talked(desk, call)
    page.get_by_role("button", name="Message to Dina Weiss").click()
    expect(page.locator("#thread-name")).to_have_text("Dina Weiss")
    page.get_by_role("button", name="Greeting").click()
    target = call.data["source"]["target"]
    text = f"Hello Dina Weiss, this is granted agent. We have your number {target}."
    expect(page.get_by_label("Reply")).to_have_value(text)


def test_conversations_are_searched_also_in_what_the_page_does_not_have(page: Page, desk: AtDesk) -> None:
    number, word = new_number(), uuid.uuid4().hex[:8]
    desk.publish(message(number, f"Where is my {word}?", name="Jürgen Groß"))
    desk.publish(*[message(number, f"More {count}") for count in range(120)])
    desk.publish(*[message(new_number(), "Something else") for _ in range(3)])
    desk.open(page)
    row = thread(page, number)
    expect(row).to_contain_text("More 119")
    search = page.get_by_label("Search in conversations")
    search.fill(word.upper())
    expect(page.locator("#thread-rows li")).to_have_count(1)
    expect(row).to_contain_text(f"Found: Where is my {word}?")
    row.click()
    expect(page.locator("#bubbles li")).to_have_count(100)
    page.get_by_role("button", name="Show earlier messages").click()
    expect(page.locator("#bubbles li")).to_have_count(121)
    expect(page.locator("#bubbles li").first).to_contain_text(word)
    expect(page.get_by_role("button", name="Show earlier messages")).to_be_hidden()
    search.fill("no such text")
    expect(page.locator("#no-threads")).to_have_text("No conversation has this text.")
    search.fill("groß")
    expect(row).to_be_visible()
    search.fill("")
    expect(page.locator("#thread-rows li").nth(1)).to_be_visible()
