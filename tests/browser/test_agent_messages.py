"""The messages of the agent desktop: threads, replies, automatic messages, STOP, and drafts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import PASSWORD, Centre, expect_live
from tests.browser.support.desktop import AtDesk, message, new_number, thread
from tests.journeys.support.cast import token_of
from tests.subscriptions.support.platform_server import Platform, platform
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

QUICK = "We will call you back shortly."


@pytest.fixture(scope="module")
def theirs() -> Iterator[Platform]:
    with platform() as server:
        yield server


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways, theirs: Platform) -> Centre:
    """One gateway for all tests: each uses its own number."""
    return Centre(gateway_of_file(PLATFORM_API_URL=theirs.url))


@pytest.fixture
def desk(centre: Centre, theirs: Platform) -> AtDesk:
    theirs.answers, theirs.requests = [(200, {})], []
    return AtDesk(centre, centre.acme.person("granted agent"))


def test_a_conversation_before_and_after_the_page_was_opened(page: Page, desk: AtDesk) -> None:
    number = new_number()
    desk.publish(message(number, "What are your hours?", name="Dana Whitfield"))
    desk.publish(message(number, "We are open from 9 to 5.", inbound=False, automatic=True))
    desk.open(page)
    row = thread(page, number)
    expect(row).to_contain_text("Dana Whitfield")
    expect(row).to_contain_text("Automatic: We are open from 9 to 5.")
    row.click()
    bubbles = page.locator("#bubbles li")
    expect(bubbles.nth(0)).to_contain_text("What are your hours?")
    expect(bubbles.nth(1)).to_contain_text("Automatic")
    expect(bubbles.nth(1)).to_contain_text("on its way")
    desk.publish(message(number, "Thanks!"))
    expect(bubbles.nth(2)).to_contain_text("Thanks!")
    expect(bubbles.nth(2)).not_to_contain_text("Automatic")


def test_the_delivery_status_of_a_message_is_shown(page: Page, desk: AtDesk) -> None:
    number = new_number()
    sent = message(number, "Your parcel comes.", inbound=False)
    desk.publish(sent)
    desk.open(page)
    thread(page, number).click()
    expect(page.locator("#bubbles li")).to_contain_text("on its way")
    delivery = {"event_type": "message.delivery", "data": {"id": sent["data"]["id"], "status": "undelivered"}}
    desk.publish(delivery)
    expect(page.locator("#bubbles li")).to_contain_text("undelivered")


def test_a_new_message_has_a_toast_and_counts_until_it_is_read(page: Page, desk: AtDesk) -> None:
    number = new_number()
    desk.open(page)
    desk.publish(message(number, "Hello?", name="Omar"), message(number, "Anybody?", name="Omar"))
    expect(thread(page, number)).to_contain_text("2 unread")
    expect(page.locator("#toasts")).to_contain_text("Message from Omar")
    thread(page, number).click()
    expect(thread(page, number)).not_to_contain_text("unread")


def test_a_quick_reply_is_sent_and_then_shown(page: Page, desk: AtDesk, theirs: Platform) -> None:
    number = new_number()
    desk.publish(message(number, "Please call me"))
    desk.open(page)
    thread(page, number).click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Call back").click()
    expect(page.get_by_label("Reply")).to_have_value(QUICK)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reply")).to_have_value("")
    request = theirs.requests[-1]
    assert request[:2] == ("POST", "/v1.0/messages")
    assert request[2]["destinations"] == [{"type": "tel", "target": number}]
    assert (request[2]["text"], request[2]["automatic"]) == (QUICK, False)
    desk.publish(message(number, QUICK, inbound=False))
    expect(page.locator("#bubbles li").last).to_contain_text(QUICK)


def test_a_refused_message_shows_the_error_and_keeps_the_draft(
    page: Page, desk: AtDesk, theirs: Platform
) -> None:
    number = new_number()
    desk.publish(message(number, "Please call me"))
    desk.open(page)
    thread(page, number).click()
    theirs.answers = [(402, {"message": "No credit left"})]
    page.get_by_label("Reply").fill("A long answer")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#composer-error")).to_contain_text("No credit left")
    expect(page.get_by_label("Reply")).to_have_value("A long answer")


def test_after_stop_no_reply_is_possible_until_start(page: Page, desk: AtDesk, theirs: Platform) -> None:
    number = new_number()
    desk.publish(message(number, "STOP", name="Maeve"))
    desk.open(page)
    expect(thread(page, number)).to_contain_text("Opted out")
    thread(page, number).click()
    expect(page.locator("#opted-out")).to_contain_text("Maeve wrote STOP")
    expect(page.locator("#opted-out")).to_contain_text("You can reply after this number sends START")
    expect(page.get_by_label("Reply")).to_be_hidden()
    desk.publish(message(number, "Start"))
    expect(page.locator("#opted-out")).to_be_hidden()
    expect(page.get_by_label("Reply")).to_be_visible()
    desk.publish(message(number, " unsubscribe. "))
    expect(page.get_by_label("Reply")).to_be_hidden()
    assert theirs.requests == []


def test_an_opt_out_unknown_to_the_page_is_shown_when_it_sends(page: Page, desk: AtDesk) -> None:
    number = new_number()
    desk.publish(message(number, "Hello"))
    desk.open(page)
    thread(page, number).click()
    page.get_by_label("Reply").fill("Hello to you")
    # As if STOP were older than the loaded messages.
    page.route("**/v1.0/ws*", lambda route: route.abort())
    held = (
        f"from subscriptions.models import OptOut; from django.utils import timezone; "
        f"OptOut.objects.create(customer_id='{desk.centre.acme.id}', number='{number}', since=timezone.now())"
    )
    desk.centre.gateway.manage("shell", "--command", held)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#opted-out")).to_contain_text("You can reply after this number sends START")


def test_drafts_survive_a_reload_and_a_reconnect_until_the_agent_signs_out(
    page: Page, gateway: Gateways, theirs: Platform
) -> None:
    serving = gateway(PLATFORM_API_URL=theirs.url)
    centre = Centre(serving)
    desk = AtDesk(centre, centre.acme.person("granted agent"))
    one, other = new_number(), new_number()
    desk.publish(message(one, "First"), message(other, "Second"))
    desk.open(page)
    thread(page, one).click()
    page.get_by_label("Reply").fill("Dear First, ")
    thread(page, other).click()
    expect(page.get_by_label("Reply")).to_have_value("")
    expect(thread(page, one)).to_contain_text("Draft: Dear First,")
    page.get_by_label("Reply").fill("Dear Second, ")
    serving.kill()
    expect(page.locator("#composer")).to_contain_text("until the connection is restored")
    page.get_by_label("Reply").press_sequentially("more", delay=0)
    serving.restart()
    expect_live(page)
    expect(page.get_by_label("Reply")).to_have_value("Dear Second, more")
    page.reload()
    expect_live(page)
    thread(page, one).click()
    expect(page.get_by_label("Reply")).to_have_value("Dear First, ")
    page.get_by_role("button", name="Sign out").click()
    assert page.evaluate("() => sessionStorage.length") == 0
    desk.sign_in(page)
    thread(page, one).click()
    expect(page.get_by_label("Reply")).to_have_value("")


def test_a_token_that_expires_asks_for_another_sign_in_and_keeps_the_draft(page: Page, desk: AtDesk) -> None:
    number = new_number()
    desk.publish(message(number, "Hello?"))
    desk.open(page)
    thread(page, number).click()
    page.get_by_label("Reply").fill("Dear Dana, ")
    expiring = token_of(desk.person.id, exp=time.time() + 3)
    page.evaluate("token => sessionStorage.setItem('voipbin.token', token)", expiring)
    page.reload()
    expect(page.get_by_text("Sign in again.")).to_be_visible()
    expect(page.locator("#desk-view")).to_be_hidden()
    assert page.locator("#thread-rows li").count() == 0
    page.get_by_label("User name").fill(desk.person.name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect_live(page)
    thread(page, number).click()
    expect(page.get_by_label("Reply")).to_have_value("Dear Dana, ")


def test_an_agent_without_access_to_messages_sees_the_reason(page: Page, desk: AtDesk) -> None:
    desk.publish(message(new_number(), "Somebody private"))
    AtDesk(desk.centre, desk.centre.acme.person("agent")).open(page)
    expect(page.locator("#no-threads")).to_contain_text("You do not have access to messages")
    assert "Somebody private" not in page.content()


def test_hostile_messages_are_shown_as_text(page: Page, desk: AtDesk) -> None:
    markup = '<img src=x onerror="window.harmed = 1"></script><script>window.harmed = 1</script>'
    texts = [markup, "\u202eevil\u2066", "x" * 10_000, "line\nline", None, 7, {"a": 1}, ""]
    number = new_number()
    desk.publish(*(message(number, text, name=markup, automatic=markup) for text in texts))
    odd = {"id": "odd", "source": {"target": [markup]}, "text": markup}
    desk.publish({"event_type": "message.received", "data": odd})
    desk.open(page)
    thread(page, number).click()
    expect(page.locator("#bubbles li")).to_have_count(len(texts))
    expect(page.locator("#bubbles li").first).to_contain_text("<img src=x onerror=")
    assert page.evaluate("() => window.harmed") is None
    assert page.locator("img").count() == 0
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_a_name_of_a_prototype_is_a_number_like_any_other(page: Page, desk: AtDesk, theirs: Platform) -> None:
    desk.publish(message("constructor", "Hello"), message("__proto__", "Hello"))
    desk.open(page)
    for number in ("constructor", "__proto__"):
        thread(page, number).click()
        expect(page.get_by_label("Reply")).to_have_value("")
        page.get_by_label("Reply").fill(f"To {number}")
    thread(page, "constructor").click()
    expect(page.get_by_label("Reply")).to_have_value("To constructor")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#composer-error")).to_contain_text("a telephone number such as")
    wait_until(lambda: theirs.requests == [], "nothing to be sent")
