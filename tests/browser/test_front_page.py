"""The admin's front page in Chromium: it shows what happens without being loaded anew; and the whole admin keeps to a
strict Content-Security-Policy."""

from __future__ import annotations

import websocket
from playwright.sync_api import Page

from tests.browser.test_admin import log_in
from tests.journeys.support.cast import company, settle
from tests.support.browser import Pages
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

ADDRESSES = (
    "",
    "subscriptions/agent/add/",
    "subscriptions/accesskey/add/",
    "subscriptions/auditrecord/",
    "auth/user/add/",
)
CONNECTIONS = ".tile:has-text('Connections') strong:text-is('{}')"
LISTEN = "addEventListener('securitypolicyviolation', (event) => console.error(`refused ${event.violatedDirective}`))"


def test_a_connection_shows_on_the_page_that_is_open_and_nothing_in_the_admin_is_inline(
    gateway: Gateways, pages: Pages
) -> None:
    server = gateway(CHECK_INTERVAL_SECONDS="0.2")
    acme = company("Acme")
    settle(server, acme)
    page = pages.open()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.add_init_script(LISTEN)
    log_in(page, server)

    page.wait_for_selector(CONNECTIONS.format(0))
    wait_until(
        lambda: _refreshed(page).locator(".processes .pill:text-is('serving')").count(), "the process to show"
    )
    peer = websocket.create_connection(f"{server.ws_url}?token={acme.key('of the customer')}", timeout=30)
    wait_until(lambda: _refreshed(page).locator(CONNECTIONS.format(1)).count(), "the connection to show")
    page.click(".tile a:text-is('Connections')")
    page.wait_for_selector("#result_list tbody tr")
    peer.close()

    for address in ADDRESSES:
        page.goto(f"{server.url}/admin/{address}")
        page.wait_for_selector("#content h1")
    assert errors == []
    # Proves the check: the browser refuses an inline style, and the test notices.
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">inline</p>')")
    page.wait_for_selector("p:text-is('inline')")
    assert any("style-src" in text for text in errors)


def _refreshed(page: Page) -> Page:
    """Refresh the page at once, as when its tab becomes visible."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    return page
