"""The dashboard when the gateway stops, restarts or does not answer."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.support.centre import Call, Centre, expect_live, watch
from tests.support.gateways import Gateways


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    """One gateway, which each test leaves running."""
    return Centre(gateway_of_file())


def expect_live_again(page: Page) -> None:
    """End the pause before the next attempt, as the browser does when the network is back."""
    page.evaluate("() => dispatchEvent(new Event('online'))")
    expect_live(page)


def test_a_lost_connection_is_shown_and_afterwards_nothing_is_missing(
    page: Page, centre: Centre, gateway: Gateways
) -> None:
    first = centre.gateway
    staying, ending, beginning = Call(), Call(), Call()
    centre.publish(staying.created(), ending.created())
    watch(page, centre)
    staying.row(page).click()
    titles = page.locator("#story-steps .title")
    expect(titles).to_have_text(["Ringing"])
    first.kill()
    expect(page.locator("#connection")).to_have_attribute("data-state", "reconnecting")
    banner = page.locator("#stale-banner")
    expect(banner).to_contain_text("Showing data from")
    expect(page.locator("#board-view")).to_have_attribute("data-stale", "")
    # With the banner all numbers are rendered once more, for the time of the last frame.
    page.evaluate("() => new Promise((passed) => setTimeout(passed, 1500))")
    shown = staying.row(page).locator("[data-cell=total]").inner_text()
    page.evaluate("() => new Promise((passed) => setTimeout(passed, 1500))")
    assert staying.row(page).locator("[data-cell=total]").inner_text() == shown
    # Meanwhile another process of the same gateway accepts events.
    second = gateway(database_url=first.database_url)
    meanwhile = (
        ending.ended(),
        beginning.created(),
        staying.answered(),
        staying.recording("recording.started"),
    )
    centre.publish(*meanwhile, via=second)
    first.restart()
    expect_live_again(page)
    expect(banner).to_be_hidden()
    expect(staying.row(page)).to_contain_text("Answered")
    expect(titles).to_have_text(["Ringing", "Answered", "Recording began"])
    expect(beginning.row(page)).to_contain_text("Ringing")
    expect(page.locator(f"[data-call='{ending.id}']:not([data-state=ended])")).to_have_count(0)
    second.kill()


def test_after_a_gap_the_state_is_loaded_again(page: Page, centre: Centre) -> None:
    serving = centre.gateway
    gone, staying = Call(), Call()
    centre.publish(gone.created(), staying.created())
    watch(page, centre)
    serving.kill()
    replaced = (
        "from events.models import *; CustomerLog.objects.update(epoch=new_epoch()); "
        f"ResourceState.objects.filter(resource_id='{gone.id}').delete()"
    )
    serving.manage("shell", "--command", replaced)
    serving.restart()
    expect_live_again(page)
    expect(gone.row(page)).to_have_count(0, timeout=60_000)
    expect(staying.row(page)).to_be_visible()


def test_a_server_that_does_not_answer_makes_the_page_stale(page: Page, centre: Centre) -> None:
    watch(page, centre)
    centre.gateway.stop()
    try:
        expect(page.locator("#stale-banner")).to_be_visible()
    finally:
        centre.gateway.resume()
    expect_live_again(page)
    expect(page.locator("#stale-banner")).to_be_hidden()


# The pages' time limits, a fortieth of what they are.
SHORT_LIMITS = """
const limit = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (milliseconds) => limit(milliseconds / 40);
"""


def test_a_first_request_that_is_never_answered_does_not_stop_the_page(page: Page, centre: Centre) -> None:
    held: list[Route] = []
    page.add_init_script(SHORT_LIMITS)
    page.route("**/v1.0/me", lambda route: route.continue_() if len(held) > 1 else held.append(route))
    watch(page, centre, live=False)
    expect(page.locator("#stale-banner")).to_contain_text("did not answer within 20 seconds. No data yet.")
    expect_live(page)
    expect(page.locator("#stale-banner")).to_be_hidden()
    assert len(held) == 2


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_the_answer_of_a_proxy_ends_no_session(page: Page, centre: Centre, status: int) -> None:
    answers = [status]

    def answer(route: Route) -> None:
        if answers:
            route.fulfill(status=answers[0], content_type="text/html", body="<h1>Network login</h1>")
        else:
            route.continue_()

    page.route("**/v1.0/me", answer)
    watch(page, centre, live=False)
    expect(page.locator("#stale-text")).to_contain_text(f"(status {status}) is not the gateway’s")
    answers.clear()
    expect_live(page)


def test_a_page_that_has_given_up_says_so_and_offers_to_try_again(page: Page, centre: Centre) -> None:
    sockets: list[WebSocketRoute] = []

    def connect(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if len(sockets) == 1:
            socket.on_message(lambda _: socket.close(code=4400, reason="Your messages are not understood"))
        else:
            socket.connect_to_server()

    page.route_web_socket("**/v1.0/ws?*", connect)
    watch(page, centre, live=False)
    expect(page.locator("#connection")).to_have_attribute("data-state", "failed")
    expect(page.locator("#stale-text")).to_contain_text("Your messages are not understood. Showing data from")
    expect(page.locator("#stale-text")).to_contain_text("The page does not try again by itself.")
    page.get_by_role("button", name="Try again").click()
    expect_live(page)
    expect(page.locator("#stale-banner")).to_be_hidden()
